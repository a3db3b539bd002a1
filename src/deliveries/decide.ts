import { sql } from 'kysely';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { wake } from '../platform/wake.ts';
import { settleDoubts } from './attempt.ts';
import { freeFromRun } from './free-from-run.ts';
import { type HeldReason, lockDeliveries, type Move, moveDeliveries, writeEvents } from './state.ts';

/** What a person can decide about a delivery that does not move by itself. */
export type Decision = 'send_again' | 'mark_as_sent' | 'cancel' | 'send_now' | 'seen';

type Step = Pick<Move, 'from' | 'to' | 'detail' | 'heldFor' | 'notHeldFor' | 'anyTime'>;

/** What each decision does; a delivery that none of its steps fits has moved on. */
const steps: Record<Decision, readonly Step[]> = {
  send_again: [{ from: 'unconfirmed', to: 'queued', detail: 'Not found in Gmail: to be sent again.' }],
  mark_as_sent: [
    { from: 'unconfirmed', to: 'sent', detail: 'Found in Gmail: marked as sent.' },
    { from: 'held', to: 'sent', detail: 'Found in Gmail: marked as sent.', heldFor: ['restored'] },
  ],
  cancel: [
    { from: 'queued', to: 'cancelled', detail: 'Cancelled before it left.' },
    { from: 'held', to: 'cancelled', detail: 'Cancelled. It may have left before the restore.', heldFor: ['restored'] },
    { from: 'held', to: 'cancelled', detail: 'Cancelled before it left.' },
  ],
  // Said by a person, now means now, whatever the sending hours are.
  send_now: [
    { from: 'held', to: 'queued', detail: 'Not found in Gmail: to be sent now.', anyTime: true, heldFor: ['restored'] },
    // Where its address is held, it would be held again: that is decided about on the mailbox's page.
    { from: 'held', to: 'queued', detail: 'To be sent now.', anyTime: true, notHeldFor: 'from_changed' },
  ],
  // It moves nothing: somebody knows of it.
  seen: [],
};

/**
 * Carries out one decision about any number of deliveries, and records with each who made it. In a few statements,
 * however many they are; those that have moved on meanwhile, or that it does not fit, are left alone.
 *
 * @returns the ids of those that it moved
 */
export async function decide(
  ctx: { readonly clock: Clock },
  trx: Database,
  tenantId: string,
  deliveryIds: readonly string[],
  decision: Decision,
  memberId: string,
): Promise<string[]> {
  const moved: string[] = [];
  await lockDeliveries(trx, tenantId, deliveryIds);
  for (const step of steps[decision]) {
    const at = ctx.clock();
    const ids = await moveDeliveries(trx, tenantId, deliveryIds, { ...step, at, memberId });
    if (step.from === 'unconfirmed') await settleDoubts(trx, tenantId, ids, 'person', at);
    moved.push(...ids);
  }
  if (decision === 'seen') moved.push(...(await markSeen(ctx, trx, tenantId, deliveryIds, memberId)));
  if (decision === 'send_now') moved.push(...(await sendAnyTime(ctx, trx, tenantId, deliveryIds, memberId)));
  const isQueued = steps[decision].some(({ to }) => to === 'queued');
  if (isQueued && moved.length > 0) {
    await freeFromRun(trx, tenantId, moved);
    await wake(trx, 'waiting');
  }
  return moved;
}

/** Takes what failed, or left from another address, off the list of what needs somebody. */
async function markSeen(
  { clock }: { readonly clock: Clock },
  trx: Database,
  tenantId: string,
  deliveryIds: readonly string[],
  memberId: string,
): Promise<string[]> {
  if (deliveryIds.length === 0) return [];
  const at = clock();
  const rows = await trx
    .updateTable('deliveries')
    .set({ seen_at: at })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', sql<string>`any(${[...deliveryIds]}::uuid[])`)
    .where('seen_at', 'is', null)
    .where((where) => where.or([where('state', '=', 'failed'), where('from_changed_at', 'is not', null)]))
    .returning(['id', 'state'])
    .execute();
  for (const [state, same] of Map.groupBy(rows, (row) => row.state)) {
    const ids = same.map(({ id }) => id);
    const detail = 'Seen, and off the list of what needs somebody.';
    await writeEvents(trx, tenantId, ids, { state, at, detail, memberId });
  }
  return rows.map(({ id }) => id);
}

/** Has what waits for the sending hours in the queue leave whatever the hour: no move, but a line in its timeline. */
async function sendAnyTime(
  { clock }: { readonly clock: Clock },
  trx: Database,
  tenantId: string,
  deliveryIds: readonly string[],
  memberId: string,
): Promise<string[]> {
  if (deliveryIds.length === 0) return [];
  const rows = await trx
    .updateTable('deliveries')
    .set({ any_time: true })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', sql<string>`any(${[...deliveryIds]}::uuid[])`)
    .where('state', '=', 'queued')
    .where('any_time', '=', false)
    .returning('id')
    .execute();
  const ids = rows.map(({ id }) => id);
  await writeEvents(trx, tenantId, ids, { state: 'queued', at: clock(), detail: 'To be sent now.', memberId });
  return ids;
}

/** Whether a word from a form is a decision. */
export function isDecision(word: unknown): word is Decision {
  return typeof word === 'string' && Object.hasOwn(steps, word);
}

/** What of a delivery says which decisions fit it. */
interface Standing {
  readonly state: string;
  readonly heldReason: string | null;
  readonly fromChangedAt: Date | null;
  readonly seenAt: Date | null;
}

function isUnseen({ state, fromChangedAt, seenAt }: Standing): boolean {
  return seenAt === null && (state === 'failed' || fromChangedAt !== null);
}

/**
 * What fits a delivery that stands so, in the order to offer it.
 *
 * @param waitsForHours whether it would leave now, were it not for the sending hours
 */
export function decisionsFor(delivery: Standing, waitsForHours = false): Decision[] {
  const all: Decision[] = ['send_again', 'send_now', 'mark_as_sent', 'cancel', 'seen'];
  const fits = ({ from, heldFor, notHeldFor }: Step) =>
    from === delivery.state &&
    (notHeldFor === undefined || notHeldFor !== delivery.heldReason) &&
    (!heldFor || heldFor.some((reason: HeldReason) => reason === delivery.heldReason));
  return all.filter(
    (decision) =>
      steps[decision].some(fits) ||
      (decision === 'send_now' && delivery.state === 'queued' && waitsForHours) ||
      (decision === 'seen' && isUnseen(delivery)),
  );
}
