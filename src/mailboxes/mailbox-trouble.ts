import type { GoogleFailure } from '../google/errors.ts';
import { operatorTroubleOf } from '../google/operator-trouble.ts';
import type { EndedReason } from './why-ended.ts';

/** What Gmail itself says about a mailbox. A token that can be renewed does not disprove it. */
export const saidByGmail = [
  'missing_permission',
  'admin_policy',
  'no_gmail',
  'mailbox_suspended',
  'refused',
] as const satisfies readonly EndedReason[];

/** See {@link saidByGmail}. */
export type SaidByGmail = (typeof saidByGmail)[number];

/**
 * Says why an answer of Gmail's is about the mailbox: whatever is sent through it next would be refused alike, so that its
 * emails wait instead of failing one by one. Pure; null for what is about one email, about how fast or how much an account
 * sends, and about our own project. A numbered order:
 *
 * 1. The operator's trouble, or a rate: not the mailbox's.
 * 2. Named by Google: the permission, the administrator, no Gmail for this account, suspended.
 * 3. A precondition that failed without being named, and any other 403: who asks is refused, not what.
 *
 * 401 is not here: it may be a token's alone, and a new one is tried first.
 *
 * @see docs/google.md, D (quotas and errors)
 */
export function mailboxTroubleOf(failure: GoogleFailure): SaidByGmail | null {
  if (failure.kind !== 'answered' || isRateRefusal(failure) || operatorTroubleOf('gmail', failure)) return null;
  const { status, reason, message } = failure;
  if (status !== 400 && status !== 403) return null;
  if (reason === 'insufficientPermissions' || reason === 'ACCESS_TOKEN_SCOPE_INSUFFICIENT') return 'missing_permission';
  if (reason === 'domainPolicy') return 'admin_policy';
  if (/mail service not enabled/i.test(message)) return 'no_gmail';
  if (/\b(account|user|mailbox)\b.*\b(suspended|disabled)\b/i.test(`${reason} ${message}`)) return 'mailbox_suspended';
  if (status === 403 || /^failed_?precondition$/i.test(reason)) return 'refused';
  return null;
}

/** Newer backends say it in capitals, among the details. */
const rateReasons = ['rateLimitExceeded', 'userRateLimitExceeded', 'RATE_LIMIT_EXCEEDED'];

/** Whether Gmail refuses for now because of how fast or how much was sent. */
export function isRateRefusal(failure: GoogleFailure): boolean {
  return failure.kind === 'answered' && (failure.status === 429 || rateReasons.includes(failure.reason));
}
