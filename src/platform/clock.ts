/**
 * Tells the time. Everything the product waits for (retries, holds, deadlines, the age of tokens and lists) asks the
 * clock it was given and never `Date` itself, so that a test moves it on together with Local Google's. What a row
 * merely records (`created_at`) is written by PostgreSQL.
 */
export type Clock = () => Date;

/** The time of this machine. */
export const systemClock: Clock = () => new Date();

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
  return () => new Date(start + (Date.now() - start) * speed);
}

/** Reads `20@2026-11-21T09:00:00.000Z`; undefined where it is nothing like that. */
export function parseTimeScale(text: string): TimeScale | undefined {
  const [, speed = '', moment = ''] = /^(\d{1,4})@(\d{4}-\d\d-\d\dT[\d:.]+Z)$/.exec(text) ?? [];
  const since = new Date(moment);
  return Number(speed) > 0 && !Number.isNaN(since.getTime()) ? { speed: Number(speed), since } : undefined;
}
