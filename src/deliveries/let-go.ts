import { mailboxProviders } from '../platform/account.ts';
import type { Database } from '../platform/database.ts';
import { wake } from '../platform/wake.ts';
import { inTenant } from '../tenants/scope.ts';
import { findHeldForOperator, findWronglyHeld } from '../tenants/system-upkeep.ts';
import { releaseMailbox } from './release.ts';
import { lockDeliveries, moveDeliveries } from './state.ts';
import { type TransportNeeds, transportOf } from './transport-of.ts';

const pageSize = 200;
/** Troubles that ended so long ago have released what they held. */
const lately = 3_600_000;

type Context = TransportNeeds;

/**
 * Lets go what waits for mailboxes that work again without anybody having pressed a button: their end was a mistake, or
 * a delivery was held at the very moment of reconnecting. What is too old for
 * that waits for somebody to decide, as everywhere.
 *
 * @returns how many were released
 */
export async function releaseRecovered({ db, system, clock }: Context): Promise<number> {
  let released = 0;
  for (const { tenantId, mailboxId } of await findWronglyHeld(system, pageSize)) {
    released += (await inTenant(db, tenantId, (trx) => releaseMailbox(trx, clock, tenantId, mailboxId))).released
      .length;
  }
  return released;
}

/**
 * Lets go what was held for a trouble of the operator's with a provider that is over now.
 *
 * @returns how many were released
 */
export async function releaseAfterTrouble(ctx: Context): Promise<number> {
  const now = ctx.clock();
  let released = 0;
  for (const provider of mailboxProviders) {
    const troubles = await transportOf(ctx, provider).operatorTroubles(new Date(now.getTime() - lately));
    if (troubles.some(({ endedAt }) => endedAt === null)) continue;
    for (const { beganAt, endedAt } of troubles) {
      let page: { deliveryId: string; tenantId: string }[];
      do {
        page = await findHeldForOperator(ctx.system, provider, fromThen(beganAt), endedAt ?? now, pageSize);
        released += await letGo(ctx, page, 'Letterhead’s access to Google works again.');
      } while (page.length === pageSize);
    }
  }
  return released;
}

/**
 * While the operator's trouble with a provider lasts, lets one delivery at a time try whether it still does: the one that
 * has waited longest. Every other waits for its own time.
 */
export async function probeTrouble(ctx: Context): Promise<number> {
  const now = ctx.clock();
  let tried = 0;
  for (const provider of mailboxProviders) {
    const trouble = (await transportOf(ctx, provider).operatorTroubles(now)).find(({ endedAt }) => endedAt === null);
    if (!trouble) continue;
    const page = await findHeldForOperator(ctx.system, provider, fromThen(trouble.beganAt), now, 1);
    tried += await letGo(ctx, page, 'Tried again, to see whether Letterhead’s access to Google works.');
  }
  return tried;
}

/** A trouble is written down a moment after the first delivery met it. */
function fromThen(beganAt: Date): Date {
  return new Date(beganAt.getTime() - 60_000);
}

async function letGo(
  { db, clock }: Context,
  page: readonly { readonly deliveryId: string; readonly tenantId: string }[],
  detail: string,
): Promise<number> {
  let moved = 0;
  for (const [tenantId, deliveries] of Map.groupBy(page, (each) => each.tenantId)) {
    const ids = deliveries.map(({ deliveryId }) => deliveryId);
    moved += await inTenant(db, tenantId, async (trx: Database) => {
      await lockDeliveries(trx, tenantId, ids);
      const released = await moveDeliveries(trx, tenantId, ids, { from: 'held', to: 'queued', at: clock(), detail });
      if (released.length > 0) await wake(trx, 'waiting');
      return released.length;
    });
  }
  return moved;
}
