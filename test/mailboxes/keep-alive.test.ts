import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createAccessTokens } from '../../src/mailboxes/access-token.ts';
import { type KeepAliveContext, markOfOthers, recheckEnded, renewUnused } from '../../src/mailboxes/keep-alive.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { type Company, company } from '../support/company.ts';
import { startTestLetterhead, type TestLetterhead, testClient } from '../support/letterhead.ts';

const hour = 3_600_000;
const day = 24 * hour;

let letterhead: TestLetterhead;
beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false });
});
afterEach(() => letterhead.google.faults.clear());
afterAll(() => letterhead.close());

/** A worker process that starts now, with this OAuth client. */
function worker(
  clientId: string = testClient.clientId,
  clientSecret: string = testClient.clientSecret,
): KeepAliveContext {
  const { context } = letterhead;
  const own = { ...context, google: { ...context.google, clientId, clientSecret } };
  return { ...own, tokens: createAccessTokens(own) };
}
const forward = (ms: number) => letterhead.google.clock.forward(ms);
const stateOf = ({ tenantId, mailboxId }: Company) =>
  inTenant(letterhead.database.db, tenantId, (trx) =>
    trx
      .selectFrom('mailboxes')
      .select(['state', 'state_reason as reason'])
      .where('id', '=', mailboxId)
      .executeTakeFirstOrThrow(),
  );
const calls = () => letterhead.google.truth.calls('token');

/** Ends all companies before, so that a sweep meets only the next one. */
async function alone(): Promise<Company> {
  const tenants = await letterhead.database.system.selectFrom('tenants').select('id').execute();
  for (const { id } of tenants) await inTenant(letterhead.database.db, id, (trx) => trx.deleteFrom('grants').execute());
  const one = await company(letterhead);
  letterhead.google.truth.resetCalls();
  return one;
}

describe('a connection that nobody uses', () => {
  it('is renewed once a week, by one of any number of workers, and never comes to six months', async () => {
    const one = await alone();
    const workers = [worker(), worker(), worker()];
    for (let weeks = 0; weeks < 30; weeks += 1) {
      forward(7 * day + hour);
      await Promise.all(workers.map(renewUnused));
    }
    expect(calls()).toBe(30);
    expect(await stateOf(one)).toEqual({ state: 'active', reason: null });
    // In between there is nothing to do.
    forward(6 * day);
    expect(await renewUnused(worker())).toBe(0);
    expect(calls()).toBe(30);
  });

  it('is noticed when it has ended, before somebody needs it', async () => {
    const one = await alone();
    letterhead.google.accounts.removeAccess(one.account, testClient.clientId);
    forward(8 * day);
    expect(await renewUnused(worker())).toBe(0);
    expect(await stateOf(one)).toMatchObject({ state: 'needs_reconnect' });
  });

  it('is kept alive while it is paused, too', async () => {
    const one = await alone();
    await inTenant(letterhead.database.db, one.tenantId, (trx) =>
      trx.updateTable('mailboxes').set({ state: 'paused' }).execute(),
    );
    forward(8 * day);
    expect(await renewUnused(worker())).toBe(1);
    expect(await stateOf(one)).toEqual({ state: 'paused', reason: null });
  });

  it('is found among more than fit on a page, and one that fails keeps no other from it', async () => {
    const one = await alone();
    const { db } = letterhead.database;
    await inTenant(db, one.tenantId, async (trx) => {
      const {
        id: _id,
        account: _account,
        ...mailbox
      } = await trx.selectFrom('mailboxes').selectAll().where('id', '=', one.mailboxId).executeTakeFirstOrThrow();
      const {
        refresh_key_id: _r,
        access_key_id: _a,
        ...grant
      } = await trx.selectFrom('grants').selectAll().executeTakeFirstOrThrow();
      for (let number = 0; number < 230; number += 1) {
        const { id } = await trx
          .insertInto('mailboxes')
          .values({ ...mailbox, is_default: false, google_sub: `sub-${number}`, email: `${number}@x.example` })
          .returning('id')
          .executeTakeFirstOrThrow();
        // Sealed for another mailbox: these do not open.
        await trx
          .insertInto('grants')
          .values({ ...grant, mailbox_id: id })
          .execute();
      }
    });
    forward(8 * day);
    expect(await renewUnused(worker())).toBe(1);
    expect(letterhead.logged().match(/could not be kept alive/g)).toHaveLength(230);
  });

  it('is not asked about on and on while Google refuses ourselves', async () => {
    await alone();
    for (let others = 0; others < 9; others += 1) await company(letterhead);
    forward(8 * day);
    letterhead.google.truth.resetCalls();
    await renewUnused(worker(testClient.clientId, 'wrong'));
    expect(calls()).toBeGreaterThan(0);
    expect(calls()).toBeLessThanOrEqual(4);
  });
});

