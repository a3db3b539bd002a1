/**
 * How fast may we send? Pure arithmetic over what is known of a Google account. Rates are paid for in advance, as in
 * the generic cell rate algorithm: `paidUntil` is the moment up to which the rate is used up, and running ahead of the
 * present is allowed by a small burst. So one timestamp per account is all that processes share.
 */

/** The limits that we keep, so that Google need not enforce them. */
export interface Pace {
  /** Per Google account and minute; null: not paced (for benchmarks). Google: 6,000 for projects since May 2026, 15,000 before. */
  readonly unitsPerMinute: number | null;
  /** Per minute over all accounts; null: not paced. Google: 1,200,000. */
  readonly projectUnitsPerMinute: number | null;
  /** Messages of one account in flight at once; null: as many as there are. Google answers 429 somewhere above 5. */
  readonly inFlight: number | null;
}

/** At most so many of an account are handed out and not finished: the queue stays short however long the backlog. */
const mostAhead = 200;

/** This share of a minute's rate may go out at once; the rest is spread, so that no minute at all holds more than it may. */
const burst = 0.1;

/**
 * This share of what Google allows is planned. The rest is for what cannot be: a request leaves a moment after it was
 * released, sooner or later than its neighbours; pages ask Gmail, too; a second try needs a look first.
 */
const planned = 0.9;

/**
 * So far ahead of the present a look into Gmail may use up the rate: a burst further than a send, within what is not
 * planned. So looks go before sends.
 */
export const lookAheadMs = 2 * burst * 60_000;

/**
 * How many requests of `cost` units the rate allows right now.
 *
 * @param paidUntil up to when the rate is used
 * @param perMinute units; null for any number
 */
export function allowedNow(paidUntil: Date, perMinute: number | null, cost: number, now: Date): number {
  if (perMinute === null) return Number.POSITIVE_INFINITY;
  const used = usedUntil(paidUntil, now);
  const room = now.getTime() + burst * 60_000 - used;
  // One may always start from rest, even where the burst is smaller than its cost.
  if (used <= now.getTime()) return Math.max(1, Math.floor(room / spacing(perMinute, cost)));
  return Math.max(0, Math.floor(room / spacing(perMinute, cost)));
}

/** `paidUntil` after `count` more requests of `cost` units. */
export function payFor(paidUntil: Date, perMinute: number | null, cost: number, count: number, now: Date): Date {
  if (perMinute === null) return paidUntil;
  return new Date(usedUntil(paidUntil, now) + priceMs(perMinute, cost * count));
}

/** No rate is used up further ahead than this: what says so was written by a clock that has been put back since. */
const furthestMs = 600_000;

function usedUntil(paidUntil: Date, now: Date): number {
  const ahead = paidUntil.getTime() - now.getTime();
  return ahead > furthestMs ? now.getTime() : now.getTime() + Math.max(0, ahead);
}

/** For how long so many units use up the rate, in milliseconds. */
export function priceMs(perMinute: number | null, unitsSpent: number): number {
  return perMinute === null ? 0 : spacing(perMinute, unitsSpent);
}

/** Milliseconds between two requests at the planned rate, less what the burst may take of each minute. */
function spacing(perMinute: number, cost: number): number {
  return (60_000 * (1 + burst) * cost) / (perMinute * planned);
}

/** Why an account stands still. `trouble`: Gmail's answers get lost, and one delivery at a time tries it. */
export type BlockReason = 'rate' | 'sending_limit' | 'trouble';

/** What the pacer knows of an account that has deliveries waiting. */
export interface AccountFacts {
  readonly paidUntil: Date;
  readonly blockedUntil: Date | null;
  readonly blockedReason: BlockReason | null;
  /** Handed out and not finished. */
  readonly underWay: number;
  /** Sent in the last 24 h, by every tenant that uses the account. */
  readonly sentToday: number;
  readonly dailyLimit: number;
}

/** How many deliveries of an account may be handed out now. */
export function roomFor(facts: AccountFacts, pace: Pace, cost: number, now: Date): number {
  const { blockedUntil, blockedReason, underWay, sentToday, dailyLimit } = facts;
  if (blockedUntil && blockedUntil > now) return 0;
  const room = Math.min(
    allowedNow(facts.paidUntil, pace.unitsPerMinute, cost, now),
    aheadOf(pace, cost) - underWay,
    dailyLimit - sentToday - underWay,
  );
  // One that tries whether the trouble is over.
  if (blockedReason === 'trouble') return underWay === 0 ? Math.min(1, Math.max(0, room)) : 0;
  return Math.max(0, room);
}

/**
 * How many of an account may be handed out and not finished. Where a rate is kept, no more than can be in flight and
 * what two seconds bring: should they lie (a worker died, Gmail hangs), they all leave at once afterwards, and that must
 * not exceed the rate by much.
 */
function aheadOf({ unitsPerMinute, inFlight }: Pace, cost: number): number {
  if (unitsPerMinute === null) return mostAhead;
  const twoSeconds = Math.ceil((unitsPerMinute * planned) / cost / 30);
  return Math.min(mostAhead, Math.max(2 * (inFlight ?? 5), twoSeconds));
}

/** Whether more could follow as soon as some are finished, rather than when the rate lets them. */
export function isFull(
  { underWay }: Pick<AccountFacts, 'underWay'>,
  pace: Pace,
  cost: number,
  handedOut: number,
): boolean {
  return aheadOf(pace, cost) === mostAhead && underWay + handedOut >= mostAhead;
}

/** What of some more deliveries goes out when. */
export interface Forecast {
  /** Within the budget of the 24 hours up to now. */
  readonly soon: number;
  /** Only when earlier ones are a day old. */
  readonly later: number;
  /** How long the first part takes at the account's rate, in milliseconds. */
  readonly takesMs: number;
  /** After how many full days the last of them leaves: 0 within the budget of now. */
  readonly days: number;
}

/** Foretells how `count` more deliveries of an account leave. */
export function forecast(
  facts: Pick<AccountFacts, 'sentToday' | 'dailyLimit'> & { readonly waiting: number },
  pace: Pace,
  cost: number,
  count: number,
): Forecast {
  const left = Math.max(0, facts.dailyLimit - facts.sentToday - facts.waiting);
  const soon = Math.min(count, left);
  const takesMs =
    pace.unitsPerMinute === null ? 0 : Math.ceil((facts.waiting + soon) * spacing(pace.unitsPerMinute, cost));
  const before = facts.sentToday + facts.waiting + count - 1;
  return { soon, later: count - soon, takesMs, days: Math.max(0, Math.floor(before / facts.dailyLimit)) };
}

/** Unknown outcomes in a row after which an account is held. */
export const unknownsBeforeTrouble = 3;

/** So many accounts at once are refused for a rate that Google calls nobody's before it is taken for the whole project's. */
export const accountsBeforeProject = 3;

/** How long until the next probe: 30 s, doubled with each that brought nothing, up to 10 minutes. */
export function probeAfterMs(unknownInARow: number): number {
  return Math.min(600_000, 30_000 * 2 ** Math.max(0, Math.min(8, unknownInARow - unknownsBeforeTrouble)));
}

/** Whether so many unknown outcomes among all of a minute say that Google itself is in trouble: 20 %, of at least 20. */
export function isOutage({ unknown, all }: { readonly unknown: number; readonly all: number }): boolean {
  return all >= 20 && unknown / all >= 0.2;
}
