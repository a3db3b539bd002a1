import { z } from 'zod';

const when = z.enum(['before', 'after']);
const ms = z.number().min(0).max(600_000);

/**
 * How long a slow call waits before its work, milliseconds: always the same, anything between two bounds, or as real
 * services are: half of them up to `median`, one in a hundred beyond `p99`.
 */
const latency = z.union([
  ms,
  z.object({ min: ms, max: ms }).refine(({ min, max }) => min <= max, 'min is more than max'),
  z
    .object({ median: ms.min(0.001), p99: ms })
    .refine(({ median, p99 }) => median <= p99, 'the median is more than the 99th percentile'),
]);

/** What a fault does to a call. `after` means: the work was done, and only the answer goes wrong. */
export const faultEffect = z.discriminatedUnion('kind', [
  /** `before`: cut unread. `after`: cut unanswered. `middle`: the work is done, and the answer is cut in its middle. */
  z.object({ kind: z.literal('drop'), when: z.enum(['before', 'after', 'middle']) }),
  /** A TCP reset, as when a TLS session breaks. */
  z.object({ kind: z.literal('reset'), when }),
  z.object({ kind: z.literal('hang'), when }),
  z.object({ kind: z.literal('slow'), ms: latency }),
  z.object({
    kind: z.literal('serverError'),
    status: z.union([z.literal(500), z.literal(502), z.literal(503), z.literal(504)]),
    when,
  }),
  /** 200 with an answer that is no JSON: cut short, or a proxy's page. */
  z.object({ kind: z.literal('malformed'), when, as: z.enum(['cut', 'html']).default('cut') }),
  z.object({ kind: z.literal('unauthorized') }),
  z.object({
    kind: z.literal('forbidden'),
    reason: z.enum([
      'insufficientPermissions',
      'domainPolicy',
      'accessNotConfigured',
      'dailyLimitExceeded',
      'rateLimitExceeded',
      'userRateLimitExceeded',
    ]),
  }),
  z.object({
    kind: z.literal('tooMany'),
    limit: z.enum(['rate', 'sending', 'concurrent', 'rateLimitExceeded']),
    /** ISO time named in the message of `rate` and `sending`; left out, a minute or a day from now. */
    retryAt: z.iso.datetime().optional(),
  }),
  z.object({ kind: z.literal('mailNotEnabled') }),
  /** A recipient that Gmail does not accept. */
  z.object({ kind: z.literal('invalidTo') }),
  z.object({ kind: z.literal('notFound') }),
  z.object({ kind: z.literal('invalidGrant'), description: z.string().default('Token has been expired or revoked.') }),
  z.object({ kind: z.literal('invalidClient') }),
]);

export type FaultEffect = z.output<typeof faultEffect>;
export type Latency = z.output<typeof latency>;

/** One waiting time of a latency; `random` gives numbers from 0 up to 1. */
export function drawLatency(wanted: Latency, random: () => number): number {
  if (typeof wanted === 'number') return wanted;
  if ('min' in wanted) return wanted.min + random() * (wanted.max - wanted.min);
  // Log-normal: 2.326 standard deviations lie between the median and the 99th percentile.
  const sigma = Math.log(wanted.p99 / wanted.median) / 2.326;
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Math.min(wanted.median * Math.exp(sigma * normal), 600_000);
}

/** Seeded random numbers from 0 up to 1 (mulberry32): the same seed gives the same faults. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
