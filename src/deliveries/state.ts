import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';
import type { DeliveryState } from '../platform/database-types.ts';
import type { SentIds } from '../transport/transport.ts';

/** Every move a delivery may make. What is not here cannot happen. */
export const allowedMoves = {
  // To `sent` from wherever it stands: what Gmail says late about an attempt that was given up counts all the same.
  // To `unconfirmed` where it turns out that an attempt of it is in doubt still.
  queued: ['sending', 'held', 'cancelled', 'failed', 'sent', 'unconfirmed'],
  sending: ['sent', 'queued', 'held', 'failed', 'unconfirmed'],
  // Held after a restore, it may turn out to have been sent; what waits for one thing may come to wait for another.
  // A person's answer about what was in doubt may be taken back.
  held: ['queued', 'cancelled', 'sent', 'held', 'unconfirmed'],
  // A person looked in Gmail and decided; or we could look after all.
  unconfirmed: ['queued', 'sent', 'held'],
  sent: [],
  failed: ['sent'],
  cancelled: ['sent'],
} as const satisfies Record<DeliveryState, readonly DeliveryState[]>;

/** Why a delivery waits; some end by something a person does, the others by time. */
export type HeldReason =
  | 'mailbox_needs_reconnect'
  | 'mailbox_paused'
  | 'mailbox_disconnected'
  /** Its mailbox is back, but it waited longer than the company lets go by itself. */
  | 'waited_too_long'
  | 'sender_changed'
  /** Gmail did not keep its address on the From line of an earlier email. */
  | 'from_changed'
  /** The member who sent it may not send it any more. */
  | 'not_allowed'
  | 'sending_limit'
  | 'operator'
  /** Somebody changed our draft of it in Gmail: what would be sent is not what was previewed. */
  | 'draft_edited'
  /** Somebody deleted our draft of it in Gmail; it was not sent. */
  | 'draft_deleted'
  /** It was found not to have been sent long after somebody asked for it. */
  | 'not_sent'
  /** Somebody chose a time for it. */
  | 'scheduled'
  /** The company sends at certain hours only, and these are not. */
  | 'outside_hours'
  /** A moment in which it can still be taken back. */
  | 'undo'
  /** The database was restored from a backup: nobody knows whether it was sent since then. */
  | 'restored'
  /** A person found it in Gmail: it counts as sent, once that cannot be taken back any more. */
  | 'found'
  /** A person did not find it in Gmail: it is sent again, once that cannot be taken back any more. */
  | 'not_found'
  /** The same, and the record as it is by then is sent instead. */
  | 'not_found_new'
  /** The same, and it is not sent again. */
  | 'not_found_over'
  /** Its record was marked as paid, and nobody said that it leaves all the same. */
  | 'record_paid'
  /** Working on it failed again and again, for a reason that is ours. */
  | 'stuck'
  /** Somebody paused its run. */
  | 'run_paused';

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
  /** When, by the product's clock. */
  readonly at: Date;
  /** A sentence for people. */
  readonly detail: string;
  /** Only those that are held for one of these reasons; for a move from `held`. */
  readonly heldFor?: readonly HeldReason[];
  /** Not those that are held for one of these. */
  readonly notHeldFor?: readonly HeldReason[];
  /** Only those whose moment had come by then: one that was given a later moment meanwhile stays. */
  readonly dueBy?: Date;
  /** Needed when, and only when, `to` is `held`. */
  readonly heldReason?: HeldReason;
  /** It leaves whatever the sending hours say, from now on. */
  readonly anyTime?: true;
  /** When it is looked at again by itself: a retry, the end of a hold, the look into an outcome. */
  readonly notBefore?: Date;
  /** Who decided it, where a person did. */
  readonly memberId?: string;
  /** The provider's ids, when it becomes `sent`. */
  readonly sent?: SentIds;
}

/**
 * Makes a move if the delivery is still where the move starts, and writes it in the timeline.
 * Run it inside the transaction that does whatever else the move means.
 *
 * @returns false when somebody else moved it first; then nothing was written
 * @throws {IllegalMoveError}
 */
export async function moveDelivery(trx: Database, tenantId: string, deliveryId: string, move: Move): Promise<boolean> {
  return (await moveDeliveries(trx, tenantId, [deliveryId], move)).length > 0;
}

/**
 * Keeps others from changing deliveries until the end of the transaction, before many are moved. Locked in the order of
 * their ids, as by everybody who takes many: in another order, two could come to wait for each other.
 */
export async function lockDeliveries(trx: Database, tenantId: string, deliveryIds: readonly string[]): Promise<void> {
  if (deliveryIds.length < 2) return;
  await trx
    .selectFrom('deliveries')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('id', '=', sql<string>`any(${[...deliveryIds]}::uuid[])`)
    .orderBy('id')
    .forNoKeyUpdate()
    .execute();
}

