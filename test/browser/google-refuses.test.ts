import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium } from '../support/chromium.ts';
import { expectFit, looks } from '../support/fit.ts';
import { startTestLetterhead, type TestLetterhead, testClient } from '../support/letterhead.ts';
import { answerGoogle, foundCompany, leading, type Person, person, press, signIn } from './person.ts';

const dana = 'dana@brightwater.example';
const office = 'office@brightwater.example';
const sales = 'sales@brightwater.example';

let letterhead: TestLetterhead;
let browser: Browser;
let manager: Person;

beforeAll(async () => {
  [letterhead, browser] = await Promise.all([startTestLetterhead({ worker: false }), launchChromium()]);
  letterhead.google.accounts.add({ email: sales, name: 'Sales' });
  manager = await person(browser, letterhead);
  const { page } = manager;
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await signIn(page, dana);
  await foundCompany(page, 'Brightwater Joinery');
  await page.goto('/settings/email');
  await press(page, 'Connect to Gmail');
  await answerGoogle(page, { account: office });
});
afterEach(async () => {
  letterhead.google.faults.clear();
  setApp({ publishing: 'production', internalTo: null, userCap: 100 });
  setDomain({ mailApps: 'allowed', trustedClients: [] });
  await setControl('policies/unverified', false);
  await setControl(`clients/${testClient.clientId}/deleted`, false);
  // A page that says that Google failed has such a status.
  expect(manager.troubles.filter((trouble) => !trouble.includes('status of 502'))).toEqual([]);
});
afterAll(async () => {
  await browser?.close();
  await letterhead?.close();
});

type Policies = TestLetterhead['google']['policies'];
const setApp = (policy: Parameters<Policies['setApp']>[1]) =>
  void letterhead.google.policies.setApp(testClient.clientId, policy);
const setDomain = (policy: Parameters<Policies['setDomain']>[1]) =>
  void letterhead.google.policies.setDomain('brightwater.example', policy);

/** A switch of Local Google's that only its control addresses have. */
async function setControl(what: string, on: boolean): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const { ok } = await fetch(`${letterhead.google.url}/control/${what}`, { method: 'PUT', headers, body: `${on}` });
  expect(ok, what).toBe(true);
}

const main = () => manager.page.locator('#main');
const title = () => main().locator('h1').textContent();
/** Presses “Connect another Gmail” on the email settings. */
async function toGoogle(): Promise<void> {
  await manager.page.goto('/settings/email');
  await press(manager.page, 'Connect another Gmail');
}
/** That the one mailbox is connected still, and no other is there. */
async function nothingChanged(): Promise<void> {
  const { page } = manager;
  await page.goto('/settings/email');
  expect(await page.locator('h2[id^=mailbox-]').allTextContents()).toEqual([office]);
  expect(await main().locator('.pill.connected').count()).toBe(1);
}

/** What Google tells on its own page and never to us; the person comes back by themselves. */
const atGoogleItself: readonly [string, () => void | Promise<void>, RegExp][] = [
  ['org_internal', () => setApp({ internalTo: 'northgate.example' }), /only be used within its organization/],
  ['no test user', () => setApp({ publishing: 'testing', testUsers: [dana] }), /has not completed verification/],
  [
    'the cap of an unverified app',
    async () => {
      setApp({ userCap: 0 });
      await setControl('policies/unverified', true);
    },
    /Sign-in is temporarily disabled for this app/,
  ],
];

describe('a refusal on Google’s own page', () => {
  it.each(atGoogleItself)('leaves everything as it was: %s', async (_word, set, words) => {
    const { page } = manager;
    await toGoogle();
    await set();
    const google = new URL(page.url()).origin;
    await press(page, new RegExp(sales));
    expect(new URL(page.url()).origin).toBe(google);
    expect(await page.locator('body').textContent()).toMatch(words);
    await page.goBack();
    await nothingChanged();
  });

  it('stands before anything else where the client was deleted', async () => {
    await setControl(`clients/${testClient.clientId}/deleted`, true);
    await toGoogle();
    expect(await manager.page.locator('body').textContent()).toContain('Access blocked: authorization error');
    await nothingChanged();
  });
});

