import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { AccessToken } from '../../src/google/gmail.ts';
import { type AccessTokens, createAccessTokens, MailboxUnusableError } from '../../src/mailboxes/access-token.ts';
import { openGrant } from '../../src/mailboxes/grant-vault.ts';
import { leaseMs } from '../../src/mailboxes/refresh-lease.ts';
import { type DatabasePool, openDatabase } from '../../src/platform/database.ts';
import { newKey, parseKeyRing } from '../../src/platform/key-ring.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { type Company, company } from '../support/company.ts';
import { eventually } from '../support/eventually.ts';
import { startTestLetterhead, type TestLetterhead, testClient } from '../support/letterhead.ts';

let letterhead: TestLetterhead;
let one: Company;
const pools: DatabasePool[] = [];

beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false, googleTimeoutMs: 60_000 });
});
afterEach(async () => {
  letterhead.google.faults.clear();
  for (const pool of pools.splice(0)) await pool.close();
});
afterAll(() => letterhead.close());

/** As another process would have it: with a pool and flights of its own. */
function process(max = 5, over: { clientSecret?: string; timeoutMs?: number } = {}): AccessTokens & DatabasePool {
  const pool = openDatabase(letterhead.database.urls.app, max, () => {});
  pools.push(pool);
  const { google } = letterhead.context;
  const tokens = createAccessTokens({ ...letterhead.context, db: pool.db, google: { ...google, ...over } });
  return { ...pool, ...tokens };
}

/** A company whose access token has ended, and the count of token calls begun anew. */
async function expired(): Promise<Company> {
  one = await company(letterhead);
  await change({ access_token_expires_at: new Date(Date.now() + 4 * 60_000) });
  letterhead.google.truth.resetCalls();
  return one;
}

const change = (set: { access_token_expires_at?: Date; refresh_lease_until?: Date }) =>
  inTenant(letterhead.database.db, one.tenantId, (trx) => trx.updateTable('grants').set(set).execute());
const grant = () =>
  inTenant(letterhead.database.db, one.tenantId, (trx) =>
    openGrant(trx, letterhead.context.keys, one.tenantId, one.mailboxId),
  );
const mailbox = () =>
  inTenant(letterhead.database.db, one.tenantId, (trx) =>
    trx.selectFrom('mailboxes').select(['state', 'state_reason', 'state_at']).executeTakeFirstOrThrow(),
  );
const row = () =>
  inTenant(letterhead.database.db, one.tenantId, (trx) =>
    trx.selectFrom('grants').selectAll().executeTakeFirstOrThrow(),
  );
const calls = () => letterhead.google.truth.calls('token');
const slowly = (ms = 500) =>
  letterhead.google.faults.add({ method: 'token', account: one.account, times: 5, effect: { kind: 'slow', ms } });
/** Google gives no token until it is let to. @returns lets it */
const heldUp = () => {
  const rule = letterhead.google.faults.add({
    ...{ method: 'token', account: one.account, times: 1, effect: { kind: 'slow', ms: 600_000 } },
  });
  return () => letterhead.google.faults.remove(rule.id);
};
const ask = (tokens: AccessTokens): Promise<AccessToken> => tokens.of(one.tenantId, one.mailboxId);

