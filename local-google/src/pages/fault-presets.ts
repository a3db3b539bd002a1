import type { FaultEffect } from '../fault-effects.ts';

/** Every fault that the control page offers: its words, and what it does. Finer ones can be set over HTTP. */
export const FAULT_PRESETS: Readonly<Record<string, { words: string; effect: FaultEffect }>> = {
  'drop-before': { words: 'Connection dropped, unread', effect: { kind: 'drop', when: 'before' } },
  'drop-after': { words: 'Connection dropped after the work', effect: { kind: 'drop', when: 'after' } },
  'drop-middle': { words: 'Connection dropped in mid-answer', effect: { kind: 'drop', when: 'middle' } },
  'reset-before': { words: 'Connection reset, unread', effect: { kind: 'reset', when: 'before' } },
  'reset-after': { words: 'Connection reset after the work', effect: { kind: 'reset', when: 'after' } },
  'hang-before': { words: 'Never answers, nothing done', effect: { kind: 'hang', when: 'before' } },
  'hang-after': { words: 'Never answers, work done', effect: { kind: 'hang', when: 'after' } },
  'slow-real': {
    words: 'Slow: half under 0.8 s, one in a hundred over 8 s',
    effect: { kind: 'slow', ms: { median: 800, p99: 8000 } },
  },
  'slow-fixed': { words: 'Slow: ten seconds each', effect: { kind: 'slow', ms: 10_000 } },
  ...Object.fromEntries(
    ([500, 502, 503, 504] as const).flatMap((status) =>
      (['before', 'after'] as const).map((when) => [
        `${status}-${when}`,
        {
          words: `${status} ${when === 'after' ? 'after' : 'instead of'} the work`,
          effect: { kind: 'serverError', status, when },
        },
      ]),
    ),
  ),
  malformed: { words: '200 with half an answer', effect: { kind: 'malformed', when: 'after', as: 'cut' } },
  'malformed-html': { words: '200 with a web page', effect: { kind: 'malformed', when: 'before', as: 'html' } },
  unauthorized: { words: '401 Invalid Credentials', effect: { kind: 'unauthorized' } },
  ...Object.fromEntries(
    (
      [
        'insufficientPermissions',
        'domainPolicy',
        'accessNotConfigured',
        'dailyLimitExceeded',
        'rateLimitExceeded',
        'userRateLimitExceeded',
      ] as const
    ).map((reason) => [`403-${reason}`, { words: `403 ${reason}`, effect: { kind: 'forbidden', reason } }]),
  ),
  '429-rate': { words: '429 with a retry time', effect: { kind: 'tooMany', limit: 'rate' } },
  '429-sending': { words: '429 sending limit', effect: { kind: 'tooMany', limit: 'sending' } },
  '429-concurrent': { words: '429 too many at the same time', effect: { kind: 'tooMany', limit: 'concurrent' } },
  '429-project': { words: '429 rateLimitExceeded', effect: { kind: 'tooMany', limit: 'rateLimitExceeded' } },
  'no-mailbox': { words: '400 Mail service not enabled', effect: { kind: 'mailNotEnabled' } },
  'invalid-to': { words: '400 Invalid To header', effect: { kind: 'invalidTo' } },
  'not-found': { words: '404 notFound', effect: { kind: 'notFound' } },
  'invalid-grant': {
    words: 'invalid_grant (token endpoint)',
    effect: { kind: 'invalidGrant', description: 'Token has been expired or revoked.' },
  },
  'invalid-client': { words: 'invalid_client (token endpoint)', effect: { kind: 'invalidClient' } },
};

/** The name of a fault's effect as the list shows it. */
export function wordsOf(effect: FaultEffect): string {
  const same = Object.values(FAULT_PRESETS).find((preset) => JSON.stringify(preset.effect) === JSON.stringify(effect));
  return same?.words ?? JSON.stringify(effect);
}
