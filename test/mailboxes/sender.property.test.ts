import fc from 'fast-check';
import { expect, it } from 'vitest';
import { resolveSender, type SenderQuestion } from '../../src/mailboxes/sender.ts';
import { isUsable, type MailboxFacts } from '../../src/mailboxes/sender-facts.ts';
import { propertyRuns } from '../support/at-length.ts';

// Few values, so that they meet: every address can be a mailbox, an alias and the member's, in any case.
const address = fc
  .constantFrom('a@x.example', 'b@x.example', 'c@y.example', 'd@y.example')
  .chain((email) => fc.constantFrom(email, email.toUpperCase(), email.replace('x', 'X')));
const memberId = fc.constantFrom('m1', 'm2');
const ids = ['1', '2', '3', '4'] as const;

const sendAs = fc.record({
  email: address,
  displayName: fc.constantFrom('', 'Accounts'),
  isPrimary: fc.boolean(),
  verificationStatus: fc.constantFrom(null, 'accepted', 'pending', 'expired'),
});

const mailboxes = fc
  .tuple(...ids.map(mailboxWithId))
  .chain((all) => fc.subarray(all))
  // As the database holds it, a tenant has one default.
  .map((all) => all.map((each, index) => ({ ...each, isDefault: index === all.findIndex((one) => one.isDefault) })));

function mailboxWithId(id: string): fc.Arbitrary<MailboxFacts> {
  return fc
    .record({
      mayUse: fc.boolean(),
      kind: fc.constantFrom('shared', 'personal'),
      owner: memberId,
      delegated: fc.boolean(),
      email: address,
      displayName: fc.constant('Somebody'),
      replyTo: fc.constantFrom(null, 'reply@x.example'),
      isDefault: fc.boolean(),
      state: fc.constantFrom('active', 'needs_reconnect', 'disconnected'),
      capabilities: fc.constantFrom(['send'], ['send', 'aliases']),
      sendAs: fc.array(sendAs, { maxLength: 4 }),
    })
    .map(({ owner, kind, isDefault, delegated, ...rest }): MailboxFacts => {
      const personal = kind === 'personal';
      return {
        id,
        sendAsFetchedAt: null,
        ended: null,
        swapped: [],
        ...rest,
        kind: personal ? 'personal' : 'shared',
        memberId: personal ? owner : null,
        delegated: delegated && personal,
        isDefault: isDefault && !personal,
      };
    });
}

const question: fc.Arbitrary<SenderQuestion> = fc.record({
  rule: fc.oneof(
    fc.constant({ mode: 'default' } as const),
    fc.constant({ mode: 'current_user' } as const),
    fc.record({ mode: fc.constant('alias' as const), mailboxId: fc.constantFrom(...ids), email: address }),
  ),
  member: fc.record({
    ...{ id: memberId, email: address, name: fc.constant('Dana') },
    maySend: fc.integer({ min: 0, max: 9 }).map((dice) => dice > 0),
    defaultMailboxId: fc.oneof(fc.constant(null), fc.constantFrom(...ids)),
  }),
  standIn: fc.boolean(),
  mailboxes,
});

const same = (one: string, other: string) => one.toLowerCase() === other.toLowerCase();

/** What Gmail lists decides; only an address it does not list at all may be the account's own. */
function mayBeFrom(mailbox: MailboxFacts, email: string): boolean {
  const listed = mailbox.sendAs.find((entry) => same(entry.email, email));
  return listed ? isUsable(listed) : same(mailbox.email, email);
}

function isTheDefault({ member }: SenderQuestion, mailbox: MailboxFacts, from: string): boolean {
  const chosen = member.defaultMailboxId;
  return (chosen === null ? mailbox.isDefault : mailbox.id === chosen) && from === mailbox.email;
}

function isWhatWasAsked(asked: SenderQuestion, mailbox: MailboxFacts, from: string, standsIn: boolean): boolean {
  const { rule, member } = asked;
  if (standsIn) return rule.mode === 'current_user' && asked.standIn && isTheDefault(asked, mailbox, from);
  switch (rule.mode) {
    case 'default':
      return isTheDefault(asked, mailbox, from);
    case 'current_user':
      return mailbox.kind === 'personal'
        ? mailbox.memberId === member.id && from === mailbox.email && (!mailbox.delegated || same(from, member.email))
        : same(from, member.email) && mayBeFrom(mailbox, from);
    case 'alias':
      return mailbox.id === rule.mailboxId && same(from, rule.email) && mayBeFrom(mailbox, from);
    default:
      return rule satisfies never;
  }
}

it('a sender is always what was asked for, on a connected mailbox, at an address that is really its own', () => {
  const seen = { ok: 0, refused: 0, standsIn: 0 };
  fc.assert(
    fc.property(question, (asked) => {
      const resolution = resolveSender(asked);
      seen[resolution.ok ? 'ok' : 'refused'] += 1;
      if (!resolution.ok) return;
      if (resolution.standsIn) seen.standsIn += 1;
      const { sender } = resolution;
      const mailbox = asked.mailboxes.find((each) => each.id === sender.mailboxId);
      if (!mailbox) throw new Error('a mailbox that was not given');
      expect(mailbox.state).not.toBe('disconnected');
      expect(resolution.needsReconnect).toBe(mailbox.state === 'needs_reconnect');
      expect(sender.mailboxEmail).toBe(mailbox.email);
      expect(mailbox.mayUse).toBe(true);
      expect(asked.member.maySend).toBe(true);
      expect(isWhatWasAsked(asked, mailbox, sender.fromEmail, resolution.standsIn)).toBe(true);
      expect(sender.replyTo).toBe(resolution.standsIn ? asked.member.email : mailbox.replyTo);
      if (resolution.standsIn) expect(resolution.because).toContain('stand in');
    }),
    { numRuns: propertyRuns(5_000) },
  );
  // A property that never sees a sender would hold of anything.
  expect(Math.min(seen.ok, seen.refused)).toBeGreaterThan(20);
  expect(seen.standsIn).toBeGreaterThan(0);
});

it('a member’s own Gmail, however it stands, is never passed over for another', () => {
  fc.assert(
    fc.property(question, (asked) => {
      const own = asked.mailboxes.filter(
        ({ kind, delegated, memberId, state, mayUse }) =>
          kind === 'personal' && !delegated && memberId === asked.member.id && state !== 'disconnected' && mayUse,
      );
      fc.pre(own.length > 0 && asked.member.maySend);
      const resolution = resolveSender({ ...asked, rule: { mode: 'current_user' } });
      expect(resolution.ok && own.some((each) => each.id === resolution.sender.mailboxId)).toBe(true);
    }),
    { numRuns: propertyRuns(1_000) },
  );
});

it('what the member may not use changes nothing and is named nowhere', () => {
  let named = 0;
  fc.assert(
    fc.property(question, (asked) => {
      // Addresses of its own for each that is withheld, so that a name could only come from there.
      const mailboxes = asked.mailboxes.map((each) =>
        each.mayUse ? each : { ...each, email: `secret-${each.id}@withheld.example`, displayName: 'Withheld' },
      );
      const resolution = resolveSender({ ...asked, mailboxes });
      named += mailboxes.filter((each) => !each.mayUse).length;
      expect(JSON.stringify(resolution)).not.toMatch(/withheld/i);
      const without = resolveSender({ ...asked, mailboxes: mailboxes.filter((each) => each.mayUse) });
      expect(without.ok).toBe(resolution.ok);
      if (resolution.ok) expect(without).toEqual(resolution);
    }),
    { numRuns: propertyRuns(3_000) },
  );
  expect(named).toBeGreaterThan(100);
});
