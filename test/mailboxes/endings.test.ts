import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EndedReason } from '../../src/mailboxes/why-ended.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { type Company, company } from '../support/company.ts';
import { connected } from '../support/found.ts';
import { startTestLetterhead, type TestLetterhead, testClient } from '../support/letterhead.ts';

const hour = 3_600_000;
const day = 24 * hour;

let letterhead: TestLetterhead;
beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false });
});
afterAll(() => letterhead.close());

/** Asks for an access token as a send would; its error's code. */
const ask = ({ tenantId, mailboxId }: Pick<Company, 'tenantId' | 'mailboxId'>) =>
  letterhead.context.tokens.of(tenantId, mailboxId).then(
    () => 'works',
    (error: { code: string }) => error.code,
  );
const stateOf = ({ tenantId }: Company, mailboxId: string) =>
  inTenant(letterhead.database.db, tenantId, (trx) =>
    trx
      .selectFrom('mailboxes')
      .select(['state', 'state_reason as reason', 'state_sure as sure'])
      .where('id', '=', mailboxId)
      .executeTakeFirstOrThrow(),
  );
const forward = (ms: number) => letterhead.google.clock.forward(ms);
const ended = (reason: EndedReason, sure: boolean) => ({ state: 'needs_reconnect', reason, sure });

/** Lets the hour of the access token pass, and looks what becomes of the mailbox. */
async function endOf(one: Company, passes = 2 * hour) {
  forward(passes);
  expect(await ask(one)).toBe('needs_reconnect');
  return stateOf(one, one.mailboxId);
}

/** A further shared mailbox of the same company, and of its Workspace domain. */
async function colleague(one: Company, name: string): Promise<{ tenantId: string; mailboxId: string }> {
  const email = one.account.replace('office', name);
  letterhead.google.accounts.add({ email, name });
  await one.founder.connect(email);
  const { tenantId } = one;
  const { id } = await inTenant(letterhead.database.db, tenantId, (trx) =>
    trx.selectFrom('mailboxes').select('id').where('email', '=', email).executeTakeFirstOrThrow(),
  );
  return { tenantId, mailboxId: id };
}

describe('each way in which Google ends a permission is told apart as far as it can be', () => {
  it('the app is in Testing: after seven days', async () => {
    const { google } = letterhead;
    google.policies.setApp(testClient.clientId, { publishing: 'testing', testUsers: ['office@company1.example'] });
    const one = await company(letterhead);
    google.policies.setApp(testClient.clientId, { publishing: 'production' });
    forward(6 * day);
    expect(await ask(one)).toBe('works');
    expect(await endOf(one, 2 * day)).toEqual(ended('testing_week', false));
  });

  it('the access was removed in the Google account', async () => {
    const one = await company(letterhead);
    letterhead.google.accounts.removeAccess(one.account, testClient.clientId);
    expect(await endOf(one)).toEqual(ended('revoked', false));
  });

  it('the password was changed', async () => {
    const one = await company(letterhead);
    letterhead.google.accounts.changePassword(one.account);
    expect(await endOf(one)).toEqual(ended('revoked', false));
  });

  it('the account was deleted', async () => {
    const one = await company(letterhead);
    letterhead.google.accounts.delete(one.account);
    expect(await endOf(one)).toEqual(ended('account_deleted', true));
  });

  it('the account was disabled: Google words it like a removal', async () => {
    const one = await company(letterhead);
    letterhead.google.accounts.disable(one.account);
    expect(await endOf(one)).toEqual(ended('revoked', false));
  });

  it('the Workspace wants people to sign in again', async () => {
    const one = await company(letterhead);
    letterhead.google.accounts.requireReauth(one.account);
    expect(await endOf(one)).toEqual(ended('reauth', true));
  });

  it('access was given for 30 days', async () => {
    const { policies } = letterhead.google;
    policies.setApp(testClient.clientId, { accessSeconds: (30 * day) / 1_000 });
    const one = await company(letterhead);
    policies.setApp(testClient.clientId, { accessSeconds: null });
    forward(29 * day);
    expect(await ask(one)).toBe('works');
    expect(await endOf(one, 2 * day)).toEqual(ended('time_limit', true));
  });

  it('the administrator blocks apps: the second mailbox of the domain to die says so', async () => {
    const one = await company(letterhead);
    const other = await colleague(one, 'sales');
    const domain = one.account.split('@')[1] ?? '';
    // As in Google's admin console: it ends the permissions of the domain's people.
    letterhead.google.policies.setDomain(domain, { mailApps: 'blocked' });
    expect(await endOf(one)).toEqual(ended('revoked', false));
    expect(await ask(other)).toBe('needs_reconnect');
    expect(await stateOf(one, other.mailboxId)).toEqual(ended('admin_policy', false));
  });

  it('it was connected a hundred times more: the oldest died', async () => {
    const one = await company(letterhead);
    const second = await company(letterhead);
    for (let times = 0; times < 99; times += 1) await connected(letterhead, second, one.account);
    forward(2 * hour);
    expect(await ask(one)).toBe('works');
    // The hundred and first living one, counting the first.
    await connected(letterhead, second, one.account);
    expect(await endOf(one)).toEqual(ended('too_many', false));
    // Those of the other company, newer, live on.
    const { mailboxId } = await latest(second, one.account);
    expect(await ask({ tenantId: second.tenantId, mailboxId })).toBe('works');
  });

  // The last two move the clock by months.
  it('it was not used for six months', async () => {
    const one = await company(letterhead);
    expect(await endOf(one, 184 * day)).toEqual(ended('unused', true));
  });

  it('on its eighth day it dies, of an app that has kept others longer: no talk of Testing', async () => {
    const veteran = await company(letterhead);
    forward(8 * day);
    expect(await ask(veteran)).toBe('works');
    const one = await company(letterhead);
    letterhead.google.accounts.removeAccess(one.account, testClient.clientId);
    expect(await endOf(one, 8 * day)).toEqual(ended('revoked', false));
  });
});

async function latest({ tenantId }: Company, email: string) {
  const { id } = await inTenant(letterhead.database.db, tenantId, (trx) =>
    trx.selectFrom('mailboxes').select('id').where('email', '=', email).executeTakeFirstOrThrow(),
  );
  return { mailboxId: id };
}
