import type { GoogleFailure } from '../google/errors.ts';

/** Why a mailbox needs to be reconnected; each has its own words and fix in `ended-words.ts`. */
export type EndedReason =
  /** Removed in the Google account, or its password changed: Google words both alike. */
  | 'revoked'
  /** Removed in the Google account, as Google itself has told us. */
  | 'removed'
  /** The password changed, which ends every permission that has to do with Gmail. */
  | 'password_changed'
  /** The operator's app is in Testing: Google ends each permission after seven days. */
  | 'testing_week'
  /** Nothing was asked of Google for six months. */
  | 'unused'
  /** The permission was given for a limited time. */
  | 'time_limit'
  /** Google keeps 100 tokens for one account and app; a further one ended the oldest. */
  | 'too_many'
  | 'admin_policy'
  | 'account_deleted'
  | 'account_disabled'
  /** The account was disabled for a time; that it is enabled again gave no permission back. */
  | 'was_disabled'
  /** The Workspace domain wants its people to sign in again (`invalid_rapt`). */
  | 'reauth'
  | 'missing_permission'
  /** The Google account has no Gmail mailbox. */
  | 'no_gmail'
  /** Gmail says that the account is suspended, although its permission can be renewed. */
  | 'mailbox_suspended'
  /** Gmail refuses each token (401), although Google has just renewed it. */
  | 'refused'
  /** The permission belongs to another OAuth client than the operator uses now. */
  | 'app_changed'
  /** The operator lost the key that sealed the tokens. */
  | 'key_lost'
  /** Nobody's connection: the company may no longer send as the people of its Workspace domain. */
  | 'delegation_ended'
  /** The Workspace domain has no such account, or it is suspended. */
  | 'no_such_person'
  /** The address is another person's account by now. */
  | 'other_person';

/** What ended a permission, and whether Google said so or it is what fits best. */
export interface Ended {
  readonly reason: EndedReason;
  readonly sure: boolean;
}

/** What we know of a grant that Google refused to renew. */
export interface GrantFacts {
  readonly now: Date;
  readonly grantedAt: Date;
  /** When Google last gave an access token for it: at the consent, or at a refresh since. */
  readonly lastRefreshedAt: Date;
  /** When it ends by itself, where Google said so at the consent. */
  readonly endsAt: Date | null;
  /** How many refresh tokens Google gave us for the same account and client after this one. */
  readonly tokensSince: number;
  /** Whether some grant of the same client, of whatever tenant, lived longer than a week. */
  readonly appOutlivedAWeek: boolean;
  /** How many other mailboxes of this tenant and of the same Workspace domain ended within the last hours. */
  readonly neighboursEnded: number;
}

const day = 86_400_000;
const week = 7 * day;
/** Google says “six months”: as few days as that can be. */
const sixMonths = 181 * day;
/** docs/google.md, 0.6. */
const tokensKept = 100;

/**
 * Says why a refresh was refused for good, from Google's words and from what we know. Pure. Google's standard sentence,
 * “Token has been expired or revoked.”, says nothing; then the first of these that fits is taken:
 *
 * 1. Google's words name it: the account deleted or disabled, signing in again, the administrator.
 * 2. Its time was limited, and is over. Seven days from the start: the app is in Testing.
 * 3. Six months without use: whatever else happened, that alone ended it.
 * 4. A hundred newer tokens of ours for the same account: most likely. (Some may have been dead by then.)
 * 5. It died between two askings, and its seventh day lies between them; no grant of this client ever outlived a week.
 * 6. Another mailbox of the same Workspace domain ended within the last hours: most likely their administrator.
 * 7. Removed, or a changed password: which of the two, Google does not say.
 *
 * @see docs/google.md, section A, for what ends a refresh token and how it is worded
 */
export function whyEnded(failure: GoogleFailure, facts: GrantFacts): Ended {
  const named = namedByGoogle(failure);
  if (named) return { reason: named, sure: true };
  const { now, grantedAt, lastRefreshedAt, endsAt, tokensSince, appOutlivedAWeek, neighboursEnded } = facts;
  if (endsAt && endsAt <= now) {
    const lived = endsAt.getTime() - grantedAt.getTime();
    return { reason: Math.abs(lived - week) < day / 24 ? 'testing_week' : 'time_limit', sure: true };
  }
  if (now.getTime() - lastRefreshedAt.getTime() > sixMonths) return { reason: 'unused', sure: true };
  if (tokensSince >= tokensKept) return { reason: 'too_many', sure: false };
  const seventhDay = grantedAt.getTime() + week;
  if (!appOutlivedAWeek && lastRefreshedAt.getTime() < seventhDay && seventhDay <= now.getTime())
    return { reason: 'testing_week', sure: false };
  if (neighboursEnded > 0) return { reason: 'admin_policy', sure: false };
  return { reason: 'revoked', sure: false };
}

function namedByGoogle(failure: GoogleFailure): EndedReason | null {
  if (failure.kind !== 'answered') return null;
  const words = `${failure.reason} ${failure.message}`;
  if (/invalid_rapt|rapt_required/i.test(words)) return 'reauth';
  if (/account (has been|was|is) deleted/i.test(words)) return 'account_deleted';
  if (/account (has been |was |is )?(disabled|suspended)/i.test(words)) return 'account_disabled';
  if (/admin_policy_enforced|org_internal|account restricted|domain administrator/i.test(words)) return 'admin_policy';
  return null;
}

/** Whether Google's answer to a refresh ends the permission itself, as against our registration or a bad moment. */
export function endsPermission(failure: GoogleFailure): boolean {
  if (failure.kind !== 'answered' || failure.status >= 500 || failure.status === 429) return false;
  return ['invalid_grant', 'admin_policy_enforced', 'org_internal', 'access_denied'].includes(failure.reason);
}
