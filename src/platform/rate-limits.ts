import { createHash } from 'node:crypto';
import type pg from 'pg';
import { RateLimiterPostgres, RateLimiterRes } from 'rate-limiter-flexible';

/** So many of something within so long, counted from the first. */
export interface RateLimit {
  /** What is counted; each name counts apart. */
  readonly name: string;
  readonly points: number;
  readonly seconds: number;
}

/** Counts what somebody does, over all processes. */
export interface RateLimits {
  /**
   * Takes points of a limit.
   *
   * @param subject whose they are: an address, a person, a company
   * @param points how many
   * @returns null where they were to be had, else for how many milliseconds they are not
   */
  take(limit: RateLimit, subject: string, points?: number): Promise<number | null>;
}

/** Counts nothing and refuses nothing. */
export const noRateLimits: RateLimits = { take: async () => null };

/**
 * Counts in the table `rate_limits`. Subjects are stored as hashes: a network address is personal data. Whoever is over a
 * limit is refused from memory from then on, so that a flood costs no queries.
 *
 * @param pool the app's
 */
export function createRateLimits(pool: pg.Pool): RateLimits {
  const limiters = new Map<string, RateLimiterPostgres>();
  const limiterOf = ({ name, points, seconds }: RateLimit) => {
    const known = limiters.get(name);
    if (known) return known;
    const made = new RateLimiterPostgres({
      ...{ storeClient: pool, storeType: 'pool', tableName: 'rate_limits', tableCreated: true },
      // Housekeeping takes away what is over.
      ...{
        clearExpiredByTimeout: false,
        keyPrefix: name,
        points,
        duration: seconds,
        inMemoryBlockOnConsumed: points + 1,
      },
    });
    limiters.set(name, made);
    return made;
  };
  return {
    async take(limit, subject, points = 1) {
      const key = createHash('sha256').update(subject).digest('base64url').slice(0, 24);
      try {
        await limiterOf(limit).consume(key, points);
        return null;
      } catch (refusal) {
        if (!(refusal instanceof RateLimiterRes)) throw refusal;
        return Math.max(refusal.msBeforeNext, 1_000);
      }
    },
  };
}
