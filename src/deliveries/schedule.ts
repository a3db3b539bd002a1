import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { formatMoment } from '../platform/zoned-time.ts';
import { type HeldReason, moveDelivery } from './state.ts';

/** What waits for nothing but a moment in time, and so may be given another one. */
const byTime = ['scheduled', 'outside_hours', 'undo', 'sending_limit', 'operator'] as const satisfies HeldReason[];

/** What somebody chose. */
export interface Choice {
  readonly sendAt: Date;
  /** The clock that the timeline says it by. */
  readonly timeZone: string;
  /** Also outside the sending hours. */
  readonly anyTime: boolean;
  readonly memberId: string;
}

/** Whether a delivery that stands so can be given a moment at which it leaves. One of a run leaves with its run. */
export function maySchedule(delivery: {
  readonly state: string;
  readonly heldReason: string | null;
  readonly runId: string | null;
}): boolean {
  if (delivery.runId !== null) return false;
  return delivery.state === 'queued' || byTime.some((reason) => reason === delivery.heldReason);
}

/**
 * Has a delivery leave at another moment.
 *
 * @returns false when it has moved on meanwhile; then nothing was changed
 */
export async function schedule(
  { clock }: { readonly clock: Clock },
  trx: Database,
  tenantId: string,
  deliveryId: string,
  { sendAt, timeZone, anyTime, memberId }: Choice,
): Promise<boolean> {
  const detail = `Leaves on ${formatMoment(sendAt, timeZone)}.`;
  const move = { to: 'held', heldReason: 'scheduled', notBefore: sendAt, at: clock(), detail, memberId } as const;
  const moved =
    (await moveDelivery(trx, tenantId, deliveryId, { ...move, from: 'queued' })) ||
    (await moveDelivery(trx, tenantId, deliveryId, { ...move, from: 'held', heldFor: byTime }));
  if (!moved) return false;
  await trx
    .updateTable('deliveries')
    .set({ scheduled_for: sendAt, any_time: anyTime })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', deliveryId)
    .execute();
  return true;
}
