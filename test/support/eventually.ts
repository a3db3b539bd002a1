import { setTimeout as wait } from 'node:timers/promises';
import type { PassingTime } from './passing-time.ts';

/** Far longer than anything takes on a slow machine under load: to wait longer costs nothing where it comes about. */
const patienceMs = 50_000;

/**
 * Reads a state again and again until it is as wanted: for what happens in another process or in a worker,
 * where there is no event to wait for.
 *
 * @param read asked every 25 ms, or whenever it was looked whether anything is under way
 * @param time goes on meanwhile, for what waits for a moment of the product's time
 * @returns the first value that fits
 * @throws with the last value, when the time is over
 */
export async function eventually<T>(
  read: () => Promise<T> | T,
  fits: (value: T) => boolean,
  time?: Pick<PassingTime, 'pass'>,
): Promise<T> {
  const giveUpAt = Date.now() + patienceMs;
  while (true) {
    const value = await read();
    if (fits(value)) return value;
    if (Date.now() > giveUpAt) {
      throw new Error(`It did not come about within ${patienceMs} ms. At last it was: ${JSON.stringify(value)}`);
    }
    await (time ? time.pass() : wait(25));
  }
}

/** Lets time go on until some work is done, for what that waits for in its midst. */
export async function passingUntil<T>(time: Pick<PassingTime, 'pass'>, work: Promise<T>): Promise<T> {
  let over = false;
  const end = () => {
    over = true;
  };
  work.then(end, end);
  while (!over) await time.pass();
  return work;
}
