import { describe, expect, it } from 'vitest';
import { type Clock, every, passed, scaledClock, systemClock } from '../../src/platform/clock.ts';
import { standingClock } from '../support/clock.ts';

describe('a clock', () => {
  it('does what waits for it in the order of its moments, once it is moved past them, and not what was forgotten', () => {
    const clock = standingClock();
    const done: string[] = [];
    clock.after(2_000, () => void done.push('second'));
    clock.after(1_000, () => void done.push('first'));
    clock.after(1_500, () => void done.push('forgotten'))();
    clock.after(2_001, () => void done.push('later'));
    clock.forward(999);
    expect(done).toEqual([]);
    clock.forward(1_001);
    expect(done).toEqual(['first', 'second']);
  });

  it('that jumps over many turns of something brings it once, and then again after its time', () => {
    const clock = standingClock();
    let turns = 0;
    const stop = every(clock, 1_000, () => {
      turns += 1;
    });
    clock.forward(3_600_000);
    expect(turns).toBe(1);
    clock.forward(1_000);
    expect(turns).toBe(2);
    stop();
    clock.forward(1_000);
    expect(turns).toBe(2);
  });

  it.each<[string, Clock, number]>([
    ['of the machine', systemClock, 20],
    ['that runs a thousand times as fast', scaledClock({ speed: 1_000, since: new Date() }), 20_000],
  ])('%s lets time pass by itself', async (_which, clock, ms) => {
    const before = clock();
    const begun = performance.now();
    await passed(clock, ms);
    // A timer of Node's may be a millisecond early.
    expect(clock().getTime() - before.getTime()).toBeGreaterThanOrEqual(0.9 * ms);
    expect(performance.now() - begun).toBeLessThan(15_000);
  });
});
