import { formatMoment } from '../platform/zoned-time.ts';
import { nextAllowed } from '../tenants/sending-hours.ts';
import type { SendingRules } from '../tenants/sending-rules.ts';
import type { HeldReason } from './state.ts';

/** What is wished for a new delivery. */
export interface Wish {
  /** A person has just pressed Send for it, or for the run that it is part of: that can be undone for a moment. */
  readonly undo: boolean;
  /** It is one of many: so that thousands are not written to at each opening, it waits for the sending hours in the queue. */
  readonly many: boolean;
  /** The moment that somebody chose, or null for now. */
  readonly sendAt: Date | null;
  /** Whatever the sending hours say. */
  readonly anyTime: boolean;
  /** What its mailbox waits for, or null where it could send. */
  readonly mailbox: { readonly reason: HeldReason; readonly detail: string } | null;
}

/** How a delivery begins. */
export type Departure =
  | { readonly state: 'queued' }
  | { readonly state: 'held'; readonly reason: HeldReason; readonly until: Date | null; readonly detail: string };

/**
 * Decides how a new delivery begins. Pure; a numbered order, the first that fits:
 *
 * 1. A moment was chosen that is still ahead: held until then.
 * 2. Its mailbox cannot send: held until it can.
 * 3. The company does not send now: held until it does; of many, queued, and the pacer keeps the hours.
 * 4. Somebody has just pressed Send, and the company wants a moment to undo that: held for that moment.
 * 5. Else it is queued.
 */
export function departureOf(wish: Wish, { undoSeconds, hours, timeZone }: SendingRules, now: Date): Departure {
  const { sendAt } = wish;
  if (sendAt && sendAt > now) {
    const detail = `Leaves on ${formatMoment(sendAt, timeZone)}.`;
    return { state: 'held', reason: 'scheduled', until: sendAt, detail };
  }
  if (wish.mailbox) return { state: 'held', until: null, ...wish.mailbox };
  const opening = leavesFrom({ hours, timeZone }, wish.anyTime, now);
  if (opening > now && wish.many) return { state: 'queued' };
  if (opening > now)
    return { state: 'held', reason: 'outside_hours', until: opening, detail: waitsForHours(opening, timeZone) };
  if (wish.undo && undoSeconds > 0) {
    const until = new Date(now.getTime() + undoSeconds * 1_000);
    return {
      state: 'held',
      reason: 'undo',
      until,
      detail: `Leaves in ${undoSeconds} seconds, unless that is undone.`,
    };
  }
  return { state: 'queued' };
}

/** The first moment from now on at which the sending hours let a delivery leave: now, where they do not matter. */
export function leavesFrom({ hours, timeZone }: Omit<SendingRules, 'undoSeconds'>, anyTime: boolean, now: Date): Date {
  return anyTime || hours === null ? now : nextAllowed(now, hours, timeZone);
}

/** What a timeline says of a delivery that waits for the sending hours. */
export function waitsForHours(opening: Date, timeZone: string): string {
  return `Outside the sending hours. Leaves on ${formatMoment(opening, timeZone)}.`;
}
