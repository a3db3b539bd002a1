import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { wake } from '../platform/wake.ts';
import { moveDeliveries, moveDelivery } from './state.ts';

/** What a person can decide about a delivery that does not move by itself. */
export type Decision = 'send_again' | 'mark_as_sent' | 'cancel' | 'send_now';

const moves = {
  send_again: { from: ['unconfirmed'], to: 'queued', detail: 'Not found in Gmail: to be sent again.' },
  mark_as_sent: { from: ['unconfirmed'], to: 'sent', detail: 'Found in Gmail: marked as sent.' },
  cancel: { from: ['queued', 'held'], to: 'cancelled', detail: 'Cancelled before it left.' },
  send_now: { from: ['held'], to: 'queued', detail: 'To be tried again now.' },
} as const;

/**
 * Carries out a decision and records who made it.
 *
 * @returns false when the delivery has moved on meanwhile, and the decision no longer fits
 */
export async function decide(
  trx: Database,
  clock: Clock,
  tenantId: string,
  deliveryId: string,
  decision: Decision,
  memberId: string,
): Promise<boolean> {
  const { from, to, detail } = moves[decision];
  for (const state of from) {
    if (await moveDelivery(trx, tenantId, deliveryId, { from: state, to, at: clock(), detail, memberId })) {
      if (to === 'queued') await wake(trx, 'waiting');
      return true;
    }
  }
  return false;
}

/** Whether a word from a form is a decision. */
export function isDecision(word: unknown): word is Decision {
  return typeof word === 'string' && Object.hasOwn(moves, word);
}

/** What fits a delivery in this state, in the order to offer it. */
export function decisionsFor(state: string): Decision[] {
  const all: Decision[] = ['send_again', 'mark_as_sent', 'send_now', 'cancel'];
  return all.filter((decision) => moves[decision].from.some((from) => from === state));
}

/** Held longer than this, a delivery waits for somebody to say "send now". */
const releaseWithinMs = 24 * 3_600_000;

/**
 * Lets go of what waited for a mailbox to be connected again, if it waited less than 24 hours.
 *
 * @returns how many were released, and how many are too old for that
 */
export async function releaseMailbox(
  trx: Database,
  clock: Clock,
  tenantId: string,
  mailboxId: string,
): Promise<{ released: number; waiting: number }> {
  const held = await trx
    .selectFrom('deliveries')
    .select(['id', 'state_at'])
    .where('tenant_id', '=', tenantId)
    .where('mailbox_id', '=', mailboxId)
    .where('state', '=', 'held')
    .where('held_reason', 'in', ['mailbox_needs_reconnect', 'mailbox_disconnected'])
    .orderBy('created_at')
    .execute();
  const fresh = held.filter((delivery) => clock().getTime() - delivery.state_at.getTime() < releaseWithinMs);
  const ids = fresh.map(({ id }) => id);
  const detail = 'Gmail is connected again.';
  await moveDeliveries(trx, tenantId, ids, { from: 'held', to: 'queued', at: clock(), detail });
  if (fresh.length > 0) await wake(trx, 'waiting');
  return { released: fresh.length, waiting: held.length - fresh.length };
}
