import type { FaultEffect } from 'local-google';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Company, company } from '../support/company.ts';
import { sharedLetterhead, type TestLetterhead, testClient } from '../support/letterhead.ts';
import { type AtGoogle, type Page, said, visitor } from '../support/visitor.ts';

let letterhead: TestLetterhead;
let office: Company;
let sales: string;
let domain: string;
beforeAll(async () => {
  letterhead = await sharedLetterhead();
  office = await company(letterhead);
  sales = office.account.replace('office', 'sales');
  domain = office.account.replace('office@', '');
  letterhead.google.accounts.add({ email: sales, name: 'Sales' });
});
afterEach(() => {
  letterhead.google.faults.clear();
  letterhead.google.policies.setDomain(domain, { mailApps: 'allowed', trustedClients: [] });
  letterhead.google.policies.setUnconfirmed({ insistedRefreshToken: true });
});
afterAll(() => letterhead.close());

/** Connects another Gmail, and is at Google when something goes wrong; what the answer led to. */
async function connecting(account: string, goesWrong: () => unknown = () => {}, answer: AtGoogle = {}): Promise<Page> {
  const start = await office.founder.post('/mailboxes/connection', { kind: 'shared' });
  goesWrong();
  return office.founder.bring(await letterhead.google.approve(start.location ?? '', { account, ...answer }));
}

/** That the one mailbox is connected still, and no other is there. */
async function nothingChanged(): Promise<void> {
  const { text } = await office.founder.get('/settings/email');
  expect([...text.matchAll(/ id="mailbox-[^"]+">([^<]*)</g)].map(([, name]) => name)).toEqual([office.account]);
  expect(text.match(/class="pill connected"/g)).toHaveLength(1);
}

describe('an answer that comes back without what it takes', () => {
  const answers: readonly [string, FaultEffect, string][] = [
    ['the client’s secret is wrong', { kind: 'invalidClient' }, 'own access to Google is broken'],
    ['Google broke off', { kind: 'drop', when: 'before' }, 'Google could not be reached'],
    ['Google had a problem', { kind: 'serverError', status: 503, when: 'before' }, 'could not be reached'],
  ];

  it.each(answers)('has a page that says what to do, and one click leads back: %s', async (_what, effect, words) => {
    const page = await connecting(sales, () => letterhead.google.faults.add({ method: 'token', times: 100, effect }));
    expect(said(page)).toContain(words);
    expect(page.text).toMatch(/href="\/settings\/email"[^>]*>Back to the email settings/);
    await nothingChanged();
    // The page can be come back to: its address carries no code that is used up.
    expect(said(await office.founder.get('/google/answer'))).toContain(words);
  });

  it('gave a permission for an hour only, and says what to do in the Google account', async () => {
    // Of an account that has said yes to something before, Google need not give a lasting one.
    letterhead.google.accounts.allow(sales, testClient.clientId, ['openid', 'email']);
    letterhead.google.policies.setUnconfirmed({ insistedRefreshToken: false });
    const page = said(await connecting(sales));
    expect(page).toContain('Google gave no lasting permission');
    expect(page).toContain('remove Letterhead under “Third-party apps” in that Google account');
    await nothingChanged();
  });

  it('was given without the one box that matters: what is connected stays as it was', async () => {
    const answer = { tick: ['gmail.settings.basic'] };
    expect(said(await office.founder.permit('aliases', office.account, answer))).toContain(
      'the box “Send email on your behalf” was not ticked',
    );
    await nothingChanged();
  });
});

describe('a Workspace’s administrator', () => {
  it('who trusts the app spares people the boxes, and it is connected with all that was asked', async () => {
    letterhead.google.policies.setDomain(domain, { trustedClients: [testClient.clientId] });
    const page = await office.founder.connect(sales, { tick: ['no-such-box'] });
    expect(said(page)).toContain(`${sales} is connected.`);
    const [, id] = new RegExp(`id="mailbox-([^"]+)">${sales}<`).exec(page.text) ?? [];
    expect((await office.founder.post(`/mailboxes/${id}/disconnection`)).status).toBe(303);
  });

  it('who blocks apps ends what was connected, and turns away whoever reconnects, until they allow it again', async () => {
    letterhead.google.policies.setDomain(domain, { mailApps: 'blocked' });
    const { founder, mailboxId } = office;
    await founder.post(`/mailboxes/${mailboxId}/check-up`);
    expect(said(await founder.get(`/mailboxes/${mailboxId}`))).toContain('Needs reconnecting');
    const reconnecting = () => founder.connect(office.account, { mailboxId });
    await expect(reconnecting()).rejects.toThrow('your organization’s policy');
    letterhead.google.policies.setDomain(domain, { mailApps: 'allowed' });
    expect(said(await reconnecting())).toContain(`${office.account} is connected`);
  });
});

describe('whoever comes back from Google without being signed in', () => {
  it.each([
    ['the client’s secret is wrong', { kind: 'invalidClient' }, 'Google did not sign you in'],
    ['Google broke off', { kind: 'drop', when: 'before' }, 'Google could not be reached'],
    ['Google had a problem', { kind: 'serverError', status: 503, when: 'before' }, 'Google could not be reached'],
  ] as const)('reads why: %s', async (_what, effect, words) => {
    const somebody = visitor(letterhead);
    const start = await somebody.post('/sign-in/google');
    letterhead.google.faults.add({ method: 'token', times: 100, effect });
    const page = await somebody.bring(await letterhead.google.approve(start.location ?? '', { account: sales }));
    expect(said(page)).toContain(words);
    expect(said(await somebody.get('/google/answer'))).toContain(words);
    expect(page.text).toMatch(/href="\/sign-in"[^>]*>Sign in again/);
    expect((await somebody.get('/sign-in')).text).toContain('Sign in with Google');
  });
});
