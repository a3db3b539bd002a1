import { describe, expect, it } from 'vitest';
import type { SendingRules } from '../../src/tenants/sending-rules.ts';
import { hoursWords, readChosenTime, suggestedTime } from '../../src/web/send-time.ts';

const office = { days: [1, 2, 3, 4, 5], from: '08:00', to: '18:00', holidays: ['2026-11-23'] };
const rules = (over: Partial<SendingRules> = {}): SendingRules => ({
  ...{ undoSeconds: 10, hours: null, timeZone: 'Europe/Dublin' },
  ...over,
});
const read = (text: string, now: string, over: Partial<SendingRules> = {}, anyTime = false) => {
  const chosen = readChosenTime(text, rules(over), { anyTime, now: new Date(now), locale: 'en-IE' });
  return 'at' in chosen ? chosen.at.toISOString() : chosen.message;
};
const friday = '2026-11-20T09:30:15Z';

describe('a moment chosen on the company’s clock', () => {
  it.each([
    ['in winter', '2026-11-21T09:00', friday, '2026-11-21T09:00:00.000Z'],
    ['in summer', '2027-06-01T09:00', friday, '2027-06-01T08:00:00.000Z'],
    ['a minute ahead', '2026-11-20T09:31', friday, '2026-11-20T09:31:00.000Z'],
    ['where clocks go back: the first of two', '2026-10-25T01:30', '2026-10-24T12:00:00Z', '2026-10-25T00:30:00.000Z'],
    ['between the two: the second', '2026-10-25T01:30', '2026-10-25T00:45:00Z', '2026-10-25T01:30:00.000Z'],
  ])('is understood: %s', (_words, text, now, wanted) => {
    expect(read(text, now)).toBe(wanted);
  });

  it.each([
    ['nothing', '', friday, 'Choose a date and a time.'],
    ['what is no time', '2026-02-30T09:00', friday, 'Choose a date and a time.'],
    [
      'this very minute',
      '2026-11-20T09:30',
      friday,
      'That has passed: it is Friday 20 November 2026, 09:30 now. Choose a later time.',
    ],
    [
      'both of two that have passed',
      '2026-10-25T01:30',
      '2026-10-25T02:00:00Z',
      'That has passed: it is Sunday 25 October 2026, 02:00 now. Choose a later time.',
    ],
    [
      'a time that clocks leave out',
      '2027-03-28T01:30',
      friday,
      '01:30 does not exist that day: the clocks go forward. The next time after it is Sunday 28 March 2027, 02:00.',
    ],
    ['years ahead', '2036-11-21T09:00', friday, 'That is more than a year away. Choose an earlier time.'],
  ])('is refused with words: %s', (_words, text, now, wanted) => {
    expect(read(text, now)).toBe(wanted);
  });

  it('outside the sending hours is refused with the next, unless it is to leave whatever the hour', () => {
    expect(read('2026-11-21T09:00', friday, { hours: office })).toBe(
      'Your company does not send at that time. It does again on Tuesday 24 November 2026, 08:00; or tick “Outside the sending hours too”.',
    );
    expect(read('2026-11-21T09:00', friday, { hours: office }, true)).toBe('2026-11-21T09:00:00.000Z');
    expect(read('2026-11-24T09:00', friday, { hours: office })).toBe('2026-11-24T09:00:00.000Z');
  });
});

describe('what is suggested', () => {
  it('is tomorrow morning, or when the company sends again after that', () => {
    expect(suggestedTime(rules(), new Date(friday))).toBe('2026-11-21T08:00');
    expect(suggestedTime(rules({ hours: office }), new Date(friday))).toBe('2026-11-24T08:00');
    expect(suggestedTime(rules({ hours: { ...office, from: '10:00' } }), new Date('2026-11-18T23:59:00Z'))).toBe(
      '2026-11-19T10:00',
    );
  });
});

describe('sending hours in words', () => {
  it.each([
    [[1, 2, 3, 4, 5], 'Monday to Friday, 08:00 to 18:00'],
    [[6], 'Saturday, 08:00 to 18:00'],
    [[1, 2], 'Monday and Tuesday, 08:00 to 18:00'],
    [[1, 3, 5], 'Monday, Wednesday and Friday, 08:00 to 18:00'],
    [[1, 2, 3, 4, 5, 6, 7], 'Monday to Sunday, 08:00 to 18:00'],
  ])('%j', (days, wanted) => {
    expect(hoursWords({ ...office, days })).toBe(wanted);
  });
});
