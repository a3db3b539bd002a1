import { describe, expect, it } from 'vitest';
import {
  type RefusalReason,
  resolveSender,
  ruleFor,
  type SenderQuestion,
  type SenderRule,
} from '../../src/mailboxes/sender.ts';
import { isUsable, type MailboxFacts, type SendAsFacts } from '../../src/mailboxes/sender-facts.ts';

const dana = {
  ...{ id: 'dana', email: 'dana@brightwater.example', name: 'Dana Reyes' },
  ...{ maySend: true, defaultMailboxId: null },
};
const ask = (rule: SenderRule, mailboxes: MailboxFacts[], over: Partial<SenderQuestion> = {}) =>
  resolveSender({ rule, member: dana, mailboxes, standIn: false, ...over });

function mailbox(over: Partial<MailboxFacts> = {}): MailboxFacts {
  return {
    id: 'office',
    mayUse: true,
    kind: 'shared',
    memberId: null,
    delegated: false,
    email: 'office@brightwater.example',
    displayName: 'Brightwater Joinery',
    replyTo: null,
    isDefault: true,
    state: 'active',
    ended: null,
    capabilities: ['send', 'aliases'],
    sendAs: [],
    sendAsFetchedAt: null,
    swapped: [],
    ...over,
  };
}

function entry(email: string, verificationStatus: string | null, over: Partial<SendAsFacts> = {}): SendAsFacts {
  return { email, displayName: '', isPrimary: false, verificationStatus, ...over };
}

const own = (over: Partial<MailboxFacts> = {}) =>
  mailbox({
    id: 'own',
    kind: 'personal',
    memberId: dana.id,
    email: dana.email,
    displayName: 'Dana at work',
    isDefault: false,
    ...over,
  });
const delegated = (over: Partial<MailboxFacts> = {}) => own({ id: 'workspace', delegated: true, ...over });
const accounts = 'accounts@brightwater.example';
const alias: SenderRule = { mode: 'alias', mailboxId: 'office', email: accounts };
const asDana = (status: string | null) => mailbox({ sendAs: [entry(dana.email, status)] });
const withAlias = (status: string | null, over: Partial<MailboxFacts> = {}) =>
  mailbox({ sendAs: [entry(accounts, status)], ...over });

type Row = [
  what: string,
  rule: SenderRule,
  mailboxes: MailboxFacts[],
  expected: { from: string; via?: string; reconnect?: boolean } | RefusalReason,
];

