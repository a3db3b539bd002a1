import type { Database } from '../platform/database.ts';
import type { DeliveryState } from '../platform/database-types.ts';

/** Every move a delivery may make. What is not here cannot happen. */
export const allowedMoves = {
  queued: ['sending', 'held', 'cancelled', 'failed'],
  sending: ['sent', 'queued', 'held', 'failed', 'unconfirmed'],
  held: ['queued', 'cancelled'],
  // A person looked in Gmail and decided.
  unconfirmed: ['queued', 'sent'],
  sent: [],
  failed: [],
  cancelled: [],
} as const satisfies Record<DeliveryState, readonly DeliveryState[]>;

/** Why a delivery waits; the first three end by something a person does, the others by time. */
export type HeldReason =
  | 'mailbox_needs_reconnect'
  | 'mailbox_disconnected'
  | 'sender_changed'
  | 'sending_limit'
  | 'operator';

/** A move that {@link allowedMoves} does not know: a mistake of ours, never of a person or of Google. */
export class IllegalMoveError extends Error {
  override readonly name = 'IllegalMoveError';
  readonly code = 'illegal_move';

  constructor(from: DeliveryState, to: DeliveryState) {
    super(`A delivery does not go from ${from} to ${to}.`);
  }
}

/** One move, with what the timeline says about it. */
export interface Move {
  readonly from: DeliveryState;
  readonly to: DeliveryState;
  /** A sentence for people. */
  readonly detail: string;
  /** Needed when, and only when, `to` is `held`. */
  readonly heldReason?: HeldReason;
  /** When it goes on by itself: a retry, or the end of a hold. */
  readonly notBefore?: Date;
  /** Who decided it, where a person did. */
  readonly memberId?: string;
  /** Gmail's ids, when it becomes `sent`. */
  readonly gmail?: { readonly messageId: string; readonly threadId: string };
}

/**
 * Makes a move if the delivery is still where the move starts, and writes it in the timeline.
 * Run it inside the transaction that does whatever else the move means.
 *
 * @returns false when somebody else moved it first; then nothing was written
 * @throws {IllegalMoveError}
 */
export async function moveDelivery(trx: Database, tenantId: string, deliveryId: string, move: Move): Promise<boolean> {
  const moves: readonly DeliveryState[] = allowedMoves[move.from];
  if (!moves.includes(move.to) || (move.to === 'held') !== (move.heldReason !== undefined)) {
    throw new IllegalMoveError(move.from, move.to);
  }
  const now = new Date();
  const { numUpdatedRows } = await trx
    .updateTable('deliveries')
    .set({
      state: move.to,
      state_at: now,
      held_reason: move.heldReason ?? null,
      not_before: move.notBefore ?? null,
      ...(move.to === 'sent' && { sent_at: now }),
      ...(move.gmail && { gmail_message_id: move.gmail.messageId, gmail_thread_id: move.gmail.threadId }),
    })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', deliveryId)
    .where('state', '=', move.from)
    .executeTakeFirst();
  if (numUpdatedRows === 0n) return false;
  await writeEvent(trx, tenantId, deliveryId, move.to, move.detail, move.memberId);
  return true;
}

/** Adds a line to a delivery's timeline. */
export async function writeEvent(
  trx: Database,
  tenantId: string,
  deliveryId: string,
  state: DeliveryState,
  detail: string,
  memberId?: string,
): Promise<void> {
  await trx
    .insertInto('delivery_events')
    .values({ tenant_id: tenantId, delivery_id: deliveryId, state, detail, member_id: memberId ?? null })
    .execute();
}
