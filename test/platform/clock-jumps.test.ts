import { expect, it } from 'vitest';
import { neverJumps, watchForJumps } from '../../src/platform/clock-jumps.ts';

/** A machine whose clock can be set. */
function machine() {
  const time = { wall: 1_000_000, steady: 500 };
  const pass = (ms: number) => {
    time.wall += ms;
    time.steady += ms;
  };
  const watch = watchForJumps(
    () => time.wall,
    () => time.steady,
  );
  return { time, pass, since: () => watch.sinceJumpMs() };
}

it('a clock that only runs, and is corrected a little, never jumped', () => {
  const { time, pass, since } = machine();
  for (let hour = 0; hour < 48; hour += 1) {
    pass(3_600_000);
    time.wall += 1_500;
    expect(since()).toBe(Number.POSITIVE_INFINITY);
  }
});

it('a clock that is put forward jumped, from the moment at which it is noticed', () => {
  const { time, pass, since } = machine();
  time.wall += 5 * 3_600_000;
  pass(10_000);
  expect(since()).toBe(0);
  pass(200_000);
  expect(since()).toBe(200_000);
});

it('a clock that is put back did not jump ahead; put right again it did', () => {
  const { time, pass, since } = machine();
  time.wall -= 3_600_000;
  expect(since()).toBe(Number.POSITIVE_INFINITY);
  time.wall += 3_600_000;
  pass(1_000);
  expect(since()).toBe(0);
});

it('a clock that is moved on purpose is trusted', () => {
  expect(neverJumps.sinceJumpMs()).toBe(Number.POSITIVE_INFINITY);
});
