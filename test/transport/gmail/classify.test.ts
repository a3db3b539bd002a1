import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { GoogleFailure } from '../../../src/google/errors.ts';
import { classifyFailure, retryTime } from '../../../src/transport/gmail/classify.ts';
import type { Outcome } from '../../../src/transport/outcome.ts';
import { propertyRuns } from '../../support/at-length.ts';

const now = new Date('2026-11-21T09:00:00.000Z');
const day = 86_400_000;
const first = { attempts: 1, permitsRefused: 0 };
const inMinutes = (minutes: number) => new Date(now.getTime() + minutes * 60_000);

const said = (status: number, reason: string, message = ''): GoogleFailure => ({
  kind: 'answered',
  ...{ status, reason, message },
});
const slower = 'User-rate limit exceeded.  Retry after 2026-11-21T09:30:00.000Z';

/** Every row of Gmail's refusals (docs/google.md, D), and what it means for a delivery at its first attempt. */
const rows: [what: string, failure: GoogleFailure, expected: Partial<Outcome> & { kind: Outcome['kind'] }][] = [
  ['400 Invalid To header', said(400, 'invalidArgument', 'Invalid To header'), { kind: 'refuse' }],
  ['400 no recipient', said(400, 'badRequest', 'Recipient address required'), { kind: 'refuse' }],
  [
    '400 no mailbox',
    said(400, 'failedPrecondition', 'Mail service not enabled'),
    { kind: 'hold', reason: 'mailbox_needs_reconnect', reconnect: 'no_gmail', until: null },
  ],
  [
    '400 no mailbox, without the old reason',
    said(400, 'FAILED_PRECONDITION', 'Mail service not enabled'),
    { kind: 'hold', reconnect: 'no_gmail' },
  ],
  [
    '400 a precondition without a name',
    said(400, 'failedPrecondition', 'Precondition check failed.'),
    { kind: 'hold', reconnect: 'refused' },
  ],
  ['400 whatever else', said(400, 'invalidArgument', 'Invalid thread_id value'), { kind: 'refuse' }],
  [
    '403 suspended',
    said(403, 'forbidden', 'The user account has been suspended.'),
    { kind: 'hold', reconnect: 'mailbox_suspended' },
  ],
  [
    '403 delegation denied',
    said(403, 'forbidden', 'Delegation denied for office@b.example'),
    { kind: 'hold', reconnect: 'refused' },
  ],
  ['403 whatever else', said(403, 'PERMISSION_DENIED'), { kind: 'hold', reconnect: 'refused' }],
  ['401', said(401, 'authError', 'Invalid Credentials'), { kind: 'retry', newPermit: true, at: now }],
  ['403 scope', said(403, 'insufficientPermissions'), { kind: 'hold', reconnect: 'missing_permission', until: null }],
  [
    '403 scope, ErrorInfo',
    said(403, 'ACCESS_TOKEN_SCOPE_INSUFFICIENT'),
    { kind: 'hold', reconnect: 'missing_permission', reason: 'mailbox_needs_reconnect' },
  ],
  [
    '403 administrator',
    said(403, 'domainPolicy', 'The domain administrators have disabled Gmail apps.'),
    { kind: 'hold', reconnect: 'admin_policy', reason: 'mailbox_needs_reconnect' },
  ],
  ['403 API not enabled', said(403, 'accessNotConfigured'), { kind: 'hold', reason: 'operator', reconnect: null }],
  ['403 API not enabled, ErrorInfo', said(403, 'SERVICE_DISABLED'), { kind: 'hold', reason: 'operator' }],
  ['403 own cap', said(403, 'dailyLimitExceeded', 'Daily Limit Exceeded'), { kind: 'hold', reason: 'operator' }],
  ['403 rate', said(403, 'rateLimitExceeded'), { kind: 'retry', newPermit: false }],
  [
    '403 rate of the project, ErrorInfo',
    said(
      403,
      'RATE_LIMIT_EXCEEDED',
      "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute' of service",
    ),
    { kind: 'hold', reason: 'operator', until: inMinutes(1), reconnect: null },
  ],
  [
    '403 user rate, ErrorInfo',
    said(
      403,
      'RATE_LIMIT_EXCEEDED',
      "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute per user'",
    ),
    { kind: 'retry', slowDown: true },
  ],
  ['403 user rate', said(403, 'userRateLimitExceeded'), { kind: 'retry', newPermit: false }],
  ['403 user rate, with a time', said(403, 'userRateLimitExceeded', slower), { kind: 'retry', at: inMinutes(30) }],
  ['429 rate', said(429, 'rateLimitExceeded', 'Rate Limit Exceeded'), { kind: 'retry', newPermit: false }],
  ['429 with a time', said(429, 'userRateLimitExceeded', slower), { kind: 'retry', at: inMinutes(30) }],
  ['429 without a reason we know', said(429, 'RESOURCE_EXHAUSTED', 'Quota exceeded'), { kind: 'retry' }],
  [
    '429 too many at once',
    said(429, 'rateLimitExceeded', 'Too many concurrent requests for user'),
    { kind: 'retry', newPermit: false },
  ],
  [
    '429 sending limit',
    said(429, 'userRateLimitExceeded', `${slower} (Mail sending)`),
    { kind: 'hold', reason: 'sending_limit', until: inMinutes(30), reconnect: null },
  ],
  [
    '429 sending limit without a time',
    said(429, 'userRateLimitExceeded', 'User-rate limit exceeded. (Mail sending)'),
    { kind: 'hold', reason: 'sending_limit', until: inMinutes(60) },
  ],
  [
    '403 sending limit',
    said(403, 'userRateLimitExceeded', `${slower} (Mail sending)`),
    { kind: 'hold', reason: 'sending_limit', until: inMinutes(30) },
  ],
  ['404', said(404, 'notFound', 'Requested entity was not found.'), { kind: 'refuse' }],
  ['413', said(413, 'uploadTooLarge'), { kind: 'refuse' }],
  ...[500, 502, 503, 504].map((status): (typeof rows)[number] => [
    `${status}`,
    said(status, 'backendError'),
    { kind: 'unknown' },
  ]),
  ['lost', { kind: 'lost', code: 'ECONNRESET', message: '' }, { kind: 'unknown' }],
  ['timed out', { kind: 'lost', code: 'TIMEOUT', message: '' }, { kind: 'unknown' }],
  ['never left', { kind: 'not_sent', code: 'ECONNREFUSED', message: '' }, { kind: 'retry', newPermit: false }],
];

