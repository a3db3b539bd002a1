import { describe, expect, it } from 'vitest';
import { departureOf, type Wish } from '../../src/deliveries/departure.ts';
import type { SendingRules } from '../../src/tenants/sending-rules.ts';

// A Friday, at 9:30 in Dublin.
const now = new Date('2026-11-20T09:30:00Z');
const hours = { days: [1, 2, 3, 4, 5], from: '08:00', to: '18:00', holidays: [] };
const closed = { ...hours, days: [1, 2, 3, 4] };
const timeZone = 'Europe/Dublin';
const single: Wish = { undo: true, many: false, sendAt: null, anyTime: false, mailbox: null };
const cutOff = { reason: 'mailbox_needs_reconnect', detail: 'Waits for Gmail.' } as const;
const tomorrow = new Date('2026-11-21T09:00:00Z');

type Case = [words: string, wish: Partial<Wish>, rules: Partial<SendingRules>, wanted: object];

describe('a new delivery', () => {
  it.each<Case>([
    ['is queued', {}, {}, { state: 'queued' }],
    ['is queued within the hours', {}, { hours }, { state: 'queued' }],
    [
      'waits for a moment to be taken back',
      {},
      { undoSeconds: 10 },
      { state: 'held', reason: 'undo', until: new Date('2026-11-20T09:30:10Z') },
    ],
    ['does not, where nobody waits for it', { undo: false }, { undoSeconds: 10 }, { state: 'queued' }],
    [
      'waits for the hours',
      {},
      { hours: closed },
      {
        ...{ state: 'held', reason: 'outside_hours', until: new Date('2026-11-23T08:00:00Z') },
        detail: 'Outside the sending hours. Leaves on Monday 23 November 2026, 08:00.',
      },
    ],
    ['does not, where it leaves whatever the hour', { anyTime: true }, { hours: closed }, { state: 'queued' }],
    [
      'waits for the hours rather than to be taken back',
      {},
      { hours: closed, undoSeconds: 10 },
      { reason: 'outside_hours' },
    ],
    [
      'waits for the hours in the queue, as one of many',
      { many: true },
      { hours: closed, undoSeconds: 10 },
      { state: 'queued' },
    ],
    [
      'can be taken back, where it leaves whatever the hour',
      { anyTime: true },
      { hours: closed, undoSeconds: 10 },
      { reason: 'undo' },
    ],
    [
      'waits for the chosen moment before anything else',
      { sendAt: tomorrow, mailbox: cutOff },
      { hours: closed, undoSeconds: 10 },
      {
        ...{ state: 'held', reason: 'scheduled', until: tomorrow },
        detail: 'Leaves on Saturday 21 November 2026, 09:00.',
      },
    ],
    ['of a moment that has passed leaves now', { sendAt: new Date('2026-11-20T09:29:59Z') }, {}, { state: 'queued' }],
    [
      'waits for its mailbox before the hours',
      { mailbox: cutOff },
      { hours: closed, undoSeconds: 10 },
      { state: 'held', reason: 'mailbox_needs_reconnect', until: null, detail: 'Waits for Gmail.' },
    ],
  ])('%s', (_words, wish, rules, wanted) => {
    expect(departureOf({ ...single, ...wish }, { undoSeconds: 0, hours: null, timeZone, ...rules }, now)).toMatchObject(
      wanted,
    );
  });
});
