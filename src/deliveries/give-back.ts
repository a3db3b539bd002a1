import { sql } from 'kysely';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { wake } from '../platform/wake.ts';
import { formatMoment } from '../platform/zoned-time.ts';
import { sendingRulesOf } from '../tenants/sending-rules.ts';
import { type HeldReason, lockDeliveries, moveDeliveries } from './state.ts';

/** SQL for an update of `deliveries`: keeps what a delivery waits for, before a restore holds it. */
export const interruption = {
  interrupted_reason: sql<string | null>`held_reason`,
  interrupted_until: sql<Date | null>`not_before`,
  interrupted_since: sql<Date | null>`state_at`,
};

/**
 * Has deliveries that are held after a restore, and were not sent, go on as they were: what was queued is queued again,
 * what was held waits again for the same, since when and until when it did.
 *
 * @param because how it is known that they were not sent, a sentence for the timeline
 * @returns how many moved
 */
export async function giveBack(
  { clock }: { readonly clock: Clock },
  trx: Database,
  tenantId: string,
  deliveryIds: readonly string[],
  because: string,
): Promise<number> {
  if (deliveryIds.length === 0) return 0;
  const at = clock();
  await lockDeliveries(trx, tenantId, deliveryIds);
  const rows = await readInterrupted(trx, tenantId, deliveryIds, at);
  const from = { from: 'held', heldFor: ['restored'], at } as const;
  const moved: string[] = [];
  for (const [reason, same] of Map.groupBy(rows, (row) => row.reason)) {
    const ids = same.map(({ id }) => id);
    if (reason === null) {
      moved.push(...(await moveDeliveries(trx, tenantId, ids, { ...from, to: 'queued', detail: because })));
      continue;
    }
    for (const [detail, alike] of await byDetail(trx, tenantId, reason, same, because)) {
      const move = { ...from, to: 'held', heldReason: reason, detail } as const;
      moved.push(...(await moveDeliveries(trx, tenantId, alike, move)));
    }
  }
  if (moved.length === 0) return 0;
  // Held since then, as far as anybody asks whether that is too long.
  await sql`
    update deliveries set not_before = coalesce(interrupted_until, case when held_reason = 'scheduled' then scheduled_for end),
      state_at = case when state = 'held' then coalesce(interrupted_since, state_at) else state_at end,
      interrupted_reason = null, interrupted_until = null, interrupted_since = null
    where tenant_id = ${tenantId} and id = any(${moved}::uuid[])`.execute(trx);
  await wake(trx, 'waiting');
  return moved.length;
}

interface Interrupted {
  readonly id: string;
  readonly reason: HeldReason | null;
  readonly until: Date | null;
}

async function readInterrupted(
  trx: Database,
  tenantId: string,
  deliveryIds: readonly string[],
  now: Date,
): Promise<Interrupted[]> {
  const rows = await trx
    .selectFrom('deliveries')
    .leftJoin('runs', 'runs.id', 'deliveries.run_id')
    .select(['deliveries.id', 'runs.state as runState', 'scheduled_for as scheduledFor'])
    .select(
      sql<boolean>`exists (select from from_swaps where from_swaps.mailbox_id = deliveries.mailbox_id
      and from_swaps.email = lower(deliveries.from_email) and settled_at is null)`.as('isSwapped'),
    )
    .select(['interrupted_until as until', sql<HeldReason | null>`interrupted_reason`.as('reason')])
    .where('deliveries.tenant_id', '=', tenantId)
    .where('deliveries.id', '=', sql<string>`any(${[...deliveryIds]}::uuid[])`)
    .where('held_reason', '=', 'restored')
    .execute();
  return rows.map(({ id, reason, until, runState, scheduledFor, isSwapped }) => {
    // Its run was resumed while this was held for the restore. Where it was cancelled, whoever claims it stops it.
    if (reason === 'run_paused' && runState !== 'paused') return { id, reason: null, until };
    // The same of its address.
    if (reason === 'from_changed' && !isSwapped) return { id, reason: null, until };
    // Held by an older Letterhead, which kept no reason.
    if (reason === null && scheduledFor !== null && scheduledFor > now)
      return { id, reason: 'scheduled', until: scheduledFor };
    return { id, reason, until };
  });
}

/** What the timelines say, with whose they are. */
async function byDetail(
  trx: Database,
  tenantId: string,
  reason: HeldReason,
  rows: readonly Interrupted[],
  because: string,
): Promise<Map<string, string[]>> {
  const { timeZone } = await sendingRulesOf(trx, tenantId);
  const sentence = ({ until }: Interrupted) =>
    reason === 'scheduled' && until
      ? `${because} Leaves on ${formatMoment(until, timeZone)}.`
      : `${because} It waits for what it waited for before.`;
  const groups = Map.groupBy(rows, sentence);
  return new Map([...groups].map(([detail, same]) => [detail, same.map(({ id }) => id)]));
}