describe('an access token', () => {
  it('that is good for more than five minutes is given as it is', async () => {
    await expired();
    await change({ access_token_expires_at: new Date(Date.now() + 6 * 60_000) });
    const kept = await grant();
    expect((await ask(process())).token).toBe(kept?.access?.token);
    expect(calls()).toBe(0);
  });

  it('that ends sooner is renewed once for 50 callers at the same time', async () => {
    await expired();
    const before = await grant();
    const tokens = process();
    const given = await Promise.all(Array.from({ length: 50 }, () => ask(tokens)));
    expect(calls()).toBe(1);
    expect(new Set(given.map(({ token }) => token)).size).toBe(1);
    expect(given[0]?.token).not.toBe(before?.access?.token);
    expect((await grant())?.access).toEqual({ token: given[0]?.token, expiresAt: given[0]?.expiresAt });
  });

  it('is renewed once for two processes, while Google takes its time', async () => {
    await expired();
    slowly();
    const processes = [process(), process()];
    const given = await Promise.all(processes.flatMap((tokens) => [ask(tokens), ask(tokens), ask(tokens)]));
    expect(calls()).toBe(1);
    expect(new Set(given.map(({ token }) => token)).size).toBe(1);
  });

  it('that is good is renewed all the same where that is asked for, once for all who ask then', async () => {
    await expired();
    await change({ access_token_expires_at: new Date(Date.now() + 30 * 60_000) });
    const kept = await grant();
    const goOn = heldUp();
    const [a, b] = [process(), process()];
    const renewals = [a, a, b].map((tokens) => tokens.renewed(one.tenantId, one.mailboxId));
    // Nobody else waits for it.
    expect((await ask(a)).token).toBe(kept?.access?.token);
    goOn();
    const given = await Promise.all(renewals);
    expect(calls()).toBe(1);
    expect(new Set(given.map(({ token }) => token)).size).toBe(1);
    expect((await ask(b)).token).toBe(given[0]?.token);
  });

  it('that is good stays where Google does not renew it', async () => {
    await expired();
    await change({ access_token_expires_at: new Date(Date.now() + 30 * 60_000) });
    const kept = await grant();
    const tokens = process(5, { clientSecret: 'wrong' });
    await expect(tokens.renewed(one.tenantId, one.mailboxId)).rejects.toMatchObject({ code: 'invalid_client' });
    expect((await ask(tokens)).token).toBe(kept?.access?.token);
  });

  it('is renewed although whoever held the lease died with it', async () => {
    await expired();
    await change({ refresh_lease_until: new Date(Date.now() + 300) });
    expect((await ask(process())).expiresAt.getTime()).toBeGreaterThan(Date.now() + 3_000_000);
    expect(calls()).toBe(1);
  });

  it('is renewed once although Google takes longer than the lease lasts, which its holder renews', async () => {
    await expired();
    slowly(leaseMs + 1_500);
    const [holder, waiter] = [process(5, { timeoutMs: 20_000 }), process()];
    const flight = ask(holder);
    await eventually(calls, (count) => count === 1);
    const given = await Promise.all([flight, ask(waiter)]);
    expect(calls()).toBe(1);
    expect(new Set(given.map(({ token }) => token)).size).toBe(1);
    expect((await row()).refresh_lease_by).toBeNull();
  });

  it('is renewed by somebody else when the lease was lost, and the late answer does no harm', async () => {
    await expired();
    const goOn = heldUp();
    const flight = ask(process());
    await eventually(calls, (count) => count === 1);
    await change({ refresh_lease_until: new Date(Date.now() - 1_000) });
    const second = await ask(process());
    expect(calls()).toBe(2);
    goOn();
    await flight;
    expect((await row()).refresh_lease_until).toBeNull();
    expect((await ask(process())).expiresAt.getTime()).toBeGreaterThanOrEqual(second.expiresAt.getTime() - 5_000);
    expect(await mailbox()).toMatchObject({ state: 'active' });
  });

  it('leaves no lease behind when the key that sealed it is not there', async () => {
    await expired();
    const { google } = letterhead.context;
    const without = createAccessTokens({ ...letterhead.context, google, keys: parseKeyRing(newKey('other')) });
    await expect(ask(without)).rejects.toMatchObject({ name: 'KeyRingError' });
    expect((await row()).refresh_lease_until).toBeNull();
    await ask(process());
  });

  it('keeps the refresh token, where Google sends no new one', async () => {
    await expired();
    const before = await row();
    await ask(process());
    const after = await row();
    expect(after.refresh_token).toEqual(before.refresh_token);
    expect(after.access_token?.equals(before.access_token ?? Buffer.of())).toBe(false);
    expect(after.refresh_lease_until).toBeNull();
  });

  it('holds no database connection while Google answers', async () => {
    await expired();
    const goOn = heldUp();
    const { db, pool, ...tokens } = process(1);
    let answered = false;
    const flight = ask(tokens).finally(() => {
      answered = true;
    });
    await eventually(calls, (count) => count === 1);
    await pool.query('select 1');
    expect(answered).toBe(false);
    goOn();
    await flight;
  });

  it('is never another company’s, even for its mailbox’s id at the same moment', async () => {
    const other = await company(letterhead);
    await expired();
    slowly();
    const tokens = process();
    const flight = ask(tokens);
    await expect(tokens.of(other.tenantId, one.mailboxId)).rejects.toMatchObject({ code: 'disconnected' });
    await flight;
  });
});

