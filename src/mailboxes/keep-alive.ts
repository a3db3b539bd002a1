import type { Logger } from 'pino';
import { GoogleError } from '../google/errors.ts';
import { operatorTroubleOf } from '../google/operator-trouble.ts';
import { KeyRingError } from '../platform/key-ring.ts';
import type { GrantPlace } from '../tenants/system.ts';
import { findEndedGrants, findGrantsOfOthers, findUnusedGrants } from '../tenants/system-upkeep.ts';
import { type AccessTokens, MailboxUnusableError, type TokenContext } from './access-token.ts';
import { recheckMailbox } from './recheck.ts';

/** What the sweeps need. */
export interface KeepAliveContext extends TokenContext {
  readonly tokens: AccessTokens;
  readonly log: Logger;
}

const day = 86_400_000;
/** Google ends what was not used for six months; with a week there are 25 chances. */
const unusedMs = 7 * day;
/** For so long after its end a connection is looked at again, once a day: the end may have been a mistake of Google's. */
const hopeMs = 30 * day;
const pageSize = 100;
const atOnce = 4;

/**
 * Renews what was not used for a week, so that it never comes to six months, and so that one that has ended is noticed
 * before somebody needs it. Any number of processes may do it at the same time: what one has renewed is fresh for the
 * others.
 *
 * @returns how many were renewed
 */
export async function renewUnused(ctx: KeepAliveContext): Promise<number> {
  const usedBefore = new Date(ctx.clock().getTime() - unusedMs);
  return sweep(
    ctx,
    (after) => findUnusedGrants(ctx.system, usedBefore, after, pageSize),
    async ({ tenantId, mailboxId }) => {
      await ctx.tokens.of(tenantId, mailboxId);
      return true;
    },
  );
}

/**
 * Looks once a day whether what has ended works after all, for a month; and at once where it had ended because its
 * client was not ours and that is so no longer.
 *
 * @returns how many work again
 */
export async function recheckEnded(ctx: KeepAliveContext): Promise<number> {
  const now = ctx.clock();
  const times = { now, since: new Date(now.getTime() - hopeMs), everyMs: day };
  return sweep(
    ctx,
    (after) => findEndedGrants(ctx.system, clientOf(ctx), times, after, pageSize),
    async ({ tenantId, mailboxId }) => (await recheckMailbox(ctx, tenantId, mailboxId, 'token')) === 'works',
  );
}

/**
 * Marks mailboxes whose permission belongs to another OAuth client than the operator uses now, before somebody runs into
 * it. Those that are younger than this process are of a newer configuration, and left alone.
 *
 * @param startedAt when this process did
 */
export async function markOfOthers(ctx: KeepAliveContext, startedAt: Date): Promise<number> {
  return sweep(
    ctx,
    (after) => findGrantsOfOthers(ctx.system, clientOf(ctx), startedAt, after, pageSize),
    async ({ tenantId, mailboxId }) => {
      await ctx.tokens.of(tenantId, mailboxId);
      return false;
    },
  );
}

function clientOf({ google }: KeepAliveContext) {
  return { issuer: google.endpoints.issuer, clientId: google.clientId };
}

/** Goes through all pages, a few at a time. Google's refusal of ourselves ends it: asking on would change nothing. */
async function sweep(
  ctx: KeepAliveContext,
  find: (after: string | null) => Promise<GrantPlace[]>,
  work: (place: GrantPlace) => Promise<boolean>,
): Promise<number> {
  let done = 0;
  let after: string | null = null;
  do {
    const page: GrantPlace[] = await find(after);
    for (let start = 0; start < page.length; start += atOnce) {
      const outcomes = await Promise.all(page.slice(start, start + atOnce).map((place) => attempt(ctx, place, work)));
      done += outcomes.filter((outcome) => outcome === true).length;
      if (outcomes.includes('give_up')) return done;
    }
    after = page.at(-1)?.mailboxId ?? null;
  } while (after !== null);
  return done;
}

async function attempt(
  { log }: KeepAliveContext,
  place: GrantPlace,
  work: (place: GrantPlace) => Promise<boolean>,
): Promise<boolean | 'give_up'> {
  try {
    return await work(place);
  } catch (error) {
    if (error instanceof MailboxUnusableError) return false;
    if (error instanceof GoogleError && operatorTroubleOf('oauth', error.failure)) return 'give_up';
    const known = error instanceof GoogleError || error instanceof KeyRingError;
    log[known ? 'warn' : 'error']({ err: error, ...place }, 'a connection could not be kept alive');
    return false;
  }
}
