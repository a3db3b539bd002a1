import { sql } from 'kysely';
import { capabilitiesOf } from '../mailboxes/capabilities.ts';
import type { Database } from '../platform/database.ts';
import { wake } from '../platform/wake.ts';
import { formatMoment } from '../platform/zoned-time.ts';
import { inTenant } from '../tenants/scope.ts';
import { sendingRulesOf } from '../tenants/sending-rules.ts';
import {
  findTenantsWithUnsent,
  lockRecordedIdentity,
  readIdentity,
  recordIdentity,
} from '../tenants/system-identity.ts';
import type { DeliverContext } from './context.ts';
import { moveDeliveries } from './state.ts';

type Context = Pick<DeliverContext, 'db' | 'system' | 'clock' | 'log' | 'database'>;

/** How many are moved in one transaction. */
const batch = 2_000;

/**
 * Holds every delivery that had not left, when this database turns out to be another than the one written down: it was
 * restored from a backup, and whatever was sent since is not in it. One process does it, the others wait; until it is
 * done nothing leaves. Where it is the one written down, or the first start, nothing happens.
 *
 * @param restored an operator says that it was restored, whatever it seems
 * @returns how many are held
 */
export async function holdRestored(ctx: Context, restored = false): Promise<number> {
  const identity = await readIdentity(ctx.system);
  if (identity === null) return 0;
  if (restored) {
    await recordIdentity(ctx.system, 'restored', ctx.clock());
    await wake(ctx.system, 'restored');
  }
  const held = await ctx.system.transaction().execute(async (trx) => {
    const recorded = await lockRecordedIdentity(trx);
    let held = 0;
    if (recorded !== undefined && recorded !== identity) {
      for (const tenantId of await findTenantsWithUnsent(trx)) held += await holdTenant(ctx, tenantId);
      ctx.log.error(
        { held, identity, recorded },
        'the database was restored: what had not left is held until it is checked',
      );
    }
    // Only now: should we die before, the next process begins again.
    if (recorded !== identity) await recordIdentity(trx, identity, ctx.clock());
    return held;
  });
  ctx.database.doubt();
  return held;
}

async function holdTenant({ db, clock }: Context, tenantId: string): Promise<number> {
  const at = clock();
  const detail = 'The database was restored from a backup. It may have been sent since then.';
  const move = { to: 'held', heldReason: 'restored', at, detail } as const;
  let held = 0;
  for (const from of ['queued', 'sending', 'held'] as const) {
    let full = true;
    while (full) {
      const moved = await inTenant(db, tenantId, async (trx) => {
        const rows = await findUnheld(trx, tenantId, from);
        const [tracked, others] = await byTracking(trx, tenantId, rows);
        await endAttempts(trx, tenantId, [...tracked, ...others], at);
        // Those are looked up by themselves, from now on.
        const looked = await moveDeliveries(trx, tenantId, tracked, { ...move, from, notBefore: at });
        const asked = await moveDeliveries(trx, tenantId, others, { ...move, from });
        return { rows: rows.length, moved: looked.length + asked.length };
      });
      held += moved.moved;
      full = moved.rows === batch;
    }
  }
  return held;
}

function findUnheld(trx: Database, tenantId: string, from: 'queued' | 'sending' | 'held') {
  return trx
    .selectFrom('deliveries')
    .select(['id', 'mailbox_id as mailboxId'])
    .where('tenant_id', '=', tenantId)
    .where('state', '=', from)
    .where(sql<boolean>`held_reason is distinct from 'restored'`)
    .orderBy('id')
    .limit(batch)
    .forUpdate()
    .execute();
}

