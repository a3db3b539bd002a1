import { describe, expect, it } from 'vitest';
import type { GoogleService } from '../../src/google/app.ts';
import type { GoogleFailure } from '../../src/google/errors.ts';
import { type OperatorTrouble, operatorTroubleOf } from '../../src/google/operator-trouble.ts';

const said = (status: number, reason: string, message = ''): GoogleFailure => ({
  ...{ kind: 'answered', status, reason, message },
});
const slower = 'User-rate limit exceeded.  Retry after 2026-11-21T09:30:00.000Z';
const quota = (limit: string) =>
  `Quota exceeded for quota metric 'Queries' and limit '${limit}' of service 'gmail.googleapis.com'.`;

describe('the operator’s trouble', () => {
  it.each<[GoogleService, GoogleFailure, OperatorTrouble, boolean]>([
    ['oauth', said(401, 'invalid_client', 'The provided client secret is invalid.'), 'client_refused', true],
    ['oauth', said(401, 'deleted_client', 'The OAuth client was deleted.'), 'client_refused', true],
    ['oauth', said(401, 'unauthorized_client', 'Unauthorized'), 'client_refused', true],
    [
      'gmail',
      said(403, 'accessNotConfigured', 'Gmail API has not been used in project 1 before'),
      'api_disabled',
      true,
    ],
    ['gmail', said(403, 'SERVICE_DISABLED'), 'api_disabled', true],
    ['gmail', said(403, 'dailyLimitExceeded', 'Daily Limit Exceeded'), 'daily_cap', true],
    ['gmail', said(429, 'RATE_LIMIT_EXCEEDED', quota('Queries per day')), 'daily_cap', true],
    ['gmail', said(403, 'RATE_LIMIT_EXCEEDED', quota('Queries per minute')), 'project_quota', true],
    // Of the project, most likely, but these words are said of one account, too.
    ['gmail', said(403, 'rateLimitExceeded', 'Rate Limit Exceeded'), 'project_quota', false],
    ['gmail', said(429, 'rateLimitExceeded', 'Rate Limit Exceeded'), 'project_quota', false],
  ])('%s %o: %s', (service, failure, kind, sure) => {
    expect(operatorTroubleOf(service, failure)).toEqual({ kind, sure });
  });

  it.each<[GoogleService, GoogleFailure]>([
    ['oauth', said(400, 'invalid_grant', 'Token has been expired or revoked.')],
    ['oauth', said(400, 'invalid_request')],
    ['oauth', said(503, 'http_503')],
    ['gmail', said(401, 'authError', 'Invalid Credentials')],
    ['gmail', said(403, 'insufficientPermissions')],
    ['gmail', said(403, 'domainPolicy', 'The domain administrators have disabled Gmail apps.')],
    ['gmail', said(403, 'userRateLimitExceeded', 'User Rate Limit Exceeded')],
    ['gmail', said(403, 'RATE_LIMIT_EXCEEDED', quota('Queries per minute per user'))],
    ['gmail', said(429, 'userRateLimitExceeded', slower)],
    ['gmail', said(429, 'rateLimitExceeded', slower)],
    ['gmail', said(429, 'rateLimitExceeded', 'Too many concurrent requests for user')],
    ['gmail', said(500, 'rateLimitExceeded', 'Rate Limit Exceeded')],
    ['gmail', said(400, 'invalid_client')],
    ['oauth', { kind: 'lost', code: 'invalid_client', message: '' }],
    ['gmail', { kind: 'not_sent', code: 'accessNotConfigured', message: '' }],
  ])('%s %o is none', (service, failure) => {
    expect(operatorTroubleOf(service, failure)).toBeNull();
  });
});
