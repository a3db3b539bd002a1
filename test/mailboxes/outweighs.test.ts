import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { saidByGmail } from '../../src/mailboxes/mailbox-trouble.ts';
import { type EndingSource, isSaidByGmail, outweighs } from '../../src/mailboxes/outweighs.ts';
import type { Ended, EndedReason } from '../../src/mailboxes/why-ended.ts';
import { propertyRuns } from '../support/at-length.ts';

const ofConnection = [
  ...(['revoked', 'removed', 'password_changed', 'testing_week', 'unused', 'time_limit', 'too_many'] as const),
  ...(['account_deleted', 'account_disabled', 'was_disabled', 'reauth', 'app_changed', 'key_lost'] as const),
  ...(['delegation_ended', 'no_such_person', 'other_person'] as const),
] satisfies EndedReason[];
const anyOf = (reasons: readonly EndedReason[]): fc.Arbitrary<Ended> =>
  fc.record({ reason: fc.constantFrom(...reasons), sure: fc.boolean() });
const known = anyOf([...ofConnection, ...saidByGmail]);
const said = fc.constantFrom(...saidByGmail).map((reason) => ({ reason, sure: true, from: 'gmail' as const }));
const over = anyOf(ofConnection).map((ended) => ({ ...ended, from: 'connection' as const }));
const runs = { numRuns: propertyRuns(2_000) };

describe('why a mailbox cannot send', () => {
  it('is the end of its connection, once that is over, whatever Gmail had said before', () => {
    fc.assert(
      fc.property(said, over, (before, now) => outweighs(now, before)),
      runs,
    );
  });

  it('is what Gmail says, once a token works again, and a word that names something stays', () => {
    fc.assert(
      fc.property(over, said, (before, now) => outweighs(now, before)),
      runs,
    );
    for (const reason of saidByGmail) {
      const names = reason !== 'refused';
      expect(outweighs({ reason: 'refused', sure: true, from: 'gmail' }, { reason, sure: true }), reason).toBe(false);
      if (names) expect(outweighs({ reason, sure: true, from: 'gmail' }, { reason: 'refused', sure: true })).toBe(true);
    }
  });

  it('never goes from a certain end of the connection to a guess, nor from a reason to itself', () => {
    fc.assert(
      fc.property(known, over, (before, now) => {
        if (before.reason === now.reason && (before.sure || !now.sure)) expect(outweighs(now, before)).toBe(false);
        if (!now.sure && !(before.sure && isSaidByGmail(before.reason))) expect(outweighs(now, before)).toBe(false);
        if (now.sure && before.reason !== now.reason) expect(outweighs(now, before)).toBe(true);
      }),
      runs,
    );
  });

  it.each<[EndedReason, EndingSource, EndedReason, boolean]>([
    ['removed', 'told', 'revoked', true],
    ['removed', 'told', 'no_gmail', true],
    ['removed', 'later', 'no_gmail', false],
    ['removed', 'told', 'password_changed', false],
    ['password_changed', 'later', 'removed', true],
    ['password_changed', 'later', 'account_disabled', false],
    ['account_disabled', 'told', 'password_changed', true],
    ['account_disabled', 'told', 'account_deleted', false],
    ['was_disabled', 'later', 'account_disabled', true],
    ['was_disabled', 'later', 'revoked', false],
    ['account_disabled', 'told', 'was_disabled', true],
  ])('the event %s (%s) in place of %s: %s', (reason, from, before, replaces) => {
    expect(outweighs({ reason, sure: reason !== 'removed', from }, { reason: before, sure: true })).toBe(replaces);
  });
});
