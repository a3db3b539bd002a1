import { sql } from 'kysely';
import { capabilitiesOf } from '../mailboxes/capabilities.ts';
import type { Database } from '../platform/database.ts';
import { wake } from '../platform/wake.ts';
import { inTenant } from '../tenants/scope.ts';
import {
  findTenantsWithUnsent,
  lockRecordedIdentity,
  readIdentity,
  readRestore,
  recordIdentity,
  recordRestore,
} from '../tenants/system-identity.ts';
import { isInDoubt } from './attempt.ts';
import type { DeliverContext } from './context.ts';
import { giveBack, interruption } from './give-back.ts';
import { moveDeliveries, writeEvents } from './state.ts';
import { releaseAllowed } from './withdrawn.ts';

type Context = Pick<DeliverContext, 'db' | 'system' | 'clock' | 'log' | 'database'>;

/** How many are moved in one transaction. */
const batch = 2_000;

/** What a restore did to what had not left. */
export interface HeldForRestore {
  /** Waited, and is held now. */
  readonly held: number;
  /** Was handed to Gmail before the backup, and nobody knew what came of it: that stays so. */
  readonly inDoubt: number;
}

/**
 * Holds every delivery that had not left, when this database turns out to be another than the one written down: it was
 * restored from a backup, and whatever was sent since is not in it. One process does it, the others wait; until it is
 * done nothing leaves. Where it is the one written down, or the first start, nothing happens.
 *
 * What was in doubt already stays in doubt: it is looked into as ever, but by Gmail's Sent folder alone.
 *
 * @param restored an operator says that it was restored, whatever it seems
 */
export async function holdRestored(ctx: Context, restored = false): Promise<HeldForRestore> {
  const nothing = { held: 0, inDoubt: 0 };
  const identity = await readIdentity(ctx.system);
  if (identity === null) return nothing;
  if (restored) {
    await recordIdentity(ctx.system, 'restored', ctx.clock());
    await wake(ctx.system, 'restored');
  }
  const done = await ctx.system.transaction().execute(async (trx) => {
    const recorded = await lockRecordedIdentity(trx);
    const all = { ...nothing };
    const at = ctx.clock();
    if (recorded !== undefined && recorded !== identity) {
      for (const tenantId of await findTenantsWithUnsent(trx)) {
        all.inDoubt += await markDoubts(ctx, tenantId, at);
        all.held += await holdTenant(ctx, tenantId, at);
      }
      await recordRestore(trx, at);
      ctx.log.error(
        { ...all, identity, recorded },
        'the database was restored: what had not left is held until it is checked',
      );
    }
    // Only now: should we die before, the next process begins again.
    if (recorded !== identity) await recordIdentity(trx, identity, at);
    return all;
  });
  ctx.database.doubt();
  return done;
}

const mayHaveLeft = 'The database was restored from a backup. It may have been sent since then.';

/** Looks of before say nothing any more: what is in doubt is looked into from now on as of a restored one. */
async function markDoubts({ db }: Context, tenantId: string, at: Date): Promise<number> {
  return inTenant(db, tenantId, async (trx) => {
    const { rows } = await sql<{ id: string; state: 'sending' | 'unconfirmed' }>`
      with doubted as (
        update attempts set restored_at = ${at}
        where tenant_id = ${tenantId} and restored_at is null and ${isInDoubt}
        returning delivery_id
      )
      update deliveries set not_before = coalesce(not_before, ${at})
      from doubted where deliveries.id = doubted.delivery_id and state in ('sending', 'unconfirmed')
      returning deliveries.id, state`.execute(trx);
    for (const [state, same] of Map.groupBy(rows, (row) => row.state)) {
      const ids = same.map(({ id }) => id);
      await writeEvents(trx, tenantId, ids, { state, at, detail: mayHaveLeft });
    }
    return rows.length;
  });
}

async function holdTenant({ db }: Context, tenantId: string, at: Date): Promise<number> {
  const move = { to: 'held', heldReason: 'restored', at, detail: mayHaveLeft } as const;
  let held = 0;
  for (const from of ['queued', 'held'] as const) {
    let full = true;
    while (full) {
      const moved = await inTenant(db, tenantId, async (trx) => {
        const rows = await findUnheld(trx, tenantId, from);
        const [tracked, others] = await byTracking(trx, tenantId, rows);
        await trx
          .updateTable('deliveries')
          .set(interruption)
          .where('tenant_id', '=', tenantId)
          .where('id', '=', sql<string>`any(${[...tracked, ...others]}::uuid[])`)
          .execute();
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

function findUnheld(trx: Database, tenantId: string, from: 'queued' | 'held') {
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

/**
 * Lets go of everything that is held for the last restore, because an operator knows that nothing was sent since the
 * backup: a planned change of servers, say. Each goes on as it was: what waited for something waits for it again, and
 * what was in doubt when the old database stopped is in doubt still. What an earlier restore holds stays held.
 *
 * @returns how many were let go
 */
export async function releaseRestored(ctx: Context): Promise<number> {
  const identity = await readIdentity(ctx.system);
  if (identity !== null) await recordIdentity(ctx.system, identity, ctx.clock());
  ctx.database.doubt();
  const since = (await readRestore(ctx.system)) ?? new Date(0);
  let released = 0;
  for (const tenantId of await findTenantsWithUnsent(ctx.system)) {
    await trustDoubts(ctx, tenantId, since);
    let moved: { count: number; notAllowed: string[] };
    do {
      moved = await inTenant(ctx.db, tenantId, async (trx) => {
        const rows = await trx
          .selectFrom('deliveries')
          .select(['id', 'mailbox_id as mailboxId', 'interrupted_reason as reason'])
          .where('tenant_id', '=', tenantId)
          .where('state', '=', 'held')
          .where('held_reason', '=', 'restored')
          .where('state_at', '>=', since)
          .limit(batch)
          .execute();
        const ids = rows.map(({ id }) => id);
        const notAllowed = rows.filter(({ reason }) => reason === 'not_allowed').map(({ mailboxId }) => mailboxId);
        return { count: await giveBack(ctx, trx, tenantId, ids, 'Nothing was lost by the restore.'), notAllowed };
      });
      released += moved.count;
      // Whoever was allowed to send them again meanwhile was not seen by whoever released what they had waiting.
      for (const mailboxId of new Set(moved.notAllowed)) await releaseAllowed(ctx, tenantId, { mailboxId });
    } while (moved.count > 0);
  }
  return released;
}

/** What we ourselves wrote of attempts in doubt is as true as it was. They are looked into once more, by all there is. */
async function trustDoubts({ db, clock }: Context, tenantId: string, since: Date): Promise<void> {
  await inTenant(db, tenantId, (trx) =>
    sql`
      with doubted as (
        update attempts set restored_at = null
        where tenant_id = ${tenantId} and restored_at >= ${since} and ${isInDoubt}
        returning delivery_id
      )
      update deliveries set not_before = ${clock()}
      from doubted where deliveries.id = doubted.delivery_id and state in ('sending', 'unconfirmed')`.execute(trx),
  );
}