describe('a permission that has ended', () => {
  it('moves the mailbox to “needs reconnecting” once, for all who notice', async () => {
    await expired();
    letterhead.google.accounts.removeAccess(one.account, testClient.clientId);
    const noticed = await Promise.allSettled([process(), process()].flatMap((tokens) => [ask(tokens), ask(tokens)]));
    expect(noticed.every(({ status }) => status === 'rejected')).toBe(true);
    for (const each of noticed) {
      if (each.status === 'rejected')
        expect(each.reason).toMatchObject({ name: 'MailboxUnusableError', code: 'needs_reconnect' });
    }
    const moved = await mailbox();
    expect(moved).toMatchObject({ state: 'needs_reconnect', state_reason: 'revoked' });
    await expect(ask(process())).rejects.toBeInstanceOf(MailboxUnusableError);
    expect((await mailbox()).state_at).toEqual(moved.state_at);
    expect((await row()).refresh_lease_until).toBeNull();
  });

  it('does not matter when somebody reconnected while Google was asked: the new one is used', async () => {
    await expired();
    const goOn = heldUp();
    const flight = ask(process());
    await eventually(calls, (count) => count === 1);
    letterhead.google.accounts.removeAccess(one.account, testClient.clientId);
    await one.founder.connect(one.account, { mailboxId: one.mailboxId });
    goOn();
    expect((await flight).token).toBe((await grant())?.access?.token);
    expect(await mailbox()).toMatchObject({ state: 'active' });
  });

  it('says so when the mailbox was disconnected meanwhile', async () => {
    await expired();
    const goOn = heldUp();
    const flight = ask(process()).catch((error: unknown) => error);
    await eventually(calls, (count) => count === 1);
    await one.founder.post(`/mailboxes/${one.mailboxId}/disconnection`);
    goOn();
    expect(await flight).toMatchObject({ code: 'disconnected' });
    await expect(ask(process())).rejects.toMatchObject({ code: 'disconnected' });
    expect(await mailbox()).toMatchObject({ state: 'disconnected' });
  });
});

describe('what is not the mailbox’s fault', () => {
  it('leaves it alone: our own secret is wrong', async () => {
    await expired();
    await expect(ask(process(5, { clientSecret: 'wrong' }))).rejects.toMatchObject({
      name: 'GoogleError',
      code: 'invalid_client',
    });
    expect(await mailbox()).toMatchObject({ state: 'active' });
    // And the lease was given back: with the right secret it works at once.
    await ask(process());
  });

  it('leaves it alone: Google does not answer in time', async () => {
    await expired();
    letterhead.google.faults.add({ method: 'token', times: 10, effect: { kind: 'hang', when: 'before' } });
    await expect(ask(process(5, { timeoutMs: 150 }))).rejects.toMatchObject({ name: 'GoogleError' });
    letterhead.google.faults.clear();
    expect(await mailbox()).toMatchObject({ state: 'active' });
    await ask(process());
  });

  it('tells nobody a token, whatever went wrong', async () => {
    await expired();
    const tokens = await grant();
    const error: unknown = await ask(process(5, { clientSecret: 'wrong' })).catch((thrown: unknown) => thrown);
    const seen = `${JSON.stringify(error)} ${String(error)} ${letterhead.logged()}`;
    for (const secret of [tokens?.refreshToken, tokens?.access?.token]) {
      expect(secret).toMatch(/\S{20}/);
      expect(seen).not.toContain(secret);
    }
  });
});