describe('what a failed send means', () => {
  it.each(rows)('%s', (_what, failure, expected) => {
    expect(classifyFailure(failure, first, now)).toMatchObject(expected);
  });

  it('asks for a new token twice and then for a person', () => {
    const unauthorized = said(401, 'authError', 'Invalid Credentials');
    const kind = (permitsRefused: number) => classifyFailure(unauthorized, { attempts: 3, permitsRefused }, now);
    expect(kind(1)).toMatchObject({ kind: 'retry', newPermit: true });
    expect(kind(2)).toMatchObject({ kind: 'hold', reason: 'mailbox_needs_reconnect', reconnect: 'refused' });
  });

  it('does not take a mailbox for cut off because its email had to wait its turn before', () => {
    const unauthorized = said(401, 'authError', 'Invalid Credentials');
    expect(classifyFailure(unauthorized, { attempts: 20, permitsRefused: 0 }, now).kind).toBe('retry');
  });

  it('waits longer each time, from 2 s up to about a minute', () => {
    const waits = [1, 2, 3, 4, 5, 6, 7, 50].map((attempts) => {
      const outcome = classifyFailure(said(429, 'rateLimitExceeded'), { attempts, permitsRefused: 0 }, now);
      return outcome.kind === 'retry' ? (outcome.at.getTime() - now.getTime()) / 1_000 : Number.NaN;
    });
    waits.forEach((seconds, index) => {
      const least = Math.min(64, 2 ** (index + 1));
      expect(seconds).toBeGreaterThanOrEqual(least);
      expect(seconds).toBeLessThanOrEqual(least * 1.25);
    });
  });
});

const anyMessage = fc.oneof(
  fc.string(),
  fc.constantFrom(slower, `${slower} (Mail sending)`, 'Mail service not enabled', 'Invalid To header'),
  fc
    .date({ min: new Date(0), max: new Date('2090-01-01'), noInvalidDate: true })
    .map((date) => `User-rate limit exceeded.  Retry after ${date.toISOString()} (Mail sending)`),
);
const anyReason = fc.oneof(
  fc.string(),
  fc.constantFrom('rateLimitExceeded', 'userRateLimitExceeded', 'insufficientPermissions', 'domainPolicy'),
  fc.constantFrom('dailyLimitExceeded', 'accessNotConfigured', 'authError', 'notFound', 'backendError'),
);
const answered = (status: fc.Arbitrary<number>) =>
  fc.record({ kind: fc.constant('answered' as const), status, reason: anyReason, message: anyMessage });
const lost = fc.record({ kind: fc.constant('lost' as const), code: fc.string(), message: anyMessage });
const anyTried = fc.record({ attempts: fc.integer({ min: 0, max: 5_000 }), permitsRefused: fc.nat(5) });

describe('whatever Google says', () => {
  it('is never tried again, held or refused where Gmail may have taken the email', () => {
    const notARefusal = fc.integer({ min: 100, max: 999 }).filter((status) => status < 400 || status >= 500);
    fc.assert(
      fc.property(fc.oneof(lost, answered(notARefusal)), anyTried, (failure, tried) => {
        expect(classifyFailure(failure, tried, now).kind).toBe('unknown');
      }),
    );
  });

  it('is never tried again in the past, nor later than in a day', () => {
    const any = fc.oneof(lost, answered(fc.integer({ min: 100, max: 599 })));
    fc.assert(
      fc.property(any, anyTried, (failure, tried) => {
        const outcome = classifyFailure(failure, tried, now);
        const at = outcome.kind === 'retry' ? outcome.at : outcome.kind === 'hold' ? outcome.until : null;
        if (at === null) return;
        expect(at.getTime()).toBeGreaterThanOrEqual(now.getTime());
        expect(at.getTime()).toBeLessThanOrEqual(now.getTime() + day);
      }),
      { numRuns: propertyRuns(500) },
    );
  });
});

describe('the time in Gmail’s sentence', () => {
  it('is read, two spaces or one, with or without milliseconds', () => {
    expect(retryTime(slower, now)).toEqual(inMinutes(30));
    expect(retryTime('User-rate limit exceeded. Retry after 2026-11-21T09:30:00Z', now)).toEqual(inMinutes(30));
  });

  it('is a second from now where it has passed, and a day where it is further', () => {
    expect(retryTime('Retry after 2020-01-01T00:00:00.000Z', now)).toEqual(new Date(now.getTime() + 1_000));
    expect(retryTime('Retry after 2030-01-01T00:00:00.000Z', now)).toEqual(new Date(now.getTime() + day));
  });

  it('is none where there is none', () => {
    expect(retryTime('Rate Limit Exceeded', now)).toBeNull();
    expect(retryTime('Retry after 2026-99-99T09:30:00.000Z', now)).toBeNull();
  });
});