const rows: Row[] = [
  // 1. default
  ['the default mailbox', { mode: 'default' }, [mailbox()], { from: 'office@brightwater.example' }],
  [
    'the default one of two, whatever their order',
    { mode: 'default' },
    [mailbox({ id: 'b', email: 'b@x.example', isDefault: false }), mailbox()],
    { from: 'office@brightwater.example' },
  ],
  [
    'a default mailbox that waits for reconnecting',
    { mode: 'default' },
    [mailbox({ state: 'needs_reconnect' })],
    { from: 'office@brightwater.example', reconnect: true },
  ],
  ['no mailbox at all', { mode: 'default' }, [], 'no_mailbox'],
  ['a disconnected default', { mode: 'default' }, [mailbox({ state: 'disconnected' })], 'no_mailbox'],
  ['only another shared one', { mode: 'default' }, [mailbox({ isDefault: false })], 'no_mailbox'],
  ['only the member’s own', { mode: 'default' }, [own()], 'no_mailbox'],
  ['a default that the member was not given', { mode: 'default' }, [mailbox({ mayUse: false })], 'not_given'],
  [
    'a default that the member was not given, beside one they were given',
    { mode: 'default' },
    [mailbox({ mayUse: false }), mailbox({ id: 'b', email: 'b@x.example', isDefault: false })],
    'not_given',
  ],

  // 2. current_user
  ['the member’s own Gmail', { mode: 'current_user' }, [own()], { from: dana.email, via: 'own' }],
  [
    'own Gmail before an alias',
    { mode: 'current_user' },
    [asDana('accepted'), own()],
    { from: dana.email, via: 'own' },
  ],
  [
    'own Gmail at another address',
    { mode: 'current_user' },
    [asDana('accepted'), own({ email: 'reyes@gmail.com' })],
    { from: 'reyes@gmail.com', via: 'own' },
  ],
  [
    'own Gmail to be reconnected, never replaced by the alias',
    { mode: 'current_user' },
    [asDana('accepted'), own({ state: 'needs_reconnect' })],
    { from: dana.email, via: 'own', reconnect: true },
  ],
  [
    'own Gmail disconnected, the address accepted',
    { mode: 'current_user' },
    [asDana('accepted'), own({ state: 'disconnected' })],
    { from: dana.email, via: 'office' },
  ],
  [
    'a Workspace account by delegation',
    { mode: 'current_user' },
    [delegated()],
    { from: dana.email, via: 'workspace' },
  ],
  [
    'own Gmail before the delegation',
    { mode: 'current_user' },
    [delegated(), own({ email: 'reyes@gmail.com' })],
    { from: 'reyes@gmail.com', via: 'own' },
  ],
  [
    'own Gmail to be reconnected, never replaced by the delegation',
    { mode: 'current_user' },
    [delegated(), own({ state: 'needs_reconnect' })],
    { from: dana.email, via: 'own', reconnect: true },
  ],
  [
    'the delegation where own Gmail is disconnected',
    { mode: 'current_user' },
    [own({ state: 'disconnected' }), delegated()],
    { from: dana.email, via: 'workspace' },
  ],
  [
    'the delegation before an alias',
    { mode: 'current_user' },
    [asDana('accepted'), delegated()],
    { from: dana.email, via: 'workspace' },
  ],
  [
    'a delegation that Google ended, never replaced by the alias',
    { mode: 'current_user' },
    [asDana('accepted'), delegated({ state: 'needs_reconnect' })],
    { from: dana.email, via: 'workspace', reconnect: true },
  ],
  [
    'a removed delegation, the address accepted',
    { mode: 'current_user' },
    [asDana('accepted'), delegated({ state: 'disconnected' })],
    { from: dana.email, via: 'office' },
  ],
  ['a colleague’s delegation', { mode: 'current_user' }, [delegated({ memberId: 'mira' })], 'member_has_no_address'],
  [
    'a delegation for the address the member had before',
    { mode: 'current_user' },
    [delegated({ email: 'd.reyes@brightwater.example' })],
    'member_has_no_address',
  ],
  ['a delegation is nobody’s default', { mode: 'default' }, [delegated()], 'no_mailbox'],
  [
    'own Gmail disconnected',
    { mode: 'current_user' },
    [mailbox(), own({ state: 'disconnected' })],
    'member_has_no_address',
  ],
  ['somebody else’s Gmail', { mode: 'current_user' }, [mailbox(), own({ memberId: 'mira' })], 'member_has_no_address'],
  [
    'somebody else’s Gmail at this address',
    { mode: 'current_user' },
    [own({ memberId: 'mira' })],
    'member_has_no_address',
  ],
  ['the address accepted', { mode: 'current_user' }, [asDana('accepted')], { from: dana.email, via: 'office' }],
  ['the address without a status', { mode: 'current_user' }, [asDana(null)], { from: dana.email, via: 'office' }],
  ['the address pending', { mode: 'current_user' }, [asDana('pending')], 'address_pending'],
  ['the address with a status nobody knows', { mode: 'current_user' }, [asDana('expired')], 'address_pending'],
  [
    'the address in other letters',
    { mode: 'current_user' },
    [mailbox({ sendAs: [entry('Dana@Brightwater.EXAMPLE', 'accepted')] })],
    { from: 'Dana@Brightwater.EXAMPLE', via: 'office' },
  ],
  [
    'the address pending on one mailbox, accepted on another',
    { mode: 'current_user' },
    [asDana('pending'), mailbox({ id: 'b', isDefault: false, sendAs: [entry(dana.email, 'accepted')] })],
    { from: dana.email, via: 'b' },
  ],
  [
    'the address accepted on two: the default one',
    { mode: 'current_user' },
    [
      mailbox({ id: 'a', email: 'a@x.example', isDefault: false, sendAs: [entry(dana.email, 'accepted')] }),
      asDana('accepted'),
    ],
    { from: dana.email, via: 'office' },
  ],
  [
    'the address is a shared mailbox itself',
    { mode: 'current_user' },
    [mailbox({ email: 'DANA@brightwater.example' })],
    { from: 'DANA@brightwater.example', via: 'office' },
  ],
  [
    'the address accepted on a disconnected mailbox',
    { mode: 'current_user' },
    [mailbox({ state: 'disconnected', sendAs: [entry(dana.email, 'accepted')] })],
    'member_has_no_address',
  ],
  [
    'the address accepted on a mailbox that the member was not given',
    { mode: 'current_user' },
    [mailbox({ mayUse: false, sendAs: [entry(dana.email, 'accepted')] })],
    'member_has_no_address',
  ],
  [
    'the address accepted on one that they were not given, and on one that they were',
    { mode: 'current_user' },
    [
      mailbox({ mayUse: false, sendAs: [entry(dana.email, 'accepted')] }),
      mailbox({ id: 'b', email: 'b@x.example', isDefault: false, sendAs: [entry(dana.email, 'accepted')] }),
    ],
    { from: dana.email, via: 'b' },
  ],
  [
    'an address that nobody may look up',
    { mode: 'current_user' },
    [mailbox({ capabilities: ['send'], sendAs: [entry(dana.email, 'accepted')] })],
    'aliases_unreadable',
  ],
  ['no address of the member anywhere', { mode: 'current_user' }, [withAlias('accepted')], 'member_has_no_address'],

  // 3. alias
  ['an accepted alias', alias, [withAlias('accepted')], { from: accounts, via: 'office' }],
  ['an alias without a status', alias, [withAlias(null)], { from: accounts, via: 'office' }],
  ['a pending alias', alias, [withAlias('pending')], 'address_pending'],
  ['an alias that is gone', alias, [mailbox()], 'alias_gone'],
  ['an alias nobody may look up', alias, [mailbox({ capabilities: ['send'] })], 'aliases_unreadable'],
  [
    'an alias in other letters',
    { ...alias, email: 'Accounts@Brightwater.Example' },
    [withAlias('accepted')],
    { from: accounts, via: 'office' },
  ],
  [
    'the primary address as the fixed one',
    { ...alias, email: 'office@brightwater.example' },
    [mailbox({ sendAs: [entry('office@brightwater.example', null, { isPrimary: true })] })],
    { from: 'office@brightwater.example' },
  ],
  [
    'the primary address without any list',
    { ...alias, email: 'office@brightwater.example' },
    [mailbox({ capabilities: ['send'] })],
    { from: 'office@brightwater.example' },
  ],
  [
    'an alias of a mailbox to be reconnected',
    alias,
    [withAlias('accepted', { state: 'needs_reconnect' })],
    { from: accounts, via: 'office', reconnect: true },
  ],
  [
    'an alias of a disconnected mailbox',
    alias,
    [withAlias('accepted', { state: 'disconnected' })],
    'alias_mailbox_gone',
  ],
  ['an alias of a mailbox that is not given', alias, [own()], 'alias_mailbox_gone'],
  [
    'an alias of a mailbox that the member was not given',
    alias,
    [withAlias('accepted', { mayUse: false })],
    'not_given',
  ],
  [
    'an alias of a mailbox that the member was not given, disconnected',
    alias,
    [withAlias('accepted', { mayUse: false, state: 'disconnected' })],
    'not_given',
  ],
  [
    'the same alias accepted on another mailbox only',
    alias,
    [withAlias('pending'), withAlias('accepted', { id: 'b', email: 'b@x.example', isDefault: false })],
    'address_pending',
  ],
];