describe('an answer that comes back without what it takes', () => {
  const answers: readonly [string, () => void, string][] = [
    ['the code was good no more', () => fault({ kind: 'invalidGrant' }), 'it took too long'],
    ['the client’s secret is wrong', () => fault({ kind: 'invalidClient' }), 'own access to Google is broken'],
    ['Google broke off', () => fault({ kind: 'drop', when: 'before' }), 'Google could not be reached'],
    ['Google had a problem', () => fault({ kind: 'serverError', status: 503, when: 'before' }), 'could not be reached'],
  ];
  const fault = (effect: Parameters<TestLetterhead['google']['faults']['add']>[0]['effect']) =>
    void letterhead.google.faults.add({ method: 'token', times: 20, effect });

  it.each(answers)('has a page that says what to do, and one click leads back: %s', async (_what, set, words) => {
    const { page } = manager;
    await toGoogle();
    set();
    await answerGoogle(page, { account: sales });
    expect(await title()).toContain(words);
    await leading(page, () => page.getByRole('link', { name: 'Back to the email settings' }).click());
    await nothingChanged();
    // The page can be come back to: its address carries no code that is used up.
    await page.goBack();
    expect(await title()).toContain(words);
    expect(page.url()).toBe(`${letterhead.url}/google/answer`);
  });

  it('looks well on any screen', async () => {
    const { page } = manager;
    await toGoogle();
    await answerGoogle(page, { account: sales, refuse: true });
    expect(await title()).toContain('you said no at Google');
    for (const { viewport, colorScheme } of looks) {
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme });
      await expectFit(page);
    }
    await page.setViewportSize(looks[0].viewport);
  });

  it('was given without the one box that matters: what is connected stays as it was', async () => {
    const { page } = manager;
    await page.goto('/settings/email');
    await leading(page, () => page.getByRole('link', { name: `Manage ${office}` }).click());
    await leading(page, () => page.getByRole('link', { name: /^Switch on….*Other addresses/ }).click());
    await press(page, 'Continue to Google');
    await answerGoogle(page, { account: office, tick: /settings/ });
    expect(await main().textContent()).toContain('the box “Send email on your behalf” was not ticked');
    await nothingChanged();
  });
});

describe('a Workspace’s administrator', () => {
  it('who trusts the app spares people the boxes, and it is connected with all that was asked', async () => {
    const { page } = manager;
    setDomain({ trustedClients: [testClient.clientId] });
    await toGoogle();
    await answerGoogle(page, { account: sales, tick: /no such box/ });
    expect(await main().textContent()).toContain(`${sales} is connected.`);
    await leading(page, () => page.getByRole('link', { name: `Manage ${sales}` }).click());
    await leading(page, () => page.getByRole('link', { name: 'Disconnect…' }).click());
    await press(page, /^Disconnect/);
  });

  it('who blocks apps ends what was connected, and turns away whoever reconnects, until they allow it again', async () => {
    const { page } = manager;
    setDomain({ mailApps: 'blocked' });
    await page.goto('/settings/email');
    await leading(page, () => page.getByRole('link', { name: `Manage ${office}` }).click());
    await leading(page, () => page.getByRole('link', { name: 'Check-up' }).click());
    await press(page, 'Check now');
    expect(await page.locator('.page-head .pill').textContent()).toBe('Needs reconnecting');
    const itsPage = page.url().replace('/check-up', '');
    await page.goto(itsPage);
    await press(page, 'Reconnect');
    // Google knows by now which account it is about, and may not ask.
    if (await page.locator('[data-step=account]').count()) await press(page, new RegExp(office));
    expect(await page.locator('body').textContent()).toContain('your organization’s policy');
    setDomain({ mailApps: 'allowed' });
    await page.goto(itsPage);
    await press(page, 'Reconnect');
    await answerGoogle(page, { account: office });
    expect(await main().textContent()).toContain(`${office} is connected`);
  });
});
