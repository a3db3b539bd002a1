import type { Why } from '../deliveries/attention.ts';
import type { Decision } from '../deliveries/decide.ts';
import type { DeliverySummary } from '../deliveries/deliveries.ts';

/** The button for a decision about a delivery. */
export function decisionWords(decision: Decision, { heldReason }: Pick<DeliverySummary, 'heldReason'>): string {
  switch (decision) {
    case 'send_again':
      return 'It is not there: send again';
    case 'mark_as_sent':
      return 'It is there: mark as sent';
    case 'send_now':
      if (heldReason === 'restored') return 'It is not there: send now';
      return heldReason === 'outside_hours' ? 'Send now anyway' : 'Send now';
    case 'cancel':
      if (heldReason === 'undo') return 'Undo';
      return heldReason === 'restored' ? 'Discard' : 'Cancel';
    case 'seen':
      return 'I have seen it';
    default:
      return decision satisfies never;
  }
}

/** The button for the same about many at once. */
export function bulkWords(decision: Decision, why: Why | null): string {
  switch (decision) {
    case 'send_again':
      return 'Not in Gmail: send again';
    case 'send_now':
      return why === 'restored' ? 'Not in Gmail: send now' : 'Send now';
    case 'mark_as_sent':
      return 'In Gmail: mark as sent';
    case 'cancel':
      return 'Discard';
    case 'seen':
      return 'Seen';
    default:
      return decision satisfies never;
  }
}

/** What a decision about many came to. */
export function decidedWords(decision: Decision, decided: number, asked: number): string {
  const emails = decided === 1 ? '1 email' : `${decided} emails`;
  const are = decided === 1 ? 'is' : 'are';
  const left = asked - decided;
  const others = left === 1 ? '1 other was' : `${left} others were`;
  const rest = left > 0 ? ` ${others} left alone: it did not fit, or had moved on meanwhile.` : '';
  if (decided === 0) return `Nothing was changed: it did not fit what was ticked, or that had moved on meanwhile.`;
  switch (decision) {
    case 'send_again':
    case 'send_now':
      return `${emails} ${are} going out now.${rest}`;
    case 'mark_as_sent':
      return `${emails} ${are} marked as sent.${rest}`;
    case 'cancel':
      return `${emails} ${are} discarded, and ${decided === 1 ? 'stays' : 'stay'} in Activity as cancelled.${rest}`;
    case 'seen':
      return `${emails} ${are} off this list, and ${decided === 1 ? 'stays' : 'stay'} in Activity.${rest}`;
    default:
      return decision satisfies never;
  }
}

/** Why deliveries need somebody: the name of their list, and what to do about them. */
export const whyWords: Record<Why, { readonly name: string; readonly fix: string }> = {
  restored: {
    name: 'After a restore',
    fix: 'Letterhead was restored from a backup, and cannot tell whether these were sent meanwhile. Look in Gmail’s Sent folder for each, then decide.',
  },
  unconfirmed: {
    name: 'Sent or not?',
    fix: 'Gmail may have sent these; its answers never arrived. Look in Gmail’s Sent folder for each, then say what you found.',
  },
  from_changed: {
    name: 'From another address',
    fix: 'Gmail sent these from another address than you chose. Look in Gmail, Settings → Accounts → Send mail as, whether yours is still there, and check it in Settings → Email.',
  },
  held: { name: 'Waiting', fix: 'These were not sent. Mend what each waits for, send it now, or discard it.' },
  failed: {
    name: 'Not sent',
    fix: 'Gmail refused these for good. Open each to see why, correct it and send it again.',
  },
};

/** The next step beside a state that waits for somebody: a sentence, and where to go. */
export function nextStep(
  delivery: Pick<DeliverySummary, 'state' | 'heldReason' | 'id' | 'runId'> &
    Partial<Pick<DeliverySummary, 'notBefore' | 'fromChangedAt' | 'sentFrom' | 'seenAt'>>,
): { text: string; href: string; label: string } | null {
  const own = `/deliveries/${delivery.id}`;
  switch (delivery.state) {
    case 'held':
      switch (delivery.heldReason) {
        case 'mailbox_needs_reconnect':
          return { text: 'Gmail must be connected again', href: '/settings/email', label: 'Reconnect' };
        case 'mailbox_paused':
          return { text: 'The Gmail account is paused', href: '/settings/email', label: 'Resume' };
        case 'mailbox_disconnected':
          return { text: 'The Gmail account was disconnected', href: '/settings/email', label: 'Connect' };
        case 'waited_too_long':
          return { text: 'It waited too long to go out by itself', href: own, label: 'Decide' };
        case 'sender_changed':
          return { text: 'It would come from another address now', href: own, label: 'Look' };
        case 'from_changed':
          return { text: 'Gmail used another address than this one before', href: own, label: 'Look' };
        case 'not_allowed':
          return { text: 'Whoever sent it may not send it any more', href: own, label: 'Look' };
        case 'sending_limit':
          return { text: 'Gmail’s daily limit is used up; it goes out by itself', href: own, label: 'Look' };
        case 'scheduled':
        case 'outside_hours':
        case 'undo':
          return null;
        case 'restored':
          if (delivery.notBefore) return { text: 'It is looked up in Gmail', href: own, label: 'Look' };
          return { text: 'After a restore: was it sent?', href: own, label: 'Decide' };
        case 'stuck':
          return { text: 'It failed again and again, by a fault of ours', href: own, label: 'Look' };
        case 'draft_edited':
        case 'draft_deleted':
        case 'not_sent':
          return { text: 'It was not sent', href: own, label: 'Decide' };
        case 'run_paused':
          return { text: 'Its run is paused', href: delivery.runId ? `/runs/${delivery.runId}` : own, label: 'Look' };
        default:
          return { text: 'Google is in trouble; it goes out by itself', href: own, label: 'Look' };
      }
    case 'unconfirmed':
      return { text: 'Gmail may have sent it', href: own, label: 'Decide' };
    case 'failed':
      return { text: 'Gmail refused it', href: own, label: 'See why' };
    case 'sent':
      if (!delivery.fromChangedAt || delivery.seenAt) return null;
      return { text: `Gmail sent it from ${delivery.sentFrom}`, href: own, label: 'Look' };
    case 'queued':
    case 'sending':
    case 'cancelled':
      return null;
    default:
      return delivery.state satisfies never;
  }
}

