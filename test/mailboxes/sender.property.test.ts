import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isUsable, type MailboxFacts, resolveSender, type SenderQuestion } from '../../src/mailboxes/sender.ts';

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

const mailboxes = fc.tuple(...ids.map(mailboxWithId)).chain((all) => fc.subarray(all));

function mailboxWithId(id: string): fc.Arbitrary<MailboxFacts> {
  return fc
    .record({
      kind: fc.constantFrom('shared', 'personal'),
      owner: memberId,
      email: address,
      displayName: fc.constant('Somebody'),
      replyTo: fc.constantFrom(null, 'reply@x.example'),
      isDefault: fc.boolean(),
      state: fc.constantFrom('active', 'needs_reconnect', 'disconnected'),
      capabilities: fc.constantFrom(['send'], ['send', 'aliases']),
      sendAs: fc.array(sendAs, { maxLength: 4 }),
    })
    .map(({ owner, kind, isDefault, ...rest }): MailboxFacts => {
      const personal = kind === 'personal';
      return {
        id,
        ...rest,
        kind: personal ? 'personal' : 'shared',
        memberId: personal ? owner : null,
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
  member: fc.record({ id: memberId, email: address, name: fc.constant('Dana') }),
  mailboxes,
});

const same = (one: string, other: string) => one.toLowerCase() === other.toLowerCase();

/** What Gmail lists decides; only an address it does not list at all may be the account's own. */
function mayBeFrom(mailbox: MailboxFacts, email: string): boolean {
  const listed = mailbox.sendAs.find((entry) => same(entry.email, email));
  return listed ? isUsable(listed) : same(mailbox.email, email);
}

function isWhatWasAsked({ rule, member }: SenderQuestion, mailbox: MailboxFacts, from: string): boolean {
  switch (rule.mode) {
    case 'default':
      return mailbox.isDefault && from === mailbox.email;
    case 'current_user':
      return mailbox.kind === 'personal'
        ? mailbox.memberId === member.id && from === mailbox.email
        : same(from, member.email) && mayBeFrom(mailbox, from);
    case 'alias':
      return mailbox.id === rule.mailboxId && same(from, rule.email) && mayBeFrom(mailbox, from);
    default:
      return rule satisfies never;
  }
}

it('a sender is always what was asked for, on a connected mailbox, at an address that is really its own', () => {
  const seen = { ok: 0, refused: 0 };
  fc.assert(
    fc.property(question, (asked) => {
      const resolution = resolveSender(asked);
      seen[resolution.ok ? 'ok' : 'refused'] += 1;
      if (!resolution.ok) return;
      const { sender } = resolution;
      const mailbox = asked.mailboxes.find((each) => each.id === sender.mailboxId);
      if (!mailbox) throw new Error('a mailbox that was not given');
      expect(mailbox.state).not.toBe('disconnected');
      expect(resolution.needsReconnect).toBe(mailbox.state === 'needs_reconnect');
      expect(sender.mailboxEmail).toBe(mailbox.email);
      expect(isWhatWasAsked(asked, mailbox, sender.fromEmail)).toBe(true);
    }),
    { numRuns: 3_000 },
  );
  // A property that never sees a sender would hold of anything.
  expect(Math.min(seen.ok, seen.refused)).toBeGreaterThan(300);
});

it('a member’s own Gmail, however it stands, is never passed over for another', () => {
  fc.assert(
    fc.property(question, (asked) => {
      const own = asked.mailboxes.filter(
        (each) => each.kind === 'personal' && each.memberId === asked.member.id && each.state !== 'disconnected',
      );
      fc.pre(own.length > 0);
      const resolution = resolveSender({ ...asked, rule: { mode: 'current_user' } });
      expect(resolution.ok && own.some((each) => each.id === resolution.sender.mailboxId)).toBe(true);
    }),
    { numRuns: 1_000 },
  );
});
