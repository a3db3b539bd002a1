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
  #waiting = new Set<Waiting>();

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

  /** In how many milliseconds the next comes of what waits for this time; null where nothing does. */
  get untilNext(): number | null {
    const next = Math.min(...[...this.#waiting].map(({ at }) => at));
    return Number.isFinite(next) ? Math.max(0, next - this.now()) : null;
  }

  /** Moves it on by that many milliseconds and answers the new time. Throws a RangeError for anything but forward. */
  forward(ms: number): number {
    if (!Number.isFinite(ms) || ms < 0)
      throw new RangeError(`The clock only moves forward, and ${ms} ms is not forward`);
    this.#aheadMs += Math.round(ms);
    this.#moved();
    const now = this.now();
    const due = [...this.#waiting].filter(({ at }) => at <= now).sort((a, b) => a.at - b.at);
    for (const each of due) this.#do(each);
    return now;
  }

  /**
   * Does something once when so much of this time has passed: by itself, or at once when the clock is moved so far. For
   * the timers of a product that lives in this time. Keeps no process alive.
   *
   * @returns forgets it
   */
  after = (ms: number, work: () => void): (() => void) => {
    const each: Waiting = { at: this.now() + ms, work, timer: undefined, early: 0 };
    this.#waiting.add(each);
    this.#wait(each);
    return () => this.#forget(each);
  };

  #wait(each: Waiting): void {
    const left = each.at - this.now();
    if (left <= 0 && each.timer !== undefined) {
      this.#do(each);
      return;
    }
    // A clock that stands, and is moved by hand, is not asked a thousand times a second about its last millisecond.
    const ms = Math.max(left, Math.min(2 ** each.early, SELDOM_MS));
    each.early += 1;
    each.timer = setTimeout(() => this.#wait(each), Math.min(ms, LONGEST_TIMER_MS)).unref();
  }

  #do(each: Waiting): void {
    if (this.#forget(each)) each.work();
  }

  #forget(each: Waiting): boolean {
    clearTimeout(each.timer);
    return this.#waiting.delete(each);
  }
}

/** Something that waits for a moment of the clock. */
interface Waiting {
  readonly at: number;
  readonly work: () => void;
  timer: NodeJS.Timeout | undefined;
  /** How often it was too early so far. */
  early: number;
}

/** So seldom is looked whether a moment has come that was to come long ago. */
const SELDOM_MS = 1_000;

/** Node fires timers of 2³¹ milliseconds and more at once. */
const LONGEST_TIMER_MS = 2_147_483_647;