/** Which of them can be looked up in Gmail, and which cannot. */
async function byTracking(
  trx: Database,
  tenantId: string,
  deliveries: readonly { readonly id: string; readonly mailboxId: string }[],
): Promise<[string[], string[]]> {
  const mailboxes = await trx
    .selectFrom('mailboxes')
    .innerJoin('grants', 'grants.mailbox_id', 'mailboxes.id')
    .select(['mailboxes.id', 'mailboxes.wanted', 'grants.scopes'])
    .where('mailboxes.tenant_id', '=', tenantId)
    .execute();
  const tracking = new Set(
    mailboxes.filter(({ scopes, wanted }) => capabilitiesOf(scopes, wanted).includes('tracking')).map(({ id }) => id),
  );
  const { tracked = [], others = [] } = Object.groupBy(deliveries, ({ mailboxId }) =>
    tracking.has(mailboxId) ? 'tracked' : 'others',
  );
  return [tracked.map(({ id }) => id), others.map(({ id }) => id)];
}

/** What was under way when the backup was made: nobody knows any more what came of it. */
async function endAttempts(trx: Database, tenantId: string, deliveryIds: readonly string[], at: Date): Promise<void> {
  await sql`
    update attempts set finished_at = ${at}, outcome = 'unknown', reason = 'RESTORED',
      gmail_message = 'The database was restored from a backup that was made while this was under way.'
    where tenant_id = ${tenantId} and delivery_id = any(${[...deliveryIds]}::uuid[]) and finished_at is null`.execute(
    trx,
  );
}

/**
 * Lets go of everything that is held after a restore, because an operator knows that nothing was lost: a planned change
 * of servers, say. What was to leave at a chosen time waits for that again.
 *
 * @returns how many were let go
 */
export async function releaseRestored(ctx: Context): Promise<number> {
  const identity = await readIdentity(ctx.system);
  if (identity !== null) await recordIdentity(ctx.system, identity, ctx.clock());
  ctx.database.doubt();
  let released = 0;
  for (const tenantId of await findTenantsWithUnsent(ctx.system)) {
    let moved: number;
    do {
      moved = await inTenant(ctx.db, tenantId, async (trx) => {
        const rows = await trx
          .selectFrom('deliveries')
          .select('id')
          .where('tenant_id', '=', tenantId)
          .where('state', '=', 'held')
          .where('held_reason', '=', 'restored')
          .limit(batch)
          .execute();
        const ids = rows.map(({ id }) => id);
        return goOn(ctx, trx, tenantId, ids, 'Nothing was lost by the restore.');
      });
      released += moved;
    } while (moved > 0);
  }
  return released;
}

/**
 * Has deliveries that are held after a restore, and were not sent, go on as they were: back to their chosen time where
 * that is still ahead, else to the queue.
 *
 * @returns how many moved
 */
export async function goOn(
  { clock }: Pick<DeliverContext, 'clock'>,
  trx: Database,
  tenantId: string,
  deliveryIds: readonly string[],
  because: string,
): Promise<number> {
  const at = clock();
  const from = { from: 'held', heldFor: ['restored'], at } as const;
  const rows = await trx
    .selectFrom('deliveries')
    .select(['id', 'scheduled_for as sendAt'])
    .where('tenant_id', '=', tenantId)
    .where('id', '=', sql<string>`any(${[...deliveryIds]}::uuid[])`)
    .where('scheduled_for', '>', at)
    .execute();
  const later = Map.groupBy(rows, ({ sendAt }) => sendAt?.getTime() ?? 0);
  const waiting = new Set(rows.map(({ id }) => id));
  const now = deliveryIds.filter((id) => !waiting.has(id));
  let moved = (await moveDeliveries(trx, tenantId, now, { ...from, to: 'queued', detail: because })).length;
  if (moved > 0) await wake(trx, 'waiting');
  const { timeZone } = await sendingRulesOf(trx, tenantId);
  for (const [ms, same] of later) {
    const notBefore = new Date(ms);
    const detail = `${because} Leaves on ${formatMoment(notBefore, timeZone)}.`;
    const move = { ...from, to: 'held', heldReason: 'scheduled', notBefore, detail } as const;
    const ids = same.map(({ id }) => id);
    moved += (await moveDeliveries(trx, tenantId, ids, move)).length;
  }
  return moved;
}