describe('who an email comes from', () => {
  it.each(rows)('%s', (_what, rule, mailboxes, expected) => {
    const resolution = ask(rule, mailboxes);
    if (typeof expected === 'string') {
      expect(resolution).toMatchObject({ ok: false, reason: expected });
      // A refusal always says what happened and what to do.
      if (!resolution.ok) for (const words of [resolution.because, resolution.fix]) expect(words).toMatch(/\w+.*\.$/);
      return;
    }
    expect(resolution).toMatchObject({
      ok: true,
      needsReconnect: expected.reconnect ?? false,
      sender: { fromEmail: expected.from, ...(expected.via && { mailboxId: expected.via }) },
    });
  });

  it('is named as the mailbox, the member or the alias is', () => {
    const nameOf = (rule: SenderRule, mailboxes: MailboxFacts[]) => {
      const resolution = ask(rule, mailboxes);
      return resolution.ok ? resolution.sender.fromName : resolution.reason;
    };
    expect(nameOf({ mode: 'default' }, [mailbox()])).toBe('Brightwater Joinery');
    expect(nameOf({ mode: 'current_user' }, [own()])).toBe('Dana at work');
    expect(nameOf({ mode: 'current_user' }, [asDana('accepted')])).toBe('Dana Reyes');
    expect(nameOf(alias, [mailbox({ sendAs: [entry(accounts, null, { displayName: 'Accounts' })] })])).toBe('Accounts');
    // Without a name of its own Gmail would put the account's name there.
    expect(nameOf(alias, [withAlias('accepted')])).toBe('Brightwater Joinery');
  });

  it('has replies go where its mailbox says', () => {
    const mailboxes = [mailbox({ replyTo: 'hello@brightwater.example' })];
    const resolution = ask({ mode: 'default' }, mailboxes);
    expect(resolution).toMatchObject({ sender: { replyTo: 'hello@brightwater.example' } });
  });
});

