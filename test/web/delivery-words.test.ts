import { expect, it } from 'vitest';
import { askAgain } from '../../src/web/delivery-words.ts';

const now = new Date('2026-11-21T09:00:00Z');
const inSeconds = (seconds: number) => new Date(now.getTime() + seconds * 1_000);

it.each([
  ['sent', null, 0, null],
  ['held', null, 0, null],
  ['held', 10, 0, '1s'],
  ['held', 3_600, 0, '10s'],
  ['queued', null, 0, '1s'],
  ['queued', 60, 0, '10s'],
  // Its moment is when a lost answer is looked into, and says nothing of when Gmail answers.
  ['sending', 180, 0, '1s'],
  ['sending', 121, -59, '1s'],
  ['sending', 110, -70, '10s'],
  ['sending', 5, -175, '1s'],
] as const)('a page asks again of %s, until %s s, since %s s: every %s', (state, until, since, every) => {
  const notBefore = until === null ? null : inSeconds(until);
  expect(askAgain({ state, notBefore, stateAt: inSeconds(since) }, now)).toBe(every);
});
