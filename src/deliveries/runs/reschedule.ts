import { sql } from 'kysely';
import type { Clock } from '../../platform/clock.ts';
import type { Database } from '../../platform/database.ts';
import { formatMoment } from '../../platform/zoned-time.ts';
import { moveDeliveries } from '../state.ts';
import type { RunOrder } from './control.ts';
import { takeDeliveries } from './take.ts';

/** When a run is to leave. */
export interface RunTime {
  readonly sendAt: Date;
  /** The clock that the timelines say it by. */
  readonly timeZone: string;
  /** Also outside the sending hours. */
  readonly anyTime: boolean;
}

/**
 * Has what of a run is scheduled leave at another time.
 *
 * @returns how many it moved; none where it has begun to leave, or was paused or cancelled
 */
export async function rescheduleRun(
  trx: Database,
  clock: Clock,
  { tenantId, runId, memberId }: RunOrder,
  { sendAt, timeZone, anyTime }: RunTime,
): Promise<number> {
  const { numUpdatedRows } = await trx
    .updateTable('runs')
    .set({ any_time: anyTime })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', runId)
    .where('state', '=', 'running')
    .executeTakeFirst();
  if (numUpdatedRows === 0n) return 0;
  const ids = await takeDeliveries(trx, { tenantId, runId }, { state: 'held', heldReason: 'scheduled' });
  const move = {
    from: 'held',
    to: 'held',
    heldReason: 'scheduled',
    heldFor: ['scheduled'],
    notBefore: sendAt,
  } as const;
  const detail = `Leaves on ${formatMoment(sendAt, timeZone)}.`;
  const moved = await moveDeliveries(trx, tenantId, ids, { ...move, at: clock(), memberId, detail });
  await trx
    .updateTable('deliveries')
    .set({ scheduled_for: sendAt, any_time: anyTime })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', sql<string>`any(${moved}::uuid[])`)
    .execute();
  return moved.length;
}
