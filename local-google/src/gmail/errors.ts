import type { Answer } from '../answers.ts';
import type { FaultEffect } from '../faults.ts';

/** A Google API error body (docs/google.md, D): `errors[0].reason`, then `details[].reason`, then `status`. */
interface ErrorShape {
  code: number;
  status?: string;
  reason: string;
  message: string;
  /** `errors[0].message` where Google words it differently. */
  inner?: string;
  domain?: string;
  location?: { location: string; locationType: string };
  details?: readonly Record<string, unknown>[];
}

/** A Google error as an answer. */
export function googleError(shape: ErrorShape): Answer {
  const { code, status, reason, message, inner = message, domain = 'global', location, details } = shape;
  return {
    status: code,
    body: {
      error: {
        code,
        message,
        errors: [{ message: inner, domain, reason, ...location }],
        ...(status ? { status } : {}),
        ...(details ? { details } : {}),
      },
    },
  };
}

const AUTHORIZATION = { location: 'Authorization', locationType: 'header' };
const EXPECTED =
  'Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.';

/** No bearer token at all. */
export function loginRequired(): Answer {
  return googleError({
    code: 401,
    status: 'UNAUTHENTICATED',
    reason: 'required',
    message: `Request is missing required authentication credential. ${EXPECTED}`,
    inner: 'Login Required.',
    location: AUTHORIZATION,
  });
}

/** An unknown, expired or revoked access token. */
export function invalidCredentials(): Answer {
  return googleError({
    code: 401,
    status: 'UNAUTHENTICATED',
    reason: 'authError',
    message: `Request had invalid authentication credentials. ${EXPECTED}`,
    inner: 'Invalid Credentials',
    location: AUTHORIZATION,
  });
}

/** The token lacks every scope that the method takes. */
export function insufficientScope(rpc: string): Answer {
  return googleError({
    code: 403,
    status: 'PERMISSION_DENIED',
    reason: 'insufficientPermissions',
    message: 'Request had insufficient authentication scopes.',
    inner: 'Insufficient Permission',
    details: [
      {
        '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
        reason: 'ACCESS_TOKEN_SCOPE_INSUFFICIENT',
        domain: 'googleapis.com',
        metadata: { service: 'gmail.googleapis.com', method: rpc },
      },
    ],
  });
}

/** Refused for who or what asks, in Google's words. */
export function forbidden(reason: string, message: string, domain = 'global'): Answer {
  return googleError({ code: 403, status: 'PERMISSION_DENIED', reason, message, domain });
}

/** A request that can never succeed, such as `Invalid To header`. */
export function invalidArgument(message: string): Answer {
  return googleError({ code: 400, status: 'INVALID_ARGUMENT', reason: 'invalidArgument', message });
}

/** The account has no Gmail mailbox. */
export function mailNotEnabled(): Answer {
  return googleError({
    code: 400,
    status: 'FAILED_PRECONDITION',
    reason: 'failedPrecondition',
    message: 'Mail service not enabled',
  });
}

export function notFound(): Answer {
  return googleError({
    code: 404,
    status: 'NOT_FOUND',
    reason: 'notFound',
    message: 'Requested entity was not found.',
  });
}

/** A body over `limit` bytes. */
export function tooLarge(limit: number): Answer {
  return googleError({
    code: 413,
    reason: 'uploadTooLarge',
    message: `Request payload size exceeds the limit: ${limit} bytes.`,
  });
}

/** 5xx of the backend; for a send its outcome is unknown to the caller. */
export function backendError(status: 500 | 502 | 503 | 504): Answer {
  const words = {
    500: ['INTERNAL', 'Internal error encountered.'],
    502: ['UNAVAILABLE', 'Bad Gateway'],
    503: ['UNAVAILABLE', 'The service is currently unavailable.'],
    504: ['DEADLINE_EXCEEDED', 'Deadline expired before operation could complete.'],
  } as const;
  const [name, message] = words[status];
  return googleError({ code: status, status: name, reason: 'backendError', message });
}

/** The 403 that a fault asks for. `rpc` names the method inside the scope refusal. */
export function forbiddenFor(reason: Extract<FaultEffect, { kind: 'forbidden' }>['reason'], rpc: string): Answer {
  switch (reason) {
    case 'insufficientPermissions':
      return insufficientScope(rpc);
    case 'domainPolicy':
      return forbidden(reason, 'The domain administrators have disabled Gmail apps.');
    case 'accessNotConfigured':
      return forbidden(
        reason,
        'Gmail API has not been used in project 000000000000 before or it is disabled. Enable it, then retry.',
        'usageLimits',
      );
    case 'dailyLimitExceeded':
      return forbidden(reason, 'Daily Limit Exceeded', 'usageLimits');
    case 'rateLimitExceeded':
      return forbidden(reason, 'Rate Limit Exceeded', 'usageLimits');
    case 'userRateLimitExceeded':
      return forbidden(reason, 'User Rate Limit Exceeded', 'usageLimits');
    default:
      return reason satisfies never;
  }
}

/** The 429 that a fault asks for: the retry time is in the message, after two spaces, and in no header. */
export function tooMany(effect: Extract<FaultEffect, { kind: 'tooMany' }>, now: number): Answer {
  const refuse = (reason: string, message: string) =>
    googleError({ code: 429, status: 'RESOURCE_EXHAUSTED', reason, message, domain: 'usageLimits' });
  const after = (ms: number) => effect.retryAt ?? new Date(now + ms).toISOString();
  switch (effect.limit) {
    case 'rate':
      return refuse('userRateLimitExceeded', `User-rate limit exceeded.  Retry after ${after(60_000)}`);
    case 'sending':
      return refuse(
        'userRateLimitExceeded',
        `User-rate limit exceeded.  Retry after ${after(86_400_000)} (Mail sending)`,
      );
    case 'concurrent':
      return refuse('rateLimitExceeded', 'Too many concurrent requests for user');
    case 'rateLimitExceeded':
      return refuse('rateLimitExceeded', 'Rate Limit Exceeded');
    default:
      return effect.limit satisfies never;
  }
}

/**
 * A spent quota without a time to retry at: of the user, the project, or the operator's own cap for the day. `details`:
 * as newer backends word it, with no `errors` list and the reason in an ErrorInfo (docs/google.md, D: the reading order).
 */
export function quotaExceeded(whose: 'user' | 'project' | 'day', form: '403' | '429' | 'details'): Answer {
  if (whose === 'day') return forbiddenFor('dailyLimitExceeded', '');
  const reason = whose === 'user' ? 'userRateLimitExceeded' : 'rateLimitExceeded';
  const message = whose === 'user' ? 'User Rate Limit Exceeded' : 'Rate Limit Exceeded';
  switch (form) {
    case '403':
      return forbidden(reason, message, 'usageLimits');
    case '429':
      return googleError({ code: 429, status: 'RESOURCE_EXHAUSTED', reason, message, domain: 'usageLimits' });
    case 'details': {
      const name = whose === 'user' ? 'Queries per minute per user' : 'Queries per minute';
      const words = `Quota exceeded for quota metric 'Queries' and limit '${name}' of service 'gmail.googleapis.com'.`;
      const info = {
        '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
        reason: 'RATE_LIMIT_EXCEEDED',
        domain: 'googleapis.com',
        metadata: { service: 'gmail.googleapis.com', quota_metric: 'gmail.googleapis.com/default' },
      };
      return {
        status: 403,
        body: { error: { code: 403, message: words, status: 'PERMISSION_DENIED', details: [info] } },
      };
    }
    default:
      return form satisfies never;
  }
}
