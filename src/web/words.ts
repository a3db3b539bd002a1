import { dateLocale } from '../documents/locale.ts';
import { dateFormat } from '../platform/date-format.ts';
import { formatMoment } from '../platform/zoned-time.ts';

/**
 * An instant for a person, in their company's time zone: `09:41` today, `Mon 09:41` within a week,
 * `3 March` within the year, else `3 March 2025`.
 */
export function when(date: Date, timeZone: string, now: Date, locale: string): string {
  const format = (options: Intl.DateTimeFormatOptions) =>
    dateFormat(dateLocale(locale), { timeZone, hourCycle: 'h23', ...options }).format(date);
  const day = (instant: Date) => dateFormat('en-CA', { timeZone }).format(instant);
  const time = { hour: '2-digit', minute: '2-digit' } as const;
  if (day(date) === day(now)) return format(time);
  // One form of it, wherever a comma would stand.
  if (Math.abs(now.getTime() - date.getTime()) < 6 * 86_400_000)
    return `${format({ weekday: 'short' })} ${format(time)}`;
  if (day(date).slice(0, 4) === day(now).slice(0, 4)) return format({ day: 'numeric', month: 'long' });
  return format({ day: 'numeric', month: 'long', year: 'numeric' });
}

/**
 * An instant that waits or has passed, to the minute: `20:03` today, else `1 Dec 20:03`, or `Dec 1 20:03` where people write
 * it so, with the year where it is another.
 */
export function moment(date: Date, timeZone: string, now: Date, locale: string): string {
  const format = (instant: Date, options: Intl.DateTimeFormatOptions) =>
    dateFormat(dateLocale(locale), { timeZone, hourCycle: 'h23', ...options }).format(instant);
  const yearOf = (instant: Date) => format(instant, { year: 'numeric' });
  const dayOf = (instant: Date) => format(instant, { day: 'numeric', month: 'short' });
  const time = format(date, { hour: '2-digit', minute: '2-digit' });
  if (yearOf(date) !== yearOf(now))
    return `${format(date, { day: 'numeric', month: 'short', year: 'numeric' })} ${time}`;
  return dayOf(date) === dayOf(now) ? time : `${dayOf(date)} ${time}`;
}

/** The same within a sentence: `at 20:03`, `on 1 Dec 20:03`. */
export function atMoment(date: Date, timeZone: string, now: Date, locale: string): string {
  const said = moment(date, timeZone, now, locale);
  return said.includes(' ') ? `on ${said}` : `at ${said}`;
}

/** An instant in full, on the company's clock, as whoever looks writes it: `Thursday 3 December 2026, 09:00`. */
export function fullMoment(date: Date, timeZone: string, locale: string): string {
  return formatMoment(date, timeZone, dateLocale(locale));
}

/** An instant to the minute, whatever day it is: `Sat, 28 Nov 2026, 09:41`. */
export function exactly(date: Date, timeZone: string, locale: string): string {
  const day = { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' } as const;
  const time = { hour: '2-digit', minute: '2-digit' } as const;
  return dateFormat(dateLocale(locale), { timeZone, hourCycle: 'h23', ...day, ...time }).format(date);
}

/** An instant as a timeline needs it: `28 Nov 2026, 09:41:07`. */
export function toTheSecond(date: Date, timeZone: string, locale: string): string {
  const style = { dateStyle: 'medium', timeStyle: 'medium', hourCycle: 'h23' } as const;
  return dateFormat(dateLocale(locale), { timeZone, ...style }).format(date);
}

/** How large a file is, as people say it: `48 KB`, `1.3 MB`. `public/attached.js` says it the same way. */
export function fileSize(bytes: number, locale: string): string {
  const inUnit = (unit: number, digits: number) =>
    new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(bytes / unit);
  if (bytes < 1_000_000) return `${bytes < 1_024 ? 1 : inUnit(1_024, 0)} KB`;
  return `${inUnit(1_048_576, 1)} MB`;
}

/** A day for people of whom no time zone is known: `14 December 2026`. */
export function onDay(date: Date): string {
  return dateFormat('en-GB', { day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' }).format(date);
}

/** `a`, `a and b`, `a, b and c`. */
export function sentence(items: readonly string[]): string {
  return new Intl.ListFormat('en-GB', { type: 'conjunction' }).format(items);
}