/**
 * Makes the same move for any number of deliveries, in one statement: those that are no longer where it starts stay.
 *
 * @returns the ids of those that moved
 * @throws {IllegalMoveError}
 */
export async function moveDeliveries(
  trx: Database,
  tenantId: string,
  deliveryIds: readonly string[],
  move: Move,
): Promise<string[]> {
  const moves: readonly DeliveryState[] = allowedMoves[move.from];
  if (!moves.includes(move.to) || (move.to === 'held') !== (move.heldReason !== undefined)) {
    throw new IllegalMoveError(move.from, move.to);
  }
  if (deliveryIds.length === 0) return [];
  const rows = await trx
    .with('moved', (db) =>
      db
        .updateTable('deliveries')
        .set({
          state: move.to,
          state_at: move.at,
          held_reason: move.heldReason ?? null,
          not_before: move.notBefore ?? (endsUnsent(move.to) ? whereDraftsAreLeft(move.at) : null),
          ...(move.anyTime && { any_time: true }),
          // Whatever comes back to the queue waits for the pacer again.
          ...(move.to !== 'sending' && { released_at: null }),
          ...(move.to === 'sent' && { sent_at: move.at }),
          ...(move.sent && { provider_message_id: move.sent.messageId, provider_thread_id: move.sent.threadId }),
        })
        .where('tenant_id', '=', tenantId)
        .where('id', '=', sql<string>`any(${[...deliveryIds]}::uuid[])`)
        .where('state', '=', move.from)
        .$if(move.heldFor !== undefined, (query) => query.where('held_reason', 'in', [...(move.heldFor ?? [])]))
        .$if(move.notHeldFor !== undefined, (query) =>
          query.where('held_reason', 'not in', [...(move.notHeldFor ?? [])]),
        )
        .$if(move.dueBy !== undefined, (query) => query.where('not_before', '<=', move.dueBy ?? null))
        .returning(['id', 'tenant_id']),
    )
    .insertInto('delivery_events')
    .columns(['tenant_id', 'delivery_id', 'at', 'state', 'held_reason', 'detail', 'member_id'])
    .expression((eb) =>
      eb
        .selectFrom('moved')
        .select([
          'tenant_id',
          'id',
          sql<Date>`${move.at}::timestamptz`.as('at'),
          sql<DeliveryState>`${move.to}::delivery_state`.as('state'),
          sql<string | null>`${move.heldReason ?? null}::text`.as('held_reason'),
          sql<string>`${move.detail}::text`.as('detail'),
          sql<string | null>`${move.memberId ?? null}::uuid`.as('member_id'),
        ]),
    )
    .returning('delivery_id')
    .execute();
  return rows.map(({ delivery_id }) => delivery_id);
}

function endsUnsent(state: DeliveryState): boolean {
  return state === 'failed' || state === 'cancelled';
}

/** When to clear up after it: at once, where an attempt went by way of a draft. */
function whereDraftsAreLeft(at: Date) {
  return sql<Date | null>`(select ${at}::timestamptz where exists (select from attempts
    where attempts.delivery_id = deliveries.id and via = 'draft'))`;
}

/** A line of a timeline that is no move. */
export interface TimelineLine {
  /** Where the delivery stands meanwhile. */
  readonly state: DeliveryState;
  /** Why it is held, where it is. */
  readonly heldReason?: HeldReason | undefined;
  /** When, by the product's clock. */
  readonly at: Date;
  /** A sentence for people. */
  readonly detail: string;
  /** Who did it, where a person did. */
  readonly memberId?: string | undefined;
}

/** Adds a line to a delivery's timeline. */
export function writeEvent(trx: Database, tenantId: string, deliveryId: string, line: TimelineLine): Promise<void> {
  return writeEvents(trx, tenantId, [deliveryId], line);
}

/** Adds the same line to any number of timelines. */
export async function writeEvents(
  trx: Database,
  tenantId: string,
  deliveryIds: readonly string[],
  { state, heldReason, at, detail, memberId }: TimelineLine,
): Promise<void> {
  if (deliveryIds.length === 0) return;
  await trx
    .insertInto('delivery_events')
    .columns(['tenant_id', 'delivery_id', 'at', 'state', 'held_reason', 'detail', 'member_id'])
    .expression(
      sql`select ${tenantId}::uuid, id, ${at}::timestamptz, ${state}::delivery_state, ${heldReason ?? null}::text, ${detail}::text, ${memberId ?? null}::uuid
        from unnest(${[...deliveryIds]}::uuid[]) as id`,
    )
    .execute();
}
