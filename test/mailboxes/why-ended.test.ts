import { describe, expect, it } from 'vitest';
import type { GoogleFailure } from '../../src/google/errors.ts';
import { endedWords, readReason } from '../../src/mailboxes/ended-words.ts';
import { type EndedReason, endsPermission, type GrantFacts, whyEnded } from '../../src/mailboxes/why-ended.ts';

const hour = 3_600_000;
const day = 24 * hour;
const now = new Date('2026-11-21T09:00:00Z');
const ago = (ms: number) => new Date(now.getTime() - ms);

/** A grant that is three months old, in daily use, of an app that is known not to be in Testing. */
const healthy: GrantFacts = {
  now,
  grantedAt: ago(90 * day),
  lastRefreshedAt: ago(hour),
  endsAt: null,
  tokensSince: 0,
  appOutlivedAWeek: true,
  neighboursEnded: 0,
};
const answered = (reason: string, message: string, status = 400): GoogleFailure => ({
  ...{ kind: 'answered', status, reason, message },
});
const plain = answered('invalid_grant', 'Token has been expired or revoked.');

describe('why a permission ended, where Google says so', () => {
  it.each([
    ['invalid_grant', 'The account has been deleted', 'account_deleted'],
    ['invalid_grant', 'Account has been deleted', 'account_deleted'],
    ['invalid_grant', 'Account disabled', 'account_disabled'],
    ['invalid_grant', 'The account is suspended.', 'account_disabled'],
    ['invalid_grant', 'reauth related error (invalid_rapt)', 'reauth'],
    ['admin_policy_enforced', '', 'admin_policy'],
    ['org_internal', '', 'admin_policy'],
    ['access_denied', 'Account restricted', 'admin_policy'],
  ] as const)('%s “%s”: %s, whatever else we know', (reason, message, why) => {
    for (const facts of [healthy, { ...healthy, lastRefreshedAt: ago(300 * day), tokensSince: 200 }]) {
      expect(whyEnded(answered(reason, message), facts)).toEqual({ reason: why, sure: true });
    }
  });
});

describe('why a permission ended, where Google only says that it did', () => {
  const young = { grantedAt: ago(8 * day), lastRefreshedAt: ago(8 * day), appOutlivedAWeek: false };
  it.each<[string, Partial<GrantFacts>, EndedReason, boolean]>([
    ['nothing is known', {}, 'revoked', false],
    ['it was not used for 182 days', { lastRefreshedAt: ago(182 * day) }, 'unused', true],
    ['it was used 180 days ago', { lastRefreshedAt: ago(180 * day) }, 'revoked', false],
    ['100 newer ones were given to us', { tokensSince: 100 }, 'too_many', false],
    ['99 newer ones were given to us', { tokensSince: 99 }, 'revoked', false],
    ['its seventh day passed unseen, and no other lived longer', young, 'testing_week', false],
    ['its seventh day passed unseen, but others lived longer', { ...young, appOutlivedAWeek: true }, 'revoked', false],
    ['it is six days old', { ...young, grantedAt: ago(6 * day), lastRefreshedAt: ago(6 * day) }, 'revoked', false],
    ['it worked after its seventh day', { ...young, lastRefreshedAt: ago(0.9 * day) }, 'revoked', false],
    [
      'it worked an hour before its seventh day',
      { ...young, grantedAt: ago(7 * day + hour), lastRefreshedAt: ago(2 * hour) },
      'testing_week',
      false,
    ],
    ['others of its domain ended just now', { neighboursEnded: 1 }, 'admin_policy', false],
    ['others of its domain ended with it, on its seventh day', { ...young, neighboursEnded: 1 }, 'testing_week', false],
    [
      'Google gave it for 30 days, and they are over',
      { grantedAt: ago(31 * day), endsAt: ago(day) },
      'time_limit',
      true,
    ],
    [
      'Google gave it for a week, as it does in Testing',
      { grantedAt: ago(8 * day), endsAt: ago(day) },
      'testing_week',
      true,
    ],
    ['Google gave it for 30 days, and they are not over', { endsAt: new Date(now.getTime() + day) }, 'revoked', false],
  ])('%s', (_what, over, reason, sure) => {
    expect(whyEnded(plain, { ...healthy, ...over })).toEqual({ reason, sure });
    // “Bad Request” is what Google says of a token it does not know any more.
    expect(whyEnded(answered('invalid_grant', 'Bad Request'), { ...healthy, ...over })).toEqual({ reason, sure });
  });
});

describe('what a refresh was answered', () => {
  it.each<[GoogleFailure, boolean]>([
    [plain, true],
    [answered('admin_policy_enforced', ''), true],
    [answered('invalid_client', 'The provided client secret is invalid.', 401), false],
    [answered('deleted_client', 'The OAuth client was deleted.', 401), false],
    [answered('unauthorized_client', 'Unauthorized', 401), false],
    [answered('invalid_grant', 'once more, please', 503), false],
    [answered('rate_limit_exceeded', '', 429), false],
    [{ kind: 'lost', code: 'ECONNRESET', message: '' }, false],
    [{ kind: 'not_sent', code: 'ENOTFOUND', message: '' }, false],
  ])('%o ends the permission: %s', (failure, ends) => {
    expect(endsPermission(failure)).toBe(ends);
  });
});

describe('each reason', () => {
  const reasons: Record<EndedReason, true> = {
    ...{ revoked: true, removed: true, password_changed: true, testing_week: true, unused: true, time_limit: true },
    ...{
      too_many: true,
      admin_policy: true,
      account_deleted: true,
      account_disabled: true,
      was_disabled: true,
      reauth: true,
    },
    ...{ missing_permission: true, no_gmail: true, mailbox_suspended: true, refused: true, app_changed: true },
    key_lost: true,
    ...{ delegation_ended: true, no_such_person: true, other_person: true },
  };
  const all = Object.keys(reasons).map(readReason);
  const say = (reason: EndedReason, sure = true) => endedWords({ reason, sure }, 'office@brightwater.example');

  it('has a sentence of its own, and a fix', () => {
    expect(all).toHaveLength(21);
    expect(new Set(all.map((reason) => say(reason).what)).size).toBe(all.length);
    for (const reason of all) {
      const { what, fix } = say(reason);
      expect(what, reason).toMatch(/^[A-Z].+\.$/);
      expect(fix, reason).toMatch(/^[A-Z].+\.$/);
      expect(`${what} ${fix}`, reason).not.toMatch(/token|OAuth|scope|invalid_|grant/i);
    }
  });

  it('says “most likely” where Google did not say, and keeps names as they are', () => {
    for (const reason of all) {
      expect(say(reason, false).what).toMatch(/^Most likely (?!The|Somebody)/);
      expect(say(reason).what).not.toContain('Office@');
    }
  });

  it('is read back from a row, and what is none of ours is “revoked”', () => {
    expect(all.map(readReason)).toEqual(all);
    for (const other of [null, '', 'constructor', 'something older']) expect(readReason(other)).toBe('revoked');
  });
});
