import type { Unconfirmed } from 'local-google';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openGrant } from '../../src/mailboxes/grant-vault.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { type Company, company } from '../support/company.ts';
import { startTestLetterhead, type TestLetterhead, testClient } from '../support/letterhead.ts';
import { founder, type Page, visitor } from '../support/visitor.ts';

let letterhead: TestLetterhead;
beforeAll(async () => {
  letterhead = await startTestLetterhead();
});
afterEach(() => {
  google(usual);
});
afterAll(() => letterhead.close());

const usual = {
  incrementalRefreshToken: true,
  insistedRefreshToken: true,
  boxForOneScope: true,
  issuer: 'url',
} as const;
const google = (outcomes: Partial<Unconfirmed>) => letterhead.google.policies.setUnconfirmed(outcomes);
const titleOf = ({ text }: Page) => /<h1[^>]*>([^<]*)/.exec(text)?.[1]?.trim();

const refreshTokenOf = async ({ tenantId, mailboxId }: Company) => {
  const { keys, db } = letterhead.context;
  return (await inTenant(db, tenantId, (trx) => openGrant(trx, keys, tenantId, mailboxId)))?.refreshToken;
};
/** Sends an email through a mailbox and waits until Google has it. */
async function sends(one: Company): Promise<void> {
  const id = await one.send();
  await one.reaches(id, 'sent');
  expect(one.accepted(id)).toHaveLength(1);
}
/** An hour later: the refresh token that is kept is what gives the next access token. */
async function sendsAfterAnHour(one: Company): Promise<void> {
  letterhead.google.clock.forward(2 * 3_600_000);
  letterhead.google.truth.resetCalls();
  await sends(one);
  expect(letterhead.google.truth.calls('token')).toBeGreaterThan(0);
}

describe.each([true, false])('whether consent to more brings a refresh token (%s)', (incrementalRefreshToken) => {
  it('connecting, switching a permission on and connecting again leave one that works', async () => {
    google({ incrementalRefreshToken });
    const one = await company(letterhead);
    await sendsAfterAnHour(one);
    const first = await refreshTokenOf(one);
    expect((await one.founder.permit('aliases', one.account)).status).toBe(200);
    // We insist on consent, so one comes either way.
    expect(await refreshTokenOf(one)).not.toBe(first);
    await sendsAfterAnHour(one);
    expect((await one.founder.connect(one.account, { mailboxId: one.mailboxId })).status).toBe(200);
    await sendsAfterAnHour(one);
  });
});

describe.each([true, false])('whether consent that we insist on brings a refresh token again (%s)', (insisted) => {
  it('a permission is switched on, or nothing is lost and the page says what to do', async () => {
    const one = await company(letterhead);
    const first = await refreshTokenOf(one);
    google({ insistedRefreshToken: insisted });
    const answer = await one.founder.permit('aliases', one.account);
    if (insisted) {
      expect(answer.status).toBe(200);
      expect(await refreshTokenOf(one)).not.toBe(first);
    } else {
      expect(titleOf(answer)).toBe('Nothing was switched on: Google gave no lasting permission');
      expect(answer.text).toContain(`${one.account} stays connected and works as before`);
      expect(answer.text).toContain('remove Letterhead under “Third-party apps”');
      expect(await refreshTokenOf(one)).toBe(first);
    }
    await sendsAfterAnHour(one);
  });

  it('what ended at Google can be connected again', async () => {
    const one = await company(letterhead);
    google({ insistedRefreshToken: insisted });
    letterhead.google.accounts.removeAccess(one.account, testClient.clientId);
    letterhead.google.clock.forward(2 * 3_600_000);
    const id = await one.send();
    await one.reaches(id, 'held');
    expect((await one.founder.connect(one.account, { mailboxId: one.mailboxId })).status).toBe(200);
    await one.reaches(id, 'sent');
    expect(one.accepted(id)).toHaveLength(1);
    await sendsAfterAnHour(one);
  });
});

describe.each([true, false])('whether a single permission has a box on Google’s page (%s)', (boxForOneScope) => {
  it('a yes connects', async () => {
    google({ boxForOneScope });
    await sends(await company(letterhead));
  });

  it('a yes with nothing ticked connects where there was nothing to tick, and else says which box was left empty', async () => {
    google({ boxForOneScope });
    const account = `unticked-${boxForOneScope}@boxes.example`;
    letterhead.google.accounts.add({ email: account, name: 'Unticked' });
    const owner = await founder(letterhead, account, 'Unticked Ltd');
    const page = await owner.connect(account, { tick: [] });
    const settings = (await owner.get('/settings/email')).text;
    if (boxForOneScope) {
      expect(titleOf(page)).toBe('Not connected: one box was left empty');
      expect(settings).not.toContain('· may send email');
      await owner.connect(account);
      expect((await owner.get('/settings/email')).text).toContain('· may send email');
    } else {
      expect(settings).toContain('· may send email');
    }
  });
});

describe.each(['url', 'host'] as const)('whichever form of Google’s address an ID token names (%s)', (issuer) => {
  it('people sign in, connect and connect again', async () => {
    google({ issuer });
    const one = await company(letterhead);
    await sends(one);
    expect((await one.founder.connect(one.account, { mailboxId: one.mailboxId })).status).toBe(200);
    await sends(one);
  });

  it('whoever signed in under the other form is the same person, and their Gmail the same account', async () => {
    google({ issuer: issuer === 'url' ? 'host' : 'url' });
    const one = await company(letterhead);
    google({ issuer });
    const again = visitor(letterhead);
    await again.signIn(one.account);
    expect((await again.get('/settings/email')).text).toContain(one.account);
    expect((await again.connect(one.account, { mailboxId: one.mailboxId })).status).toBe(200);
    await sends(one);
  });
});
