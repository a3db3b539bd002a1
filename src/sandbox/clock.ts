/** Six months, as Google counts them when it ends an unused refresh token. */
export const SIX_MONTHS_MS = 183 * 24 * 60 * 60 * 1000;

/**
 * The clock of one Local Google: the given time plus what it was moved forward. Everything that expires, resets or lags
 * here asks this clock, so that half a year passes in a millisecond. It never goes back.
 */
export class Clock {
  #base: () => number;
  #aheadMs: number;
  #moved: () => void;

  constructor(base: () => number, aheadMs: number, moved: () => void) {
    this.#base = base;
    this.#aheadMs = aheadMs;
    this.#moved = moved;
  }

  /** Unix milliseconds here and now. */
  now = (): number => this.#base() + this.#aheadMs;

  /** How far it is ahead of the time it was given, milliseconds. */
  get aheadMs(): number {
    return this.#aheadMs;
  }

  /** Moves it on by that many milliseconds and answers the new time. Throws a RangeError for anything but forward. */
  forward(ms: number): number {
    if (!Number.isFinite(ms) || ms < 0)
      throw new RangeError(`The clock only moves forward, and ${ms} ms is not forward`);
    this.#aheadMs += Math.round(ms);
    this.#moved();
    return this.now();
  }
}