describe('a member’s own default', () => {
  const second = (over: Partial<MailboxFacts> = {}) =>
    mailbox({ id: 'second', email: 'second@brightwater.example', displayName: 'Second', isDefault: false, ...over });
  const withDefault = (id: string) => ({ member: { ...dana, defaultMailboxId: id } });

  it.each<[string, MailboxFacts[], string, string]>([
    ['another shared mailbox', [mailbox(), second()], 'second', 'second@brightwater.example'],
    ['their own Gmail', [mailbox(), own()], 'own', dana.email],
    ['the company’s default itself', [mailbox(), second()], 'office', 'office@brightwater.example'],
    [
      'one of several, where the company’s was not given to them',
      [mailbox({ mayUse: false }), second()],
      'second',
      'second@brightwater.example',
    ],
  ])('may be %s', (_what, mailboxes, chosen, from) => {
    const resolution = ask({ mode: 'default' }, mailboxes, withDefault(chosen));
    expect(resolution).toMatchObject({ ok: true, sender: { mailboxId: chosen, fromEmail: from } });
    expect(resolution.because).toContain('you chose');
  });

  it.each<[string, MailboxFacts[]]>([
    ['not given to them any more', [mailbox(), second({ mayUse: false })]],
    ['disconnected', [mailbox(), second({ state: 'disconnected' })]],
    ['not there', [mailbox()]],
  ])('is refused where it is %s, and never replaced by the company’s', (_what, mailboxes) => {
    expect(ask({ mode: 'default' }, mailboxes, withDefault('second'))).toMatchObject({
      ok: false,
      reason: 'own_default_gone',
    });
  });

  it('waits where it must be connected again', () => {
    const mailboxes = [mailbox(), second({ state: 'needs_reconnect' })];
    expect(ask({ mode: 'default' }, mailboxes, withDefault('second'))).toMatchObject({
      ok: true,
      needsReconnect: true,
    });
  });

  it('changes nothing about the other ways to send', () => {
    const mailboxes = [withAlias('accepted'), second(), own()];
    for (const rule of [alias, { mode: 'current_user' } as const]) {
      expect(ask(rule, mailboxes, withDefault('second'))).toEqual(ask(rule, mailboxes));
    }
  });
});

