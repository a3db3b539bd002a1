import type { GoogleService } from './app.ts';
import type { GoogleFailure } from './errors.ts';

/** What ails our own registration with Google: nobody but whoever runs Letterhead can end it. */
export type OperatorTrouble =
  /** Google refuses our OAuth client: its secret is wrong, or it was deleted. */
  | 'client_refused'
  /** The Gmail API is not enabled in our project, or was switched off. */
  | 'api_disabled'
  /** The cap for a day that the operator has set is reached. */
  | 'daily_cap'
  /** All mailboxes together ask more of Google in a minute than our project may. */
  | 'project_quota';

/** Trouble, and whether Google's words leave no doubt that it is the project's and not one account's. */
export interface HeardTrouble {
  readonly kind: OperatorTrouble;
  readonly sure: boolean;
}

/**
 * Recognises what is the operator's trouble and no tenant's. Pure; null for everything else.
 *
 * @see docs/google.md, A (errors at the token endpoint) and D (the Gmail API's)
 */
export function operatorTroubleOf(service: GoogleService, failure: GoogleFailure): HeardTrouble | null {
  if (failure.kind !== 'answered') return null;
  const { status, reason, message } = failure;
  if (service === 'oauth') {
    const refused = ['invalid_client', 'unauthorized_client', 'deleted_client'].includes(reason);
    return refused ? { kind: 'client_refused', sure: true } : null;
  }
  if (status !== 403 && status !== 429) return null;
  switch (reason) {
    case 'accessNotConfigured':
    case 'SERVICE_DISABLED':
      return { kind: 'api_disabled', sure: true };
    case 'dailyLimitExceeded':
      return { kind: 'daily_cap', sure: true };
    case 'rateLimitExceeded':
    case 'RATE_LIMIT_EXCEEDED':
      return limitOf(message);
    default:
      return null;
  }
}

/** `rateLimitExceeded` is said of the project, of one account, and of many requests at once: the words tell. */
function limitOf(message: string): HeardTrouble | null {
  if (/\buser\b|retry after/i.test(message)) return null;
  if (/\bper day\b/i.test(message)) return { kind: 'daily_cap', sure: true };
  return { kind: 'project_quota', sure: /\bper minute\b/i.test(message) };
}

/** What to tell the operator. */
export const operatorWords: Readonly<Record<OperatorTrouble, { readonly what: string; readonly fix: string }>> = {
  client_refused: {
    what: 'Google refuses this OAuth client: no token can be renewed, nobody can connect or sign in.',
    fix: 'Compare GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET with Google Cloud console → APIs & Services → Credentials. A deleted client can be restored there for 30 days; with a new one every mailbox must be connected again.',
  },
  api_disabled: {
    what: 'The Gmail API is not enabled in the project of this OAuth client: nothing can be sent.',
    fix: 'Google Cloud console → APIs & Services → Library → Gmail API → Enable. It takes effect within a few minutes.',
  },
  daily_cap: {
    what: 'The daily cap of the Gmail API that is set for this project is reached: nothing more is sent today.',
    fix: 'Google Cloud console → APIs & Services → Gmail API → Quotas: raise “Queries per day”, or wait until midnight Pacific time.',
  },
  project_quota: {
    what: 'All mailboxes together asked more of the Gmail API in a minute than Google allows this project.',
    fix: 'Nothing needs to be done when it is rare: Letterhead tries again. If it comes back, ask for more in Google Cloud console → APIs & Services → Gmail API → Quotas, and see whether other programs use the same project.',
  },
};
