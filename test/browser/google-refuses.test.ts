import { afterEach, describe, expect, it } from 'vitest';
import type { DomainPolicy } from '../../src/sandbox/policies.ts';
import { expectFitInEveryLook } from '../support/fit.ts';
import { testClient } from '../support/letterhead.ts';
import { dana, office, openDesk } from './desk.ts';
import { answerGoogle, follow, press } from './person.ts';

const sales = 'sales@brightwater.example';

const desk = openDesk({ worker: false, accounts: [[sales, 'Sales']], connected: [office] });
afterEach(() => {
  setDomain({ mailApps: 'allowed', trustedClients: [] });
  desk.google.policies.setUnconfirmed({ insistedRefreshToken: true });
});

const setDomain = (policy: Partial<DomainPolicy>) => void desk.google.policies.setDomain('brightwater.example', policy);

const main = () => desk.page.locator('#main');
const title = () => main().locator('h1').textContent();
/** Presses “Connect another Gmail” on the email settings. */
async function toGoogle(): Promise<void> {
  await desk.page.goto('/settings/email');
  await press(desk.page, 'Connect another Gmail');
}
/** That the one mailbox is connected still, and no other is there. */
async function nothingChanged(): Promise<void> {
  const { page } = desk;
  await page.goto('/settings/email');
  expect(await page.locator('h2[id^=mailbox-]').allTextContents()).toEqual([office]);
  expect(await main().locator('.pill.connected').count()).toBe(1);
}

describe('an answer that comes back without what it takes', () => {
  const answers: readonly [string, () => void, string][] = [
    ['the code was good no more', () => desk.fault({ kind: 'invalidGrant' }), 'it took too long'],
    ['the client’s secret is wrong', () => desk.fault({ kind: 'invalidClient' }), 'own access to Google is broken'],
    ['Google broke off', () => desk.fault({ kind: 'drop', when: 'before' }), 'Google could not be reached'],
    [
      'Google had a problem',
      () => desk.fault({ kind: 'serverError', status: 503, when: 'before' }),
      'could not be reached',
    ],
  ];

  it.each(answers)('has a page that says what to do, and one click leads back: %s', async (_what, set, words) => {
    const { page } = desk;
    await toGoogle();
    set();
    await answerGoogle(page, { account: sales });
    expect(await title()).toContain(words);
    await follow(page, 'Back to the email settings');
    await nothingChanged();
    // The page can be come back to: its address carries no code that is used up.
    await page.goBack();
    expect(await title()).toContain(words);
    expect(page.url()).toBe(`${desk.letterhead.url}/google/answer`);
  });

  it('looks well on any screen', async () => {
    const { page } = desk;
    await toGoogle();
    await answerGoogle(page, { account: sales, refuse: true });
    expect(await title()).toContain('you said no at Google');
    await expectFitInEveryLook(page);
  });

  it('gave a permission for an hour only, and says what to do in the Google account', async () => {
    const { page } = desk;
    // Of an account that has said yes to something before, Google need not give a lasting one.
    desk.google.policies.setUnconfirmed({ insistedRefreshToken: false });
    await toGoogle();
    await answerGoogle(page, { account: dana });
    expect(await title()).toContain('Google gave no lasting permission');
    expect(await main().textContent()).toContain('remove Letterhead under “Third-party apps” in that Google account');
    await nothingChanged();
  });

  it('was given without the one box that matters: what is connected stays as it was', async () => {
    const { page } = desk;
    await page.goto('/settings/email');
    await follow(page, `Manage ${office}`);
    await follow(page, /^Switch on….*Other addresses/);
    await press(page, 'Continue to Google');
    await answerGoogle(page, { account: office, tick: /settings/ });
    expect(await main().textContent()).toContain('the box “Send email on your behalf” was not ticked');
    await nothingChanged();
  });
});

describe('a Workspace’s administrator', () => {
  it('who trusts the app spares people the boxes, and it is connected with all that was asked', async () => {
    const { page } = desk;
    setDomain({ trustedClients: [testClient.clientId] });
    await toGoogle();
    await answerGoogle(page, { account: sales, tick: /no such box/ });
    expect(await main().textContent()).toContain(`${sales} is connected.`);
    await follow(page, `Manage ${sales}`);
    await follow(page, 'Disconnect…');
    await press(page, /^Disconnect/);
  });

  it('who blocks apps ends what was connected, and turns away whoever reconnects, until they allow it again', async () => {
    const { page } = desk;
    setDomain({ mailApps: 'blocked' });
    await page.goto('/settings/email');
    await follow(page, `Manage ${office}`);
    await follow(page, 'Check-up');
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
