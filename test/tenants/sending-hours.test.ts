import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isAllowed, nextAllowed, type SendingHours, sendingHoursSchema } from '../../src/tenants/sending-hours.ts';

const office: SendingHours = {
  days: [1, 2, 3, 4, 5],
  from: '08:00',
  to: '18:00',
  holidays: ['2026-12-25', '2026-12-28'],
};
const next = (now: string, hours: SendingHours = office, zone = 'Europe/Dublin') =>
  nextAllowed(new Date(now), hours, zone).toISOString();

describe('the next moment at which an email may leave', () => {
  it.each([
    ['in the hours: now', '2026-11-20T09:30:15.123Z', '2026-11-20T09:30:15.123Z'],
    ['at the opening: now', '2026-11-20T08:00:00.000Z', '2026-11-20T08:00:00.000Z'],
    ['before the hours: this morning', '2026-11-20T07:59:59.999Z', '2026-11-20T08:00:00.000Z'],
    ['at the end: the next day', '2026-11-19T18:00:00.000Z', '2026-11-20T08:00:00.000Z'],
    ['on Friday evening: on Monday', '2026-11-20T18:00:01.000Z', '2026-11-23T08:00:00.000Z'],
    ['on Sunday: on Monday', '2026-11-22T12:00:00.000Z', '2026-11-23T08:00:00.000Z'],
    ['before holidays around a weekend: after them', '2026-12-24T19:00:00.000Z', '2026-12-29T08:00:00.000Z'],
    ['in summer, by the clock on the wall', '2026-07-03T17:00:00.000Z', '2026-07-06T07:00:00.000Z'],
  ])('%s', (_words, now, wanted) => {
    expect(next(now)).toBe(wanted);
  });

  it('is found however many holidays stand before it', () => {
    const holidays = Array.from({ length: 400 }, (_, week) =>
      new Date(Date.UTC(2026, 10, 23) + week * 7 * 86_400_000).toISOString().slice(0, 10),
    );
    const mondays = sendingHoursSchema.parse({ ...office, days: [1], holidays });
    expect(next('2026-11-22T12:00:00Z', mondays)).toBe('2034-07-24T07:00:00.000Z');
  });

  it('is where the clock goes on to, when the opening is skipped', () => {
    const early = { ...office, days: [7], from: '01:30', to: '05:00' };
    expect(next('2026-03-28T20:00:00Z', early)).toBe('2026-03-29T01:00:00.000Z');
  });

  it('is a week later, when all of a day’s hours are skipped', () => {
    const early = { ...office, days: [7], from: '01:00', to: '02:00' };
    expect(next('2026-03-28T20:00:00Z', early)).toBe('2026-04-05T00:00:00.000Z');
  });

  it('comes a second time in the hour that comes twice', () => {
    const early = { ...office, days: [7], from: '00:30', to: '01:30' };
    expect(next('2026-10-25T00:29:00Z', early)).toBe('2026-10-25T00:29:00.000Z');
    expect(next('2026-10-25T00:40:00Z', early)).toBe('2026-10-25T01:00:00.000Z');
    expect(next('2026-10-25T01:40:00Z', early)).toBe('2026-11-01T00:30:00.000Z');
  });

  it('is the first of all that are allowed, in any zone', () => {
    const days = fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: 1 });
    const minutes = fc.tuple(fc.integer({ min: 0, max: 1_438 }), fc.integer({ min: 1, max: 1_440 }));
    const starts = fc.constantFrom(
      ...['2026-03-28T06:00:00Z', '2026-10-24T06:00:00Z', '2026-04-04T06:00:00Z', '2026-10-03T06:00:00Z'],
      ...['2026-03-07T20:00:00Z', '2026-10-31T20:00:00Z', '2026-09-05T12:00:00Z', '2026-06-01T00:00:00Z'],
    );
    const zones = fc.constantFrom(
      ...['Europe/Dublin', 'America/New_York', 'Australia/Lord_Howe', 'America/Santiago', 'Asia/Kathmandu', 'UTC'],
    );
    const clock = (minute: number) =>
      `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
    fc.assert(
      fc.property(
        days,
        minutes,
        starts,
        fc.integer({ min: 0, max: 2_880 }),
        zones,
        (on, [one, other], start, ahead, zone) => {
          fc.pre(one !== other);
          const hours = { days: on, from: clock(Math.min(one, other)), to: clock(Math.max(one, other)), holidays: [] };
          const now = Date.parse(start) + ahead * 60_000;
          const found = nextAllowed(new Date(now), hours, zone).getTime();
          expect(isAllowed(new Date(found), hours, zone)).toBe(true);
          // Minute by minute there is none before it; far ones are looked at over their last two days.
          for (let at = Math.max(now, found - 2 * 86_400_000); at < found; at += 60_000) {
            if (isAllowed(new Date(at), hours, zone)) expect.fail(`${new Date(at).toISOString()} in ${zone}`);
          }
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe('what may be set', () => {
  const read = (over: object) => sendingHoursSchema.safeParse({ ...office, ...over });

  it('is put in order, each once', () => {
    const set = read({ days: [5, 1, 5], holidays: ['2026-12-25', '2026-01-01', '2026-12-25'] });
    expect(set.data).toMatchObject({ days: [1, 5], holidays: ['2026-01-01', '2026-12-25'] });
  });

  it.each([
    ['no day', { days: [] }],
    ['a day that is none', { days: [8] }],
    ['an end before the beginning', { from: '18:00', to: '08:00' }],
    ['an end at the beginning', { from: '08:00', to: '08:00' }],
    ['a time that is none', { from: '8' }],
    ['a time after midnight', { to: '24:30' }],
    ['a date that is none', { holidays: ['2026-02-30'] }],
  ])('is not %s', (_words, over) => {
    expect(read(over).success).toBe(false);
  });

  it('ends with the day at the latest', () => {
    expect(read({ to: '24:00' }).success).toBe(true);
  });
});
