import { dateFormat } from './date-format.ts';

/**
 * Wall clocks and instants. Where clocks go forward some wall times do not exist, where they go back some come twice;
 * the rest of the product asks here. Pure; the rules are those of the tz database that Node brings along.
 *
 * A wall time is written as `<input type="datetime-local">` does, `2026-03-29T01:30`, to the minute, so that wall times
 * compare as texts do.
 */

const form = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})$/;
const minute = 60_000;
const day = 86_400_000;

/** Whether a text is a wall time of a day that exists. */
export function isWallTime(text: string): boolean {
  const date = new Date(`${text}:00Z`);
  return form.test(text) && !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

/** What the clock on the wall shows at an instant: `2026-03-29T02:30`. */
export function wallTimeOf(instant: Date, timeZone: string): string {
  return new Date(localMs(instant.getTime(), timeZone)).toISOString().slice(0, 16);
}

/** The instants at which the clock shows a time, in their order: one, none where it is skipped, two where it comes twice. */
export function instantsAt(wallTime: string, timeZone: string): Date[] {
  const wanted = asUtc(wallTime);
  return offsetsAround(wanted, timeZone)
    .map((offset) => wanted - offset)
    .filter((instant) => floor(localMs(instant, timeZone)) === wanted)
    .sort((a, b) => a - b)
    .map((instant) => new Date(instant));
}

/** The first instant at which the clock shows this time, or a later one where this is skipped. */
export function firstInstantFrom(wallTime: string, timeZone: string): Date {
  const [first] = instantsAt(wallTime, timeZone);
  if (first) return first;
  const wanted = asUtc(wallTime);
  const offsets = offsetsAround(wanted, timeZone);
  const [from, to] = [wanted - Math.max(...offsets), wanted - Math.min(...offsets)];
  return new Date(firstWhere(from, to, (instant) => localMs(instant, timeZone) >= wanted));
}

/** The instants of a calendar day (`2026-03-29`) at which its clocks are moved. */
export function clockChanges(date: string, timeZone: string): Date[] {
  const from = asUtc(`${date}T00:00`) - day / 2 - 3 * 3_600_000;
  const to = from + 2 * day;
  const changes: Date[] = [];
  // No zone moves its clocks twice within a quarter of a day.
  for (let start = from; start < to; start += day / 4) {
    const end = start + day / 4;
    const before = offsetAt(start, timeZone);
    if (offsetAt(end, timeZone) === before) continue;
    changes.push(new Date(firstWhere(start, end, (instant) => offsetAt(instant, timeZone) !== before)));
  }
  return changes.filter((change) => wallTimeOf(change, timeZone).startsWith(date));
}

/**
 * For people, in full: `Thursday 3 December 2026, 09:00`; where the clock shows that time twice that day, which.
 *
 * @param locale whose order of day and month it has: British unless told
 */
export function formatMoment(instant: Date, timeZone: string, locale = 'en-GB'): string {
  const date = dateFormat(locale, { timeZone, dateStyle: 'full' }).format(instant).replace(',', '');
  const wallTime = wallTimeOf(instant, timeZone);
  const twins = instantsAt(wallTime, timeZone);
  const which =
    twins.length < 2 ? '' : twins[0]?.getTime() === floor(instant.getTime()) ? ' (the first)' : ' (the second)';
  return `${date}, ${wallTime.slice(11)}${which}`;
}

/** The wall time as if it were UTC: only for arithmetic. */
function asUtc(wallTime: string): number {
  const ms = Date.parse(`${wallTime}:00Z`);
  if (Number.isNaN(ms)) throw new RangeError(`“${wallTime}” is no wall time.`);
  return ms;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** What the clock shows at an instant, as if that were UTC. */
function localMs(instant: number, timeZone: string): number {
  let format = formats.get(timeZone);
  if (!format) {
    const parts = { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' } as const;
    format = new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', ...parts, second: '2-digit' });
    formats.set(timeZone, format);
  }
  const shown = new Map(format.formatToParts(instant).map(({ type, value }) => [type, Number(value)]));
  const read = (part: Intl.DateTimeFormatPartTypes) => shown.get(part) ?? 0;
  return Date.UTC(read('year'), read('month') - 1, read('day'), read('hour'), read('minute'), read('second'));
}

function offsetAt(instant: number, timeZone: string): number {
  return localMs(instant, timeZone) - Math.floor(instant / 1_000) * 1_000;
}

function offsetsAround(local: number, timeZone: string): number[] {
  return [...new Set([-day, 0, day].map((shift) => offsetAt(local + shift, timeZone)))];
}

/** The first millisecond in `(from, to]` at which something holds that, once true, stays so. */
function firstWhere(from: number, to: number, holds: (instant: number) => boolean): number {
  let [low, high] = [from, to];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) high = middle;
    else low = middle;
  }
  return high;
}

function floor(ms: number): number {
  return Math.floor(ms / minute) * minute;
}
