import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  clockChanges,
  firstInstantFrom,
  formatMoment,
  instantsAt,
  isWallTime,
  wallTimeOf,
} from '../../src/platform/zoned-time.ts';
import { propertyRuns } from '../support/at-length.ts';

const iso = (dates: readonly Date[]) => dates.map((date) => date.toISOString());

describe('a wall time', () => {
  it.each([
    ['2026-11-21T09:00', true],
    ['2028-02-29T00:00', true],
    ['2026-02-29T09:00', false],
    ['2026-13-01T09:00', false],
    ['2026-11-21T24:00', false],
    ['2026-11-21 09:00', false],
    ['2026-11-21T09:00:00', false],
    ['tomorrow', false],
    ['', false],
  ])('“%s” is one: %s', (text, wanted) => {
    expect(isWallTime(text)).toBe(wanted);
  });
});

describe('a time on a day like any other', () => {
  it.each([
    ['Europe/Dublin', '2026-11-21T09:00', '2026-11-21T09:00:00.000Z'],
    ['Europe/Dublin', '2026-07-01T09:00', '2026-07-01T08:00:00.000Z'],
    ['America/New_York', '2026-01-01T00:00', '2026-01-01T05:00:00.000Z'],
    ['Asia/Kathmandu', '2026-05-05T12:00', '2026-05-05T06:15:00.000Z'],
    ['Pacific/Kiritimati', '2026-05-05T01:00', '2026-05-04T11:00:00.000Z'],
    ['Etc/GMT+12', '2026-05-05T23:00', '2026-05-06T11:00:00.000Z'],
  ])('in %s, %s is once', (zone, wall, instant) => {
    expect(iso(instantsAt(wall, zone))).toEqual([instant]);
    expect(firstInstantFrom(wall, zone).toISOString()).toBe(instant);
  });
});

describe('where clocks go forward', () => {
  it.each([
    ['Europe/Dublin', '2026-03-29T01:30', '2026-03-29T01:00:00.000Z', '2026-03-29T02:00'],
    ['America/New_York', '2026-03-08T02:00', '2026-03-08T07:00:00.000Z', '2026-03-08T03:00'],
    ['Australia/Lord_Howe', '2026-10-04T02:15', '2026-10-03T15:30:00.000Z', '2026-10-04T02:30'],
    ['America/Santiago', '2026-09-06T00:30', '2026-09-06T04:00:00.000Z', '2026-09-06T01:00'],
    // A whole day was left out.
    ['Pacific/Apia', '2011-12-30T12:00', '2011-12-30T10:00:00.000Z', '2011-12-31T00:00'],
  ])('in %s, %s is not, and the next is', (zone, wall, instant, shown) => {
    expect(instantsAt(wall, zone)).toEqual([]);
    expect(firstInstantFrom(wall, zone).toISOString()).toBe(instant);
    expect(wallTimeOf(new Date(instant), zone)).toBe(shown);
  });

  it('the minute before and the minute after are', () => {
    expect(iso(instantsAt('2026-03-29T00:59', 'Europe/Dublin'))).toEqual(['2026-03-29T00:59:00.000Z']);
    expect(iso(instantsAt('2026-03-29T02:00', 'Europe/Dublin'))).toEqual(['2026-03-29T01:00:00.000Z']);
  });
});

describe('where clocks go back', () => {
  it.each([
    ['Europe/Dublin', '2026-10-25T01:30', ['2026-10-25T00:30:00.000Z', '2026-10-25T01:30:00.000Z']],
    ['America/New_York', '2026-11-01T01:00', ['2026-11-01T05:00:00.000Z', '2026-11-01T06:00:00.000Z']],
    ['Australia/Lord_Howe', '2026-04-05T01:45', ['2026-04-04T14:45:00.000Z', '2026-04-04T15:15:00.000Z']],
  ])('in %s, %s is twice', (zone, wall, instants) => {
    expect(iso(instantsAt(wall, zone))).toEqual(instants);
    expect(firstInstantFrom(wall, zone).toISOString()).toBe(instants[0]);
  });

  it('the words say which of the two', () => {
    const [first, second] = instantsAt('2026-10-25T01:30', 'Europe/Dublin').map((at) =>
      formatMoment(at, 'Europe/Dublin'),
    );
    expect(first).toBe('Sunday 25 October 2026, 01:30 (the first)');
    expect(second).toBe('Sunday 25 October 2026, 01:30 (the second)');
    expect(formatMoment(new Date('2026-12-03T09:00:00Z'), 'Europe/Dublin')).toBe('Thursday 3 December 2026, 09:00');
  });
});

describe('the moments at which clocks are moved', () => {
  it.each([
    ['Europe/Dublin', '2026-03-29', ['2026-03-29T01:00:00.000Z']],
    ['Europe/Dublin', '2026-10-25', ['2026-10-25T01:00:00.000Z']],
    ['Europe/Dublin', '2026-10-24', []],
    ['Europe/Dublin', '2026-10-26', []],
    ['America/Santiago', '2026-09-06', ['2026-09-06T04:00:00.000Z']],
    ['Pacific/Kiritimati', '2026-10-25', []],
    ['UTC', '2026-03-29', []],
  ])('in %s on %s', (zone, date, instants) => {
    expect(iso(clockChanges(date, zone))).toEqual(instants);
  });
});

describe('any instant in any zone', () => {
  const zones = fc.constantFrom(...Intl.supportedValuesOf('timeZone'));
  const minutes = fc.integer({ min: Date.UTC(2000, 0) / 60_000, max: Date.UTC(2037, 0) / 60_000 });

  it('is among the instants of what the clock shows then', () => {
    fc.assert(
      fc.property(zones, minutes, (zone, minute) => {
        const instant = new Date(minute * 60_000);
        const wall = wallTimeOf(instant, zone);
        // Another way to ask the same of Node.
        expect(instant.toLocaleString('sv-SE', { timeZone: zone }).slice(0, 16)).toBe(wall.replace('T', ' '));
        const found = instantsAt(wall, zone);
        expect(found.map(Number)).toContain(instant.getTime());
        expect(found.length).toBeLessThanOrEqual(2);
      }),
      { numRuns: propertyRuns(500) },
    );
  });
});
