import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { endMailbox, pauseMailbox, recoverMailbox, resumeMailbox } from '../../src/mailboxes/health.ts';
import type { EndingSource } from '../../src/mailboxes/outweighs.ts';
import type { Ended } from '../../src/mailboxes/why-ended.ts';
import type { Database } from '../../src/platform/database.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { aMailbox } from '../support/rows.ts';

let database: TestDatabase;
let tenantId: string;
let memberId: string;
let mailboxId: string;
let minutes = 0;

beforeAll(async () => {
  database = await testDatabase();
  ({ tenantId, memberId } = await database.tenant());
});
beforeEach(async () => {
  mailboxId = await inside((trx) => aMailbox(trx, tenantId));
});
afterAll(() => database.close());

const inside = <T>(work: (trx: Database) => Promise<T>) => inTenant(database.db, tenantId, work);
const later = () => {
  minutes += 1;
  return new Date(Date.UTC(2026, 10, 21, 9, minutes));
};
const revoked = { reason: 'revoked', sure: false } as const;
const password = { reason: 'password_changed', sure: true } as const;
const end = (ended: Ended, from: EndingSource = 'connection') =>
  inside((trx) => endMailbox(trx, tenantId, mailboxId, { ...ended, from, at: later() }));
const recover = (proof: 'token' | 'gmail' = 'token') =>
  inside((trx) => recoverMailbox(trx, tenantId, mailboxId, later(), proof));
const pause = () => inside((trx) => pauseMailbox(trx, tenantId, mailboxId, { memberId, at: later() }));
const resume = () => inside((trx) => resumeMailbox(trx, tenantId, mailboxId, { memberId, at: later() }));
const state = () =>
  inside((trx) =>
    trx
      .selectFrom('mailboxes')
      .select(['state', 'state_reason as reason', 'state_sure as sure', 'paused_by as pausedBy'])
      .where('id', '=', mailboxId)
      .executeTakeFirstOrThrow(),
  );
const history = () =>
  inside((trx) =>
    trx
      .selectFrom('mailbox_events')
      .select(['kind', 'reason', 'sure', 'member_id as memberId', 'noticed_at as noticedAt'])
      .where('mailbox_id', '=', mailboxId)
      .orderBy('id')
      .execute(),
  );
const kinds = async () => (await history()).map(({ kind }) => kind);

describe('a connection that ended', () => {
  it('is marked by one of twenty that notice it at once, with one line of history', async () => {
    const marked = await Promise.all(Array.from({ length: 20 }, () => end(revoked)));
    expect(marked.filter(Boolean)).toHaveLength(1);
    expect(await state()).toMatchObject({ state: 'needs_reconnect', reason: 'revoked', sure: false });
    expect(await history()).toMatchObject([{ kind: 'ended', reason: 'revoked', sure: false, noticedAt: null }]);
  });

  it('gets a certain reason in place of a guess, and never a guess in place of a certain one', async () => {
    await end(revoked);
    expect(await end(password)).toBe(false);
    await end({ reason: 'testing_week', sure: false });
    expect(await state()).toMatchObject({ state: 'needs_reconnect', reason: 'password_changed', sure: true });
    expect(await kinds()).toEqual(['ended', 'explained']);
  });

  it('is active again when it works after all, once', async () => {
    await end(revoked);
    const recovered = await Promise.all([recover(), recover(), recover()]);
    expect(recovered.filter(Boolean)).toHaveLength(1);
    expect(await state()).toMatchObject({ state: 'active', reason: null, sure: true });
    expect(await kinds()).toEqual(['ended', 'recovered']);
    expect(await recover()).toBe(false);
  });

  it.each(['missing_permission', 'admin_policy', 'refused'] as const)(
    'because Gmail refused (%s), is not disproved by a token, but by Gmail',
    async (reason) => {
      await end({ reason, sure: true });
      expect(await recover('token')).toBe(false);
      expect(await state()).toMatchObject({ state: 'needs_reconnect', reason });
      expect(await recover('gmail')).toBe(true);
    },
  );

  it('is told by what is so now, though Gmail had said something else before; a pause changes nothing of that', async () => {
    await end({ reason: 'no_gmail', sure: true }, 'gmail');
    await end(revoked);
    expect(await state()).toMatchObject({ state: 'needs_reconnect', reason: 'revoked', sure: false });
    await pause();
    await end({ reason: 'mailbox_suspended', sure: true }, 'gmail');
    expect(await state()).toMatchObject({ state: 'paused', reason: 'mailbox_suspended', sure: true });
    await end(revoked);
    expect(await state()).toMatchObject({ state: 'paused', reason: 'revoked', sure: false });
    expect(await resume()).toBe('needs_reconnect');
    expect(await recover('token')).toBe(true);
    expect(await state()).toMatchObject({ state: 'active', reason: null, sure: true });
  });

  it('is nothing to a disconnected mailbox', async () => {
    await inside((trx) =>
      trx.updateTable('mailboxes').set({ state: 'disconnected' }).where('id', '=', mailboxId).execute(),
    );
    expect(await end(revoked)).toBe(false);
    expect(await pause()).toBe(false);
    expect(await history()).toEqual([]);
  });
});

describe('a pause', () => {
  it('says who made it, and ends once', async () => {
    expect(await pause()).toBe(true);
    expect(await pause()).toBe(false);
    expect(await state()).toMatchObject({ state: 'paused', pausedBy: memberId });
    expect(await resume()).toBe('active');
    expect(await resume()).toBeUndefined();
    expect(await state()).toMatchObject({ state: 'active', pausedBy: null });
    expect(await history()).toMatchObject([
      { kind: 'paused', memberId },
      { kind: 'resumed', memberId },
    ]);
  });

  it('keeps what ends the connection meanwhile, and shows it afterwards, without an email', async () => {
    await pause();
    expect(await end(password)).toBe(false);
    expect(await state()).toMatchObject({ state: 'paused', reason: 'password_changed' });
    expect(await resume()).toBe('needs_reconnect');
    expect(await state()).toMatchObject({ state: 'needs_reconnect', reason: 'password_changed', sure: true });
    expect(await history()).toMatchObject([
      { kind: 'paused' },
      { kind: 'explained', reason: 'password_changed' },
      { kind: 'resumed' },
      { kind: 'ended', reason: 'password_changed', noticedAt: expect.any(Date) },
    ]);
  });

  it('forgets what turned out wrong meanwhile', async () => {
    await end(revoked);
    await pause();
    expect(await recover()).toBe(false);
    expect(await state()).toMatchObject({ state: 'paused', reason: null });
    expect(await resume()).toBe('active');
  });
});
