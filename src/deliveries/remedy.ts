import { type FailureCode, failureOf, type Refusal } from '../transport/refusal.ts';
import { type Around, type Decision, decisionsFor, type Standing } from './decide.ts';
import type { LeavesLater } from './departures.ts';
import type { HeldReason } from './state.ts';
import type { Waiter, WhyItWaits } from './why-it-waits.ts';
import { whyItWaits } from './why-it-waits.ts';
import type { Lack } from './withdrawn.ts';

/** Why a delivery waits, failed or asks for somebody: the code of its headline. */
export type Trouble =
  | HeldReason
  | FailureCode
  /** What held it is over, and it waits for somebody. */
  | 'free'
  /** Gmail's answer never arrived; it is being found out. */
  | 'in_doubt'
  /** Nobody can find it out but a person. */
  | 'unconfirmed'
  /** It was sent, from another address than was asked for. */
  | 'other_from';

/** What mends it: the main button. */
export type Mend =
  | 'resume_mailbox'
  | 'connect_mailbox'
  | 'open_mailbox'
  | 'check_address'
  | 'open_rights'
  | 'resume_run'
  | 'send_anew'
  | 'correct'
  | 'send_now'
  /** The same, and to say that it leaves although its record is paid. */
  | 'send_paid'
  /** To look in Gmail and say what was found. */
  | 'answer';

/** What is known of a delivery. */
export interface Known extends Standing, Waiter {
  readonly isInDoubt: boolean;
  readonly refusal: Refusal | null;
  /** The record that it carries; null for a test, a notice or an invitation. */
  readonly documentId: string | null;
}

/** What stands in its way now, see `obstacles.ts`. */
export interface Hindrance {
  readonly reason: HeldReason;
  /** Whether Gmail's list of addresses is why, rather than the rule. */
  readonly isOfList?: boolean;
  /** What whoever sent it lacks, where they may not send it. */
  readonly lacks?: Lack;
}

/** What may be done about a delivery. */
export interface Remedy {
  readonly trouble: Trouble | null;
  readonly mend: Mend | null;
  /** What a person can decide about it, and that can work. */
  readonly decisions: readonly Decision[];
  /** What it waits for; null where it does not wait. */
  readonly waits: WhyItWaits | null;
}

/**
 * Says why a delivery stands where it stands, what mends that, and what a person can decide about it. Pure: every page
 * shows what this says, so none offers what cannot work.
 *
 * @param hindrance what would hold it again, were it let go now; null where it would leave
 * @param later when it leaves, where it is queued and that is later than now
 */
export function remedyOf(
  delivery: Known,
  hindrance: Hindrance | null,
  later: LeavesLater | null = null,
  record: Around['record'] = null,
): Remedy {
  const waits = whyItWaits(delivery, hindrance, later);
  const waitsForHours = later?.why === 'hours';
  const decisions = decisionsFor(delivery, { waitsForHours, isHindered: hindrance !== null, record });
  const trouble = troubleOf(delivery, waits);
  return { trouble, mend: mendOf(trouble, delivery, hindrance), decisions, waits };
}

function troubleOf(
  { state, heldReason, isInDoubt, refusal, fromChangedAt, seenAt }: Known,
  waits: WhyItWaits | null,
): Trouble | null {
  switch (state) {
    case 'held':
    case 'queued':
      if (waits?.kind === 'stays') return waits.why === 'run_cancelled' ? null : waits.why;
      return isHeldReason(heldReason) ? heldReason : null;
    case 'failed':
      return failureOf(refusal);
    case 'unconfirmed':
      return 'unconfirmed';
    case 'sending':
      return isInDoubt ? 'in_doubt' : null;
    case 'sent':
      return fromChangedAt !== null && seenAt === null ? 'other_from' : null;
    case 'cancelled':
      return null;
    default:
      return state satisfies never;
  }
}

/** Of each reason to hold what mends it; null where it goes on by itself, or where a decision is all there is. */
const mends: Readonly<Record<HeldReason | 'free', Mend | null>> = {
  mailbox_needs_reconnect: 'connect_mailbox',
  mailbox_disconnected: 'connect_mailbox',
  mailbox_paused: 'resume_mailbox',
  waited_too_long: 'send_now',
  sender_changed: 'send_anew',
  from_changed: 'check_address',
  not_allowed: 'open_rights',
  sending_limit: null,
  operator: null,
  draft_edited: 'send_now',
  draft_deleted: 'send_now',
  not_sent: 'send_now',
  scheduled: null,
  outside_hours: null,
  undo: null,
  restored: 'answer',
  found: null,
  not_found: null,
  not_found_new: null,
  not_found_over: null,
  record_paid: 'send_paid',
  stuck: 'send_now',
  run_paused: 'resume_run',
  free: 'send_now',
};

/** Every reason to hold a delivery. */
export const heldReasons = Object.keys(mends).filter(isHeldReason);

function isHeldReason(reason: string | null): reason is HeldReason {
  return reason !== null && reason !== 'free' && Object.hasOwn(mends, reason);
}

function isGone(hindrance: Hindrance | null): boolean {
  return hindrance?.lacks === 'membership' || hindrance?.lacks === 'left';
}

function mendOf(
  trouble: Trouble | null,
  { documentId, notBefore }: Pick<Known, 'documentId' | 'notBefore'>,
  hindrance: Hindrance | null,
): Mend | null {
  switch (trouble) {
    case null:
    case 'in_doubt':
      return null;
    case 'unconfirmed':
      return 'answer';
    case 'other_from':
      return 'check_address';
    case 'bad_recipient':
    case 'too_large':
    case 'no_pdf':
    case 'refused':
      return documentId === null ? null : 'correct';
    case 'restored':
      // It is being looked up.
      return notBefore === null ? 'answer' : null;
    default: {
      const mend = mends[trouble];
      // To let it go would not help: first of all what would hold it again.
      const first = mend === 'send_now' && hindrance ? mends[hindrance.reason] : mend;
      if (first === 'send_anew' && hindrance?.isOfList) return 'open_mailbox';
      // Nobody gives a right back to somebody who is gone: another member sends the record.
      const anew = first === 'send_anew' || (first === 'open_rights' && isGone(hindrance));
      if (!anew) return first;
      return documentId === null ? null : 'send_anew';
    }
  }
}
