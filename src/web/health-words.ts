import { type EndedWords, endedWords, readReason } from '../mailboxes/ended-words.ts';
import type { MailboxHistoryLine } from '../mailboxes/mailbox-events.ts';
import type { MailboxRecord } from '../mailboxes/mailboxes.ts';

/** What is wrong with a mailbox and what to do about it; null where nothing is. */
export function troubleOf({
  email,
  stateReason,
  stateSure,
}: Pick<MailboxRecord, 'email' | 'stateReason' | 'stateSure'>): EndedWords | null {
  return stateReason === null ? null : endedWords({ reason: readReason(stateReason), sure: stateSure }, email);
}

/** What emails that wait for a mailbox wait for, after “until it …”: `is resumed`, `can send again`, `is connected again`. */
export function untilWords(mailbox: Pick<MailboxRecord, 'email' | 'state' | 'stateReason' | 'stateSure'>): string {
  if (mailbox.state === 'paused') return 'is resumed';
  if (mailbox.state === 'needs_reconnect') return troubleOf(mailbox)?.until ?? 'is connected to Gmail again';
  return 'is connected again';
}

/** A line of a mailbox's history for people. */
export interface HistoryWords {
  readonly title: string;
  /** A sentence more, where there is one. */
  readonly detail: string | null;
  /** A tone of the stylesheet, or none. */
  readonly tone: 'ok' | 'held' | 'fail' | '';
}

/** Says what befell a mailbox. */
export function historyWords({ kind, reason, sure, email }: MailboxHistoryLine): HistoryWords {
  const ended = () => endedWords({ reason: readReason(reason), sure }, email);
  switch (kind) {
    case 'connected':
      return { title: 'Connected to Gmail', detail: null, tone: 'ok' };
    case 'disconnected':
      return { title: 'Disconnected', detail: null, tone: '' };
    case 'ended':
      return {
        title: ended().first === 'reconnect' ? 'Must be connected again' : 'Cannot send any more',
        ...{ detail: ended().what, tone: 'fail' },
      };
    case 'explained':
      return { title: 'More is known of why', detail: ended().what, tone: '' };
    case 'recovered':
      return {
        title: 'Works again',
        detail: 'Google accepts the connection again; nobody had to do anything.',
        tone: 'ok',
      };
    case 'paused':
      return { title: 'Paused', detail: 'Nothing leaves through it until somebody resumes it.', tone: 'held' };
    case 'resumed':
      return { title: 'Resumed', detail: null, tone: 'ok' };
    default:
      return kind satisfies never;
  }
}
