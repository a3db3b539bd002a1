import type { GoogleFailure } from '../../google/errors.ts';
import { operatorTroubleOf } from '../../google/operator-trouble.ts';
import { isRateRefusal, mailboxTroubleOf, type SaidByGmail } from '../../mailboxes/mailbox-trouble.ts';
import type { Outcome, Tried, WaitsFor } from '../outcome.ts';
import { failureOf } from '../refusal.ts';

/**
 * Classifies a failed `messages.send`. Pure. What may have reached Gmail, and was not plainly refused by
 * it, is `unknown`: a lost connection, and every 5xx (Gmail answers 503 to messages it did take).
 */
export function classifyFailure(failure: GoogleFailure, tried: Tried, now: Date): Outcome {
  switch (failure.kind) {
    case 'not_sent':
      return retry(backoff(tried.attempts, now), 'Google could not be reached, so nothing was sent. We try again.');
    case 'lost':
      return unknown('The connection to Gmail was lost before it answered.');
    case 'answered':
      return classifyAnswer(failure, tried, now);
    default:
      return failure satisfies never;
  }
}

/**
 * Classifies a failure on the way to a send that was not begun: making a draft, or looking for one. Whatever Google did
 * with that, no email left, so what nobody knows is simply tried again.
 */
export function classifyBeforeSend(failure: GoogleFailure, tried: Tried, now: Date): Outcome {
  const outcome = classifyFailure(failure, tried, now);
  if (outcome.kind !== 'unknown') return outcome;
  return retry(backoff(tried.attempts, now), 'Gmail did not take our draft of it, so nothing was sent. We try again.');
}

function classifyAnswer(failure: Extract<GoogleFailure, { kind: 'answered' }>, tried: Tried, now: Date): Outcome {
  const { status, reason, message } = failure;
  // 1xx, 3xx and unreadable 2xx do not belong here; whatever they are, they are no refusal.
  if (status < 400 || status >= 500)
    return unknown(`Gmail had a problem of its own (${status}) and did not say whether it sent the email.`);

  if (status === 401) {
    // Twice, because another delivery may have put the refused token back into use meanwhile.
    return tried.permitsRefused < 2
      ? { ...retry(now, 'Gmail asked us to show our permission again.'), newPermit: true }
      : reconnect('refused', 'Gmail no longer accepts our permission.');
  }
  const ofMailbox = mailboxTroubleOf(failure);
  if (ofMailbox) return reconnect(ofMailbox, mailboxWords[ofMailbox]);
  const trouble = operatorTroubleOf('gmail', failure);
  if (trouble?.sure) {
    // It goes on by itself as soon as it is noticed that the trouble is over; a quota by the minute is that anyway.
    const until = later(now, trouble.kind === 'project_quota' ? 1 : 15);
    return hold('operator', until, 'Letterhead’s own access to Google is interrupted. You need not do anything.');
  }
  if (isSendingLimit(message)) {
    const until = retryTime(message, now) ?? later(now, 60);
    return hold('sending_limit', until, 'Gmail’s daily sending limit for this account is used up.');
  }
  if (isRateRefusal(failure)) {
    const at = retryTime(message, now) ?? backoff(tried.attempts, now);
    return { ...retry(at, 'Gmail asked us to slow down. We try again.'), slowDown: true };
  }
  return { kind: 'refuse', words: refusalWords(status, reason, message) };
}

/** What a timeline says; the mailbox's page says more. */
const mailboxWords: Readonly<Record<SaidByGmail, string>> = {
  missing_permission: 'The permission to send is missing.',
  admin_policy: 'Your Google Workspace administrator has switched Gmail apps off.',
  no_gmail: 'This Google account has no Gmail mailbox, so nothing leaves through it.',
  mailbox_suspended: 'Gmail says that this account is suspended, so nothing leaves through it.',
  refused: 'Gmail does not let us send through this account.',
};

/** The day's limit, as against the minute's: Gmail says so only in its sentence, with 429 or 403 (docs/google.md, D). */
function isSendingLimit(message: string): boolean {
  return message.includes('(Mail sending)');
}

/**
 * The time in `User-rate limit exceeded.  Retry after 2026-11-21T09:30:00.000Z`. Gmail sends no
 * Retry-After header. Never before now, never more than a day ahead (a lockout lasts 24 h at most).
 */
export function retryTime(message: string, now: Date): Date | null {
  const found = /Retry after (\d{4}-\d\d-\d\dT[\d:.]+Z)/.exec(message)?.[1];
  const time = found === undefined ? Number.NaN : Date.parse(found);
  if (Number.isNaN(time)) return null;
  return new Date(Math.min(Math.max(time, now.getTime() + 1_000), now.getTime() + 86_400_000));
}

/** 2 s, doubled with every try up to 64 s, with up to a quarter of jitter on top. */
function backoff(tries: number, now: Date): Date {
  const seconds = Math.min(64, 2 ** Math.min(Math.max(tries, 1), 6));
  return new Date(now.getTime() + seconds * 1_000 * (1 + Math.random() / 4));
}

function later(now: Date, minutes: number): Date {
  return new Date(now.getTime() + minutes * 60_000);
}

function refusalWords(status: number, reason: string, message: string): string {
  switch (failureOf({ status, reason, message })) {
    case 'bad_recipient':
      return 'Gmail does not accept a recipient’s address. Correct it and send again.';
    case 'too_large':
      return 'The email is larger than Gmail accepts. Send a smaller document.';
    default:
      return `Gmail refused the email (${status} ${reason}).`;
  }
}

function retry(at: Date, words: string): Extract<Outcome, { kind: 'retry' }> {
  return { kind: 'retry', at, newPermit: false, slowDown: false, words };
}

function hold(reason: WaitsFor, until: Date | null, words: string): Outcome {
  return { kind: 'hold', reason, until, reconnect: null, words };
}

function reconnect(why: SaidByGmail, words: string): Outcome {
  return { kind: 'hold', reason: 'mailbox_needs_reconnect', until: null, reconnect: why, words };
}

function unknown(words: string): Outcome {
  return { kind: 'unknown', words };
}
