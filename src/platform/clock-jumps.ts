/** Notices that the clock of this machine was set, or that the machine slept. */
export interface JumpWatch {
  /** How many milliseconds ago, by a clock that cannot be set, it was noticed that the clock had jumped ahead. */
  sinceJumpMs(): number;
}

/** A clock that is corrected bit by bit, or a process that was busy, is not meant. */
const toleranceMs = 2_000;

/** For a clock that is moved on purpose, together with all that waits by it. */
export const neverJumps: JumpWatch = { sinceJumpMs: () => Number.POSITIVE_INFINITY };

/**
 * Begins to watch, whenever it is asked. A jump is noticed late rather than never: then it counts from that moment.
 *
 * @param wall what time it is, in milliseconds; may be set
 * @param steady milliseconds since some moment; is never set, and stands still while the machine sleeps
 */
export function watchForJumps(wall = () => Date.now(), steady = () => performance.now()): JumpWatch {
  let offset = wall() - steady();
  let noticedAt = Number.NEGATIVE_INFINITY;
  return {
    sinceJumpMs() {
      const now = wall() - steady();
      if (now - offset > toleranceMs) noticedAt = steady();
      offset = now;
      return steady() - noticedAt;
    },
  };
}
