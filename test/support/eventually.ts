import { setTimeout as wait } from 'node:timers/promises';

/** A clock that a test may move. */
export interface MovableTime {
  forward(ms: number): unknown;
}

/** Far longer than anything takes on a slow machine under load: to wait longer costs nothing where it comes about. */
const patienceMs = 90_000;

/**
 * Reads a state again and again until it is as wanted: for what happens in another process or in a worker,
 * where there is no event to wait for.
 *
 * @param read asked every 25 ms
 * @param clock moved on by a quarter of a second each time, for what waits for a moment of the product's time
 * @returns the first value that fits
 * @throws with the last value, when the time is over
 */
export async function eventually<T>(
  read: () => Promise<T> | T,
  fits: (value: T) => boolean,
  clock?: MovableTime,
): Promise<T> {
  const giveUpAt = Date.now() + patienceMs;
  while (true) {
    const value = await read();
    if (fits(value)) return value;
    if (Date.now() > giveUpAt) {
      throw new Error(`It did not come about within ${patienceMs} ms. At last it was: ${JSON.stringify(value)}`);
    }
    await wait(25);
    clock?.forward(250);
  }
}
