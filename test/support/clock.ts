import { type LocalGoogle, Clock as MovableClock } from 'local-google';
import type { Clock } from '../../src/platform/clock.ts';

/** The product's clock in a test: Local Google's, so that both live in the same time and are moved on together. */
export function clockOf({ clock }: Pick<LocalGoogle, 'clock'>): Clock {
  return productClock(clock);
}

/** A clock that stands still but where a test moves it on. */
export interface StandingClock extends Clock {
  forward(ms: number): void;
  /** In how many milliseconds the next comes of what waits for it; null where nothing does. */
  untilNext(): number | null;
}

/** Makes one, for what needs no Google. */
export function standingClock(start = Date.UTC(2026, 10, 21, 9)): StandingClock {
  const clock = new MovableClock(
    () => start,
    0,
    () => {},
  );
  const forward = (ms: number) => void clock.forward(ms);
  return Object.assign(productClock(clock), { forward, untilNext: () => clock.untilNext });
}

/** The same clock in a machine that goes wrong by so much. */
export function wrongBy(clock: Clock, aheadMs: number): Clock {
  return Object.assign(() => new Date(clock().getTime() + aheadMs), { after: clock.after });
}

function productClock(clock: MovableClock): Clock {
  return Object.assign(() => new Date(clock.now()), { after: clock.after });
}
