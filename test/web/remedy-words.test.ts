import { describe, expect, it } from 'vitest';
import type { Objection } from '../../src/deliveries/check-sender.ts';
import type { DeliverySummary } from '../../src/deliveries/deliveries.ts';
import { heldReasons, remedyOf } from '../../src/deliveries/remedy.ts';
import type { HeldReason } from '../../src/deliveries/state.ts';
import type { Lack } from '../../src/deliveries/withdrawn.ts';
import type { FailureCode } from '../../src/transport/refusal.ts';
import { mendWords } from '../../src/web/mend-words.ts';
import { headlineOf } from '../../src/web/remedy-words.ts';
import { aTold } from '../support/told.ts';

/** The 30th of November, half past eight in the evening in Dublin. */
const now = new Date('2026-11-30T20:30:00Z');
const at = new Date('2026-11-30T20:03:00Z');
const tomorrow = new Date('2026-12-01T20:03:00Z');
const tenant = { name: 'Brightwater', country: 'IE', currency: 'EUR', timeZone: 'Europe/Dublin' };
const admin = { viewer: { memberId: 'dana', role: 'admin', tenant, locale: 'en-IE' }, now } as const;
const tom = { viewer: { memberId: 'tom', role: 'member', tenant, locale: 'en-IE' }, now } as const;

type Row = readonly [
  over: Partial<DeliverySummary>,
  hindrance: Omit<Objection, 'words'> | null,
  headline: string,
  remedy: string | null,
];
const office = 'office@brightwater.example';
const accounts = 'accounts@brightwater.example';
const hindered = (reason: HeldReason, lacks?: Lack) => ({ reason, ...(lacks && { lacks }) });
const paused = { mailboxState: 'paused', mailboxStateAt: at, pausedByName: 'Dana' } as const;

/** Reason → headline → remedy. None may be missing: the types say so. */
const held: Record<HeldReason, readonly Row[]> = {
  mailbox_paused: [
    [paused, hindered('mailbox_paused'), `${office} was paused by Dana at 20:03`, 'Resume'],
    // Resumed, and too old to go out by itself.
    [{}, null, 'It can be sent again', 'Send now'],
    [
      { ...paused, mailboxStateAt: new Date('2026-11-28T10:00:00Z') },
      hindered('mailbox_paused'),
      `${office} was paused by Dana on 28 Nov 10:00`,
      'Resume',
    ],
  ],
  mailbox_needs_reconnect: [
    [
      { mailboxState: 'needs_reconnect', mailboxReason: 'password_changed' },
      hindered('mailbox_needs_reconnect'),
      `${office} must be connected to Gmail again`,
      'Reconnect',
    ],
    [
      { mailboxState: 'needs_reconnect', mailboxReason: 'no_gmail' },
      hindered('mailbox_needs_reconnect'),
      `${office} cannot send`,
      'What to do',
    ],
    // It was paused meanwhile: that comes first.
    [paused, hindered('mailbox_paused'), `${office} was paused by Dana at 20:03`, 'Resume'],
  ],
  mailbox_disconnected: [
    [
      { mailboxState: 'disconnected', mailboxStateAt: at },
      hindered('mailbox_disconnected'),
      `${office} was disconnected at 20:03`,
      'Connect',
    ],
  ],
  waited_too_long: [
    [{}, null, `It waited too long for ${office} to go out by itself`, 'Send now'],
    [paused, hindered('mailbox_paused'), `It waited too long for ${office} to go out by itself`, 'Resume'],
  ],
  sender_changed: [
    [{}, hindered('sender_changed'), `It would not come from ${accounts} any more`, 'Cancel it and send again…'],
    [
      {},
      { reason: 'sender_changed', isOfList: true },
      `It would not come from ${accounts} any more`,
      'Check the addresses',
    ],
    [{ documentId: null }, hindered('sender_changed'), `It would not come from ${accounts} any more`, null],
    [{}, null, 'It can be sent again', 'Send now'],
  ],
  from_changed: [
    [{}, hindered('from_changed'), `Gmail used another address instead of ${accounts} before`, 'Check the address'],
  ],
  not_allowed: [
    [{}, hindered('not_allowed', 'mailbox'), `Tom may not use ${office} any more`, 'Change who may use it'],
    [{}, hindered('not_allowed', 'role'), 'Tom may only look now', 'Change the role'],
    [{}, hindered('not_allowed', 'membership'), 'Tom was removed from the company', 'Cancel it and send again…'],
    [{}, hindered('not_allowed', 'left'), 'Tom left the company', 'Cancel it and send again…'],
    [{}, null, 'It can be sent again', 'Send now'],
  ],
  sending_limit: [[{ notBefore: tomorrow }, null, 'Gmail’s limit for one day is used up; leaves 1 Dec 20:03', null]],
  operator: [[{ notBefore: at }, null, 'Google did not let us in; tried again 20:03', null]],
  draft_edited: [[{}, null, 'Somebody changed its draft in Gmail', 'Send it as it was']],
  draft_deleted: [[{}, null, 'Somebody deleted its draft in Gmail', 'Send now']],
  not_sent: [[{}, null, 'It was not sent, though somebody asked for that long ago', 'Send now']],
  scheduled: [[{ notBefore: tomorrow }, null, 'Leaves 1 Dec 20:03', null]],
  outside_hours: [[{ notBefore: tomorrow }, null, 'Waits for sending hours · 1 Dec 20:03', null]],
  undo: [[{ notBefore: now }, null, 'Sent by Tom; can be undone for a moment', null]],
  restored: [
    [{}, null, 'After a restore from a backup: was it sent?', 'Decide'],
    [{ notBefore: now }, null, 'It is looked up in Gmail whether it was sent', null],
    // Whatever stands in its way, it is asked first whether it was sent.
    [paused, hindered('mailbox_paused'), 'After a restore from a backup: was it sent?', 'Decide'],
  ],
  found: [[{ notBefore: now }, null, 'Found in Gmail', null]],
  not_found: [[{ notBefore: now }, null, 'Not found in Gmail', null]],
  not_found_new: [[{ notBefore: now }, null, 'Not found in Gmail', null]],
  not_found_over: [[{ notBefore: now }, null, 'Not found in Gmail', null]],
  record_paid: [
    [{}, hindered('record_paid'), 'The invoice was paid before this left', 'Send it all the same'],
    // Marked as open again.
    [{}, null, 'It can be sent again', 'Send now'],
  ],
  stuck: [[{}, null, 'It could not be handed to Gmail, by an error on our side', 'Try again']],
  run_paused: [
    [
      { runId: 'run1', runState: 'paused', runStateAt: at, runStateByName: 'Dana' },
      null,
      'Its run was paused by Dana at 20:03',
      'Resume',
    ],
  ],
};
const refusal = (status: number, message: string) => ({ refusal: { status, reason: 'x', message } });
const failed: Record<FailureCode, readonly Row[]> = {
  bad_recipient: [
    [refusal(400, 'Invalid To header'), null, 'Gmail does not accept a recipient’s address', 'Correct the address'],
    [
      { ...refusal(400, 'Recipient address required'), documentId: null },
      null,
      'Gmail does not accept a recipient’s address',
      null,
    ],
  ],
  too_large: [[refusal(413, 'Too large'), null, 'It is larger than Gmail accepts', 'Open the record']],
  no_pdf: [[{ refusal: null }, null, 'Its PDF could not be made', 'Open the record']],
  refused: [
    [refusal(404, 'Requested entity was not found.'), null, 'Gmail refused it (404)', 'Correct and send again'],
  ],
};
const others: readonly Row[] = [
  [{ state: 'unconfirmed' }, null, 'Gmail’s answer never arrived: was it sent?', 'Decide'],
  [
    { state: 'sending', isInDoubt: true, notBefore: tomorrow },
    null,
    'Gmail’s answer never arrived; unclear until 1 Dec 20:03',
    null,
  ],
  [{ state: 'sending', isInDoubt: true, notBefore: at }, null, 'Gmail’s answer never arrived; being looked up', null],
  [
    { state: 'sent', fromChangedAt: at, sentFrom: office },
    null,
    `Left from another address: ${office}`,
    'Check the address',
  ],
];

