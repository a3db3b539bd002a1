import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { wake } from '../platform/wake.ts';
import { type HeldReason, type Move, moveDeliveries } from './state.ts';

/** What a person can decide about a delivery that does not move by itself. */
export type Decision = 'send_again' | 'mark_as_sent' | 'cancel' | 'send_now';

type Step = Pick<Move, 'from' | 'to' | 'detail' | 'heldFor'>;

/** What each decision does; a delivery that none of its steps fits has moved on. */
const steps: Record<Decision, readonly Step[]> = {
  send_again: [{ from: 'unconfirmed', to: 'queued', detail: 'Not found in Gmail: to be sent again.' }],
  mark_as_sent: [
    { from: 'unconfirmed', to: 'sent', detail: 'Found in Gmail: marked as sent.' },
    { from: 'held', to: 'sent', detail: 'Found in Gmail: marked as sent.', heldFor: ['restored'] },
  ],
  cancel: [
    { from: 'queued', to: 'cancelled', detail: 'Cancelled before it left.' },
    { from: 'held', to: 'cancelled', detail: 'Cancelled before it left.' },
  ],
  send_now: [{ from: 'held', to: 'queued', detail: 'To be sent now.' }],
};

/**
 * Carries out one decision about any number of deliveries, and records with each who made it. In two statements at
 * most, however many they are; those that have moved on meanwhile, or that it does not fit, are left alone.
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
  for (const step of steps[decision]) {
    moved.push(...(await moveDeliveries(trx, tenantId, deliveryIds, { ...step, at: ctx.clock(), memberId })));
    if (step.to === 'queued' && moved.length > 0) await wake(trx, 'waiting');
  }
  return moved;
}

/** Whether a word from a form is a decision. */
export function isDecision(word: unknown): word is Decision {
  return typeof word === 'string' && Object.hasOwn(steps, word);
}

/** What fits a delivery that stands so, in the order to offer it. */
export function decisionsFor(delivery: { readonly state: string; readonly heldReason: string | null }): Decision[] {
  const all: Decision[] = ['send_again', 'send_now', 'mark_as_sent', 'cancel'];
  const fits = ({ from, heldFor }: Step) =>
    from === delivery.state && (!heldFor || heldFor.some((reason: HeldReason) => reason === delivery.heldReason));
  return all.filter((decision) => steps[decision].some(fits));
}