/** What words about time need. */
export interface Moment {
  readonly now: Date;
  /** Says an instant on the company's clock. */
  readonly at: (date: Date) => string;
  /** When the sending hours let it leave, where that is later than now. */
  readonly opening: Date | null;
}

/** What the state means, as a sentence. `attempts`: its tries at Gmail, the last one first. */
export function stateSentence(
  {
    state,
    heldReason,
    notBefore,
    attempts,
  }: Pick<DeliverySummary, 'state' | 'heldReason' | 'notBefore'> & {
    readonly attempts: readonly { readonly outcome: string | null }[];
  },
  { now, at, opening }: Moment,
): string {
  switch (state) {
    case 'queued':
      if (notBefore && notBefore > now) return `It is tried again on ${at(notBefore)}.`;
      return opening ? `It waits for your sending hours, and leaves on ${at(opening)}.` : 'It is about to leave.';
    case 'sending':
      if (attempts[0]?.outcome !== 'unknown' || !notBefore) return 'It is being handed to Gmail.';
      return notBefore > now
        ? `Gmail’s answer never arrived, so it may have been sent or not. Until ${at(notBefore)} it may still be on its way; only after that can it be found out.`
        : 'Gmail’s answer never arrived. It is being found out whether it was sent.';
    case 'sent':
      return 'Gmail accepted it.';
    case 'held':
      return heldSentence(heldReason, notBefore && at(notBefore));
    case 'failed':
      return 'It was not sent.';
    case 'unconfirmed':
      return 'Gmail may have sent it; its answer never arrived. Look in Gmail’s Sent folder, then say what you found.';
    case 'cancelled':
      return 'It was cancelled before it left.';
    default:
      return state satisfies never;
  }
}

function heldSentence(reason: string | null, until: string | null): string {
  if (reason === 'restored' && until) {
    return 'Letterhead was restored from a backup. It is looked up in Gmail whether this was sent meanwhile.';
  }
  if (reason === 'restored') {
    return 'Letterhead was restored from a backup, and cannot tell whether this was sent meanwhile. Look in Gmail’s Sent folder, then decide.';
  }
  if (reason === 'stuck') {
    return 'Handing it to Gmail failed again and again, by a fault of ours, and whoever runs Letterhead was told. It was not sent.';
  }
  if (reason === 'from_changed') {
    return 'Gmail did not keep this address on the From line of an earlier email. Nothing more leaves from it until somebody has looked. Nothing is lost.';
  }
  if (until === null) return 'It waits, and nothing is lost.';
  if (reason === 'scheduled' || reason === 'undo') return `It leaves on ${until}.`;
  if (reason === 'outside_hours') return `It waits for your sending hours, and leaves on ${until}.`;
  return `It waits, and goes on by itself on ${until}.`;
}

/** For how many more seconds it can be taken back; null where nothing counts down. */
export function secondsToUndo(
  { heldReason, notBefore }: Pick<DeliverySummary, 'heldReason' | 'notBefore'>,
  now: Date,
): number | null {
  if (heldReason !== 'undo' || !notBefore) return null;
  return Math.max(0, Math.ceil((notBefore.getTime() - now.getTime()) / 1_000));
}

/** How often a page that shows it should ask again, in htmx's words; null when nothing moves by itself any more. */
export function askAgain(
  { state, notBefore, stateAt }: Pick<DeliverySummary, 'state' | 'notBefore' | 'stateAt'>,
  now: Date,
): string | null {
  if (state !== 'held' && state !== 'queued' && state !== 'sending') return null;
  // Gmail's answer is a matter of seconds; the moment it carries is when somebody would look if none came.
  if (state === 'sending' && now.getTime() - stateAt.getTime() < 60_000) return '1s';
  if (notBefore === null) return state === 'held' ? null : '1s';
  return notBefore.getTime() - now.getTime() > 20_000 ? '10s' : '1s';
}