describe('the default mailbox standing in for a member', () => {
  const current = { mode: 'current_user' } as const;

  it('sends from the default with replies to the member, and says so', () => {
    const resolution = ask(current, [mailbox({ replyTo: 'hello@brightwater.example' })], { standIn: true });
    expect(resolution).toMatchObject({
      ...{ ok: true, standsIn: true },
      sender: { fromEmail: 'office@brightwater.example', fromName: 'Brightwater Joinery', replyTo: dana.email },
    });
    expect(resolution.because).toContain('dana@brightwater.example is not connected');
    expect(resolution.because).toContain('stand in');
  });

  it('does so while the member’s address waits to be confirmed, and from their own default where they chose one', () => {
    expect(ask(current, [asDana('pending')], { standIn: true })).toMatchObject({ ok: true, standsIn: true });
    const mailboxes = [mailbox(), mailbox({ id: 'b', email: 'b@x.example', isDefault: false })];
    const member = { ...dana, defaultMailboxId: 'b' };
    expect(ask(current, mailboxes, { standIn: true, member })).toMatchObject({
      ...{ ok: true, standsIn: true },
      sender: { fromEmail: 'b@x.example', replyTo: dana.email },
    });
  });

  it('never stands before the member’s own Gmail or address', () => {
    for (const mailboxes of [
      [mailbox(), own()],
      [mailbox(), own({ state: 'needs_reconnect' })],
      [asDana('accepted')],
    ]) {
      expect(ask(current, mailboxes, { standIn: true })).toEqual(ask(current, mailboxes));
      expect(ask(current, mailboxes)).toMatchObject({ ok: true, standsIn: false });
    }
  });

  it('is refused where the company did not switch it on, or the member may not use the default', () => {
    expect(ask(current, [mailbox()])).toMatchObject({ ok: false, reason: 'member_has_no_address' });
    expect(ask(current, [mailbox({ mayUse: false })], { standIn: true })).toMatchObject({
      ...{ ok: false, reason: 'member_has_no_address' },
    });
  });

  it('has nothing to do with the other ways to send', () => {
    for (const rule of [alias, { mode: 'default' } as const]) {
      expect(ask(rule, [mailbox()], { standIn: true })).toEqual(ask(rule, [mailbox()]));
    }
  });
});

it('a member who may only look, or was removed, has no sender, whatever the rule', () => {
  const member = { ...dana, maySend: false };
  for (const rule of [alias, { mode: 'default' }, { mode: 'current_user' }] satisfies SenderRule[]) {
    const resolution = ask(rule, [withAlias('accepted'), own()], { member, standIn: true });
    expect(resolution).toMatchObject({ ok: false, reason: 'may_not_send' });
  }
});

describe('an address of Send mail as', () => {
  it.each([
    ['accepted', false, true],
    [null, false, true],
    [null, true, true],
    ['pending', false, false],
    ['verificationStatusUnspecified', false, false],
    ['', false, false],
  ])('with status %s, primary %s, may be used: %s', (status, isPrimary, usable) => {
    expect(isUsable(entry(accounts, status, { isPrimary }))).toBe(usable);
  });
});

describe('the rule for a kind of record', () => {
  const general = { documentKind: null, rule: { mode: 'current_user' } } as const;
  const forInvoices = { documentKind: 'invoice', rule: { mode: 'default' } } as const;

  it('is the one of that kind, else the general one, else the default', () => {
    expect(ruleFor('invoice', [general, forInvoices])).toEqual({ mode: 'default' });
    expect(ruleFor('quote', [forInvoices, general])).toEqual({ mode: 'current_user' });
    expect(ruleFor('quote', [forInvoices])).toEqual({ mode: 'default' });
    expect(ruleFor('quote', [])).toEqual({ mode: 'default' });
  });

  it('is the general one for a test email, whatever holds for kinds', () => {
    expect(ruleFor(null, [forInvoices, general])).toEqual({ mode: 'current_user' });
  });
});
