import { isAnswer } from '../deliveries/answers.ts';
import type { Why } from '../deliveries/attention.ts';
import type { Decision } from '../deliveries/decide.ts';
import type { DeliverySummary } from '../deliveries/deliveries.ts';
import type { RecordNow } from '../deliveries/record-now.ts';
import { sendWords } from './mend-words.ts';

/** The button for a decision about a delivery. */
export function decisionWords(
  decision: Decision,
  { heldReason }: Pick<DeliverySummary, 'heldReason'>,
  record: Pick<RecordNow, 'isChanged'> | null = null,
): string {
  switch (decision) {
    case 'send_again':
      return record?.isChanged ? 'It is not there: send it as it was' : 'It is not there: send again';
    case 'send_new_version':
      return 'It is not there: send the new version';
    case 'do_not_send':
      return 'It is not there: do not send it';
    case 'mark_as_sent':
      return 'It is there: mark as sent';
    case 'send_now':
      if (heldReason !== 'restored') return sendWords(heldReason);
      return record?.isChanged ? 'It is not there: send it as it was' : 'It is not there: send now';
    case 'cancel':
      if (heldReason === 'undo') return 'Undo';
      return heldReason === 'restored' ? 'Discard' : 'Cancel';
    case 'seen':
      return 'I have seen it';
    case 'take_back':
      return 'Undo';
    default:
      return decision satisfies never;
  }
}

/** The button for the same about many at once. */
export function bulkWords(decision: Decision, why: Why | null): string {
  switch (decision) {
    case 'send_again':
      return 'Not in Gmail: send again';
    case 'send_new_version':
      return 'Not in Gmail: send the new version';
    case 'do_not_send':
      return 'Not in Gmail: do not send';
    case 'send_now':
      return why === 'restored' ? 'Not in Gmail: send now' : 'Send now';
    case 'mark_as_sent':
      return 'In Gmail: mark as sent';
    case 'cancel':
      return 'Discard';
    case 'seen':
      return 'Seen';
    case 'take_back':
      return 'Undo';
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
  answered: {
    name: 'Just answered',
    fix: 'Somebody has just said what they found in Gmail about these. For a minute that can be undone.',
  },
  held: { name: 'Waiting', fix: 'These were not sent. Each says what it waits for, and what ends that.' },
  failed: {
    name: 'Not sent',
    fix: 'Gmail refused these for good. Open each to see why, correct it and send it again.',
  },
};

/** What words about time need. */
export interface Moment {
  readonly now: Date;
  /** Says an instant on the company's clock. */
  readonly at: (date: Date) => string;
  /** When the sending hours let it leave, where that is later than now. */
  readonly opening: Date | null;
}

/** What a state means that needs no headline, as a sentence. `markedBy`: who said that it was sent, where nobody but a person knows. */
export function stateSentence(
  {
    state,
    notBefore,
    markedBy = null,
  }: Pick<DeliverySummary, 'state' | 'notBefore'> & { readonly markedBy?: string | null },
  { now, at, opening }: Moment,
): string {
  switch (state) {
    case 'queued':
      if (notBefore && notBefore > now) return `It is tried again on ${at(notBefore)}.`;
      return opening ? `It waits for your sending hours, and leaves on ${at(opening)}.` : 'It is about to leave.';
    case 'sending':
      return 'It is being handed to Gmail.';
    case 'sent':
      return markedBy ? `${markedBy} found it in Gmail and marked it as sent.` : 'Gmail accepted it.';
    case 'cancelled':
      return 'It was cancelled before it left.';
    case 'held':
      return 'It waits.';
    case 'failed':
      return 'It was not sent.';
    case 'unconfirmed':
      return 'Gmail may have sent it; its answer never arrived.';
    default:
      return state satisfies never;
  }
}

/** For how many more seconds it can be taken back; null where nothing counts down. */
export function secondsToUndo(
  { heldReason, notBefore }: Pick<DeliverySummary, 'heldReason' | 'notBefore'>,
  now: Date,
): number | null {
  const counts = heldReason === 'undo' || isAnswer(heldReason);
  if (!counts || !notBefore) return null;
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