const told = ([over, hindrance]: Row, reader: typeof admin | typeof tom) => {
  const delivery = aTold(over);
  const objection = hindrance && { ...hindrance, words: 'Because of that.' };
  const remedy = remedyOf(delivery, objection);
  return {
    remedy,
    headline: headlineOf(delivery, remedy, objection, reader),
    mends: mendWords(delivery, remedy, objection, reader),
  };
};
const rows = [
  ...Object.entries(held).flatMap(([heldReason, some]) =>
    some.map(([over, ...rest]) => [heldReason, [{ heldReason, ...over }, ...rest]] as const),
  ),
  ...Object.entries(failed).flatMap(([code, some]) =>
    some.map(([over, ...rest]) => [code, [{ state: 'failed', ...over }, ...rest]] as const),
  ),
  ...others.map((row) => [String(row[0].state), row] as const),
] as readonly (readonly [string, Row])[];

describe('the headline of an email is its reason, and its button the remedy', () => {
  it.each(rows)('%s: %j', (_reason, row) => {
    const { headline, mends } = told(row, admin);
    expect([headline?.title, mends && 'button' in mends ? mends.button.label : null]).toEqual([row[2], row[3]]);
    // It stands before a button, and says more than that nothing is lost.
    expect(headline?.title).not.toMatch(/\.$|nothing is lost/);
  });

  it('has one for every reason', () => {
    expect(new Set(heldReasons)).toEqual(new Set(Object.keys(held)));
  });

  it('says nothing of what is about to leave, or has', () => {
    for (const state of ['queued', 'sending', 'sent', 'cancelled'] as const)
      expect(told([{ state }, null, '', null], admin)).toMatchObject({ headline: null, mends: null });
  });
});

describe('whoever cannot mend it', () => {
  it('is told who can, and speaks of themselves as “you”', () => {
    const gone = told([{ heldReason: 'not_allowed' }, hindered('not_allowed', 'mailbox'), '', null], tom);
    expect(gone.headline?.title).toBe(`You may not use ${office} any more`);
    expect(gone.mends).toEqual({ ask: 'An owner or admin can do this.' });
    const stopped = told([{ heldReason: 'mailbox_paused', ...paused }, hindered('mailbox_paused'), '', null], tom);
    expect(stopped.mends).toEqual({ ask: 'An owner or admin can do this.' });
  });

  it('is not offered the Gmail of somebody else, which its owner mends', () => {
    const own = { ...paused, heldReason: 'mailbox_paused', mailboxKind: 'personal', mailboxMemberId: 'tom' } as const;
    expect(told([own, hindered('mailbox_paused'), '', null], tom).mends).toMatchObject({ button: { label: 'Resume' } });
    expect(told([own, hindered('mailbox_paused'), '', null], admin).mends).toEqual({ ask: 'Tom can do this.' });
  });
});

it('nothing is offered that would only be held again', () => {
  for (const [, [over, hindrance]] of rows) {
    const { remedy } = told([over, hindrance, '', null], admin);
    const asked = over.state === 'unconfirmed' || over.heldReason === 'restored';
    if (hindrance && !asked) expect(remedy.decisions).not.toContain('send_now');
    if (remedy.mend === 'send_now') expect(remedy.decisions).toContain('send_now');
  }
});
