import { leavesFrom } from '../deliveries/departure.ts';
import { firstInstantFrom, instantsAt, isWallTime, wallTimeOf } from '../platform/zoned-time.ts';
import { nextAllowed, type SendingHours } from '../tenants/sending-hours.ts';
import type { SendingRules } from '../tenants/sending-rules.ts';
import { fullMoment } from './words.ts';

/** A moment that somebody chose, or what is wrong with it. */
export type ChosenTime = { readonly at: Date } | { readonly message: string };

const yearMs = 366 * 86_400_000;

/**
 * Reads what `<input type="datetime-local">` holds, on the company's clock. Of a time that comes twice that day, the
 * first that has not passed is meant.
 *
 * @param anyTime whether it may be outside the sending hours
 */
export function readChosenTime(
  text: string,
  rules: SendingRules,
  { anyTime, now, locale }: { readonly anyTime: boolean; readonly now: Date; readonly locale: string },
): ChosenTime {
  if (!isWallTime(text)) return { message: 'Choose a date and a time.' };
  const { timeZone } = rules;
  const instants = instantsAt(text, timeZone);
  if (instants.length === 0) {
    const next = fullMoment(firstInstantFrom(text, timeZone), timeZone, locale);
    return {
      message: `${text.slice(11)} does not exist that day: the clocks go forward. The next time after it is ${next}.`,
    };
  }
  const at = instants.find((instant) => instant > now);
  if (!at) {
    return { message: `That has passed: it is ${fullMoment(now, timeZone, locale)} now. Choose a later time.` };
  }
  if (at.getTime() - now.getTime() > yearMs)
    return { message: 'That is more than a year away. Choose an earlier time.' };
  const opening = leavesFrom(rules, anyTime, at);
  if (opening > at) {
    const next = fullMoment(opening, timeZone, locale);
    return {
      message: `Your company does not send at that time. It does again on ${next}; or tick “Outside the sending hours too”.`,
    };
  }
  return { at };
}

/** What a form suggests: 8 o’clock tomorrow, or when the company sends again after that. `2026-11-22T08:00` */
export function suggestedTime({ hours, timeZone }: SendingRules, now: Date): string {
  const tomorrow = wallTimeOf(new Date(now.getTime() + 86_400_000), timeZone).slice(0, 10);
  const eight = firstInstantFrom(`${tomorrow}T08:00`, timeZone);
  return wallTimeOf(hours ? nextAllowed(eight, hours, timeZone) : eight, timeZone);
}

/** Sending hours for people: `Monday to Friday, 08:00 to 18:00`. */
export function hoursWords({ days, from, to }: SendingHours): string {
  const names = days.map((day) => weekdays[day - 1] ?? '');
  const isRow = days.length > 2 && days.every((day, index) => day === (days[0] ?? 0) + index);
  const which = isRow ? `${names[0]} to ${names.at(-1)}` : new Intl.ListFormat('en-GB').format(names);
  return `${which}, ${from} to ${to}`;
}

const weekdays = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
