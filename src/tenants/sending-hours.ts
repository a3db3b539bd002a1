import { z } from 'zod';
import { clockChanges, firstInstantFrom, instantsAt, wallTimeOf } from '../platform/zoned-time.ts';

const time = /^([01]\d|2[0-3]):[0-5]\d$/;

/** When a company's emails may leave, on its own clock and calendar. */
export const sendingHoursSchema = z
  .object({
    /** 1 is Monday, 7 is Sunday. */
    days: z
      .array(z.number().int().min(1).max(7))
      .min(1, 'Choose at least one day.')
      .transform((days) => [...new Set(days)].sort()),
    /** `08:00`: from then on. */
    from: z.string().regex(time, 'Write a time such as 08:00.'),
    /** `18:00`: not then any more. `24:00` is the end of the day. */
    to: z.string().regex(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/, 'Write a time such as 18:00.'),
    /** `2026-12-25`: days on which nothing leaves. */
    holidays: z
      .array(z.iso.date('Write each date like 2026-12-25.'))
      .max(400, 'These are more than 400 dates. Take out those that have passed.')
      .transform((dates) => [...new Set(dates)].sort()),
  })
  .refine(({ from, to }) => from < to, {
    path: ['to'],
    error: 'The end must be later than the beginning, on the same day.',
  });

/** See {@link sendingHoursSchema}. */
export type SendingHours = Readonly<z.infer<typeof sendingHoursSchema>>;

/** Whether an email may leave at this instant. */
export function isAllowed(instant: Date, hours: SendingHours, timeZone: string): boolean {
  const [date = '', clock = ''] = wallTimeOf(instant, timeZone).split('T');
  if (clock < hours.from || clock >= hours.to) return false;
  return hours.days.includes(weekdayOf(date)) && !hours.holidays.includes(date);
}

/**
 * The first instant, from now on, at which an email may leave: now itself where it may now. Goes by what the clock on
 * the wall shows: an hour that comes twice counts twice, and one that is skipped does not.
 */
export function nextAllowed(now: Date, hours: SendingHours, timeZone: string): Date {
  if (isAllowed(now, hours, timeZone)) return now;
  // Each week has a day that is allowed unless it is a holiday; a clock change can swallow one more.
  const most = 7 * (hours.holidays.length + 3);
  const [today = ''] = wallTimeOf(now, timeZone).split('T');
  for (let ahead = 0; ahead <= most; ahead += 1) {
    const date = new Date(Date.parse(`${today}T00:00:00Z`) + ahead * 86_400_000).toISOString().slice(0, 10);
    if (!hours.days.includes(weekdayOf(date)) || hours.holidays.includes(date)) continue;
    const [next] = beginnings(date, hours, timeZone)
      .filter((instant) => instant > now && isAllowed(instant, hours, timeZone))
      .sort((a, b) => a.getTime() - b.getTime());
    if (next) return next;
  }
  throw new RangeError('Sending hours that never come.');
}

/** The instants of a day at which sending may begin: its opening, and where clocks are moved into its hours. */
function beginnings(date: string, { from }: SendingHours, timeZone: string): Date[] {
  const opening = `${date}T${from}`;
  return [...instantsAt(opening, timeZone), firstInstantFrom(opening, timeZone), ...clockChanges(date, timeZone)];
}

function weekdayOf(date: string): number {
  return new Date(`${date}T00:00:00Z`).getUTCDay() || 7;
}