describe('a connection that ended by mistake', () => {
  it('is looked at again once a day, and works again by itself', async () => {
    const one = await alone();
    forward(2 * hour);
    letterhead.google.faults.add({ method: 'token', account: one.account, effect: { kind: 'invalidGrant' } });
    await expect(worker().tokens.of(one.tenantId, one.mailboxId)).rejects.toMatchObject({ code: 'needs_reconnect' });
    expect(await stateOf(one)).toEqual({ state: 'needs_reconnect', reason: 'revoked' });
    forward(5 * hour);
    expect(await recheckEnded(worker())).toBe(0);
    expect(await stateOf(one)).toMatchObject({ state: 'needs_reconnect' });
    forward(19 * hour);
    expect(await recheckEnded(worker())).toBe(1);
    expect(await stateOf(one)).toEqual({ state: 'active', reason: null });
  });

  it('is given up after a month', async () => {
    const one = await alone();
    forward(2 * hour);
    letterhead.google.accounts.removeAccess(one.account, testClient.clientId);
    await expect(worker().tokens.of(one.tenantId, one.mailboxId)).rejects.toMatchObject({ code: 'needs_reconnect' });
    const counts: number[] = [];
    for (let days = 0; days < 40; days += 1) {
      forward(day);
      letterhead.google.truth.resetCalls();
      await recheckEnded(worker());
      counts.push(calls());
    }
    expect(counts.slice(0, 29)).toEqual(Array.from({ length: 29 }, () => 1));
    expect(counts.slice(30)).toEqual(Array.from({ length: 10 }, () => 0));
  });
});

describe('when the operator changes the OAuth client', () => {
  const other = { clientId: 'other.apps', clientSecret: 'other-secret' };
  const another = () => worker(other.clientId, other.clientSecret);

  it('the old client’s connections say so, and nobody is told that they were revoked', async () => {
    const one = await alone();
    letterhead.google.addClients([
      { id: other.clientId, secret: other.clientSecret, name: 'Letterhead', redirectUris: [] },
    ]);
    forward(hour / 2);
    const started = letterhead.context.clock();
    await markOfOthers(another(), started);
    // Its access token is still good, and is used.
    expect(await stateOf(one)).toMatchObject({ state: 'active' });
    forward(hour);
    await markOfOthers(another(), started);
    expect(await stateOf(one)).toEqual({ state: 'needs_reconnect', reason: 'app_changed' });
    expect(calls()).toBe(0);
  });

  it('and back, they work again by themselves, at once', async () => {
    const one = await alone();
    forward(2 * hour);
    await expect(another().tokens.of(one.tenantId, one.mailboxId)).rejects.toMatchObject({ code: 'needs_reconnect' });
    expect(await recheckEnded(another())).toBe(0);
    expect(await recheckEnded(worker())).toBe(1);
    expect(await stateOf(one)).toEqual({ state: 'active', reason: null });
  });

  it('a process of the old configuration leaves alone what was connected with the new one', async () => {
    const old = another();
    forward(1_000);
    const one = await alone();
    forward(2 * hour);
    await expect(old.tokens.of(one.tenantId, one.mailboxId)).rejects.toMatchObject({ code: 'OTHER_APP' });
    expect(await stateOf(one)).toMatchObject({ state: 'active' });
  });
});
