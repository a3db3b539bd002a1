/**
 * Tells the time, and when some of it has passed. Everything the product waits for (retries, holds, deadlines, the age
 * of tokens and lists, how often something is looked at) asks the clock it was given and never `Date` or a timer of
 * Node's, so that a test moves it on together with Local Google's. So are times that somebody reads beside others. What a
 * row merely records (a tenant's or a record's `created_at`) is written by PostgreSQL.
 */
export interface Clock {
  /** What time it is. */
  (): Date;
  /**
   * Does something once, when so many of its milliseconds have passed. Keeps no process alive.
   *
   * @returns forgets it
   */
  after(ms: number, work: () => void): () => void;
}

/** The time of this machine. */
export const systemClock: Clock = Object.assign(() => new Date(), { after: timer });

/**
 * A clock that runs so many times as fast since a moment, for tests of failure in several processes: deadlines, settle
 * times, retries, holds and probes all come sooner, and every process that is told the same agrees.
 */
export interface TimeScale {
  /** How many of its milliseconds pass in one of the machine's. */
  readonly speed: number;
  /** When both showed the same. */
  readonly since: Date;
}

/** The clock of a {@link TimeScale}. */
export function scaledClock({ speed, since }: TimeScale): Clock {
  const start = since.getTime();
  return Object.assign(() => new Date(start + (Date.now() - start) * speed), {
    after: (ms: number, work: () => void) => timer(ms / speed, work),
  });
}

/** Reads `20@2026-11-21T09:00:00.000Z`; undefined where it is nothing like that. */
export function parseTimeScale(text: string): TimeScale | undefined {
  const [, speed = '', moment = ''] = /^(\d{1,4})@(\d{4}-\d\d-\d\dT[\d:.]+Z)$/.exec(text) ?? [];
  const since = new Date(moment);
  return Number(speed) > 0 && !Number.isNaN(since.getTime()) ? { speed: Number(speed), since } : undefined;
}

/**
 * Does something again and again, each time when so much of the clock's time has passed since the last; a clock that
 * jumps over many of these moments brings it once.
 *
 * @returns ends it
 */
export function every(clock: Clock, ms: number, work: () => void): () => void {
  const next = () => {
    forget = clock.after(ms, next);
    work();
  };
  let forget = clock.after(ms, next);
  return () => forget();
}

/** Waits until so much of the clock's time has passed. */
export function passed(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.after(ms, resolve));
}

function timer(ms: number, work: () => void): () => void {
  const running = setTimeout(work, ms).unref();
  return () => clearTimeout(running);
}
