import { afterEach, describe, expect, it } from 'vitest';
import { callbackPaths } from '../../src/web/google-flows.ts';
import { startTestLetterhead, testClient } from '../support/letterhead.ts';
import { dana, office, openDesk } from './desk.ts';
import { answerGoogle, follow, person, press } from './person.ts';

const sales = 'sales@brightwater.example';
/** A browser inside an app, in which Google lets nobody sign in. */
const insideAnApp =
  'Mozilla/5.0 (Linux; Android 15; Pixel 9; wv) AppleWebKit/537.36 Chrome/140.0.0.0 Mobile Safari/537.36';

const desk = openDesk({ worker: false, accounts: [[sales, 'Sales']], connected: [office] });
afterEach(() => {
  desk.setApp({ publishing: 'production', internalTo: null, userCap: 100 });
  desk.google.setUnverified(false);
  desk.google.policies.setClientDeleted(testClient.clientId, false);
  register(callbackPaths.signIn, callbackPaths.connect);
});

/** Registers our app at Google anew, with these ways back. */
function register(...paths: string[]): void {
  const { clientId: id, clientSecret: secret } = testClient;
  const redirectUris = paths.map((path) => `${desk.letterhead.url}${path}`);
  desk.google.addClients([{ id, secret, name: 'Letterhead', redirectUris }]);
}

const shown = () => desk.page.locator('body').textContent();
const main = () => desk.page.locator('#main');
const atGoogle = () => new URL(desk.page.url()).origin === desk.google.url;
/** Presses “Connect another Gmail” on the email settings. */
async function toGoogle(): Promise<void> {
  await desk.page.goto('/settings/email');
  await press(desk.page, 'Connect another Gmail');
}
/** Comes back by themselves: the one mailbox is connected still, and no other is there. */
async function nothingChanged(): Promise<void> {
  const { page } = desk;
  await page.goBack();
  await page.goto('/settings/email');
  expect(await page.locator('h2[id^=mailbox-]').allTextContents()).toEqual([office]);
  expect(await main().locator('.pill.connected').count()).toBe(1);
}
/** Goes to the account's check-up, and runs it; what it says of the way back from Google. */
async function checkWayBack() {
  const { page } = desk;
  await page.goto('/settings/email');
  await follow(page, `Manage ${office}`);
  await follow(page, 'Check-up');
  await press(page, /^Check (now|again)$/);
  const step = page.locator('[data-step=redirect]');
  return { status: await step.getAttribute('data-status'), says: await step.textContent() };
}

describe('a refusal that Google shows on its own page once it knows the account', () => {
  const refusals: readonly [string, () => void, RegExp][] = [
    ['org_internal', () => desk.setApp({ internalTo: 'northgate.example' }), /only be used within its organization/],
    ['no test user', () => desk.setApp({ publishing: 'testing', testUsers: [dana] }), /has not completed verification/],
    [
      'the cap of an unverified app',
      () => {
        desk.setApp({ userCap: 0 });
        desk.google.setUnverified(true);
      },
      /Sign-in is temporarily disabled for this app/,
    ],
    ['the account is disabled', () => desk.google.accounts.disable(sales), /This account is disabled/],
  ];

  it.each(refusals)('leaves everything as it was: %s', async (_word, set, words) => {
    await toGoogle();
    set();
    await press(desk.page, new RegExp(sales));
    expect(atGoogle()).toBe(true);
    expect(await shown()).toMatch(words);
    await nothingChanged();
  });
});

describe('a refusal that stands before anything else', () => {
  it('deleted_client: whoever runs Letterhead deleted it at Google, and the check-up says so', async () => {
    desk.google.policies.setClientDeleted(testClient.clientId, true);
    await toGoogle();
    expect(await shown()).toMatch(/Access blocked: authorization error[\s\S]*deleted_client/);
    await nothingChanged();
    const { status, says } = await checkWayBack();
    expect(status).toBe('failed');
    expect(says).toMatch(/Google does not know the OAuth client of this installation.*whoever runs Letterhead/s);
  });

  it('redirect_uri_mismatch: the check-up names the address that is missing at Google, until it is there', async () => {
    const { page, letterhead } = desk;
    register(callbackPaths.signIn);
    await toGoogle();
    expect(await shown()).toMatch(/this app’s request is invalid[\s\S]*redirect_uri_mismatch/);
    await nothingChanged();
    const { status, says } = await checkWayBack();
    const address = `${letterhead.url}${callbackPaths.connect}`;
    expect(status).toBe('failed');
    expect(says).toContain(`Google does not know ${address} for an address of Letterhead`);
    expect(says).toMatch(/whoever runs Letterhead.*Authorised redirect URIs/s);

    register(callbackPaths.signIn, callbackPaths.connect);
    expect((await checkWayBack()).status).toBe('passed');
    await page.goto('/settings/email');
    await press(page, 'Connect my own Gmail');
    await answerGoogle(page, { account: dana });
    expect(await main().textContent()).toContain(`${dana} is connected`);
  });

  it('disallowed_useragent: in a browser inside an app nobody signs in, and nothing is lost by it', async () => {
    const { page } = await desk.another({ userAgent: insideAnApp });
    await page.goto('/');
    await press(page, 'Sign in with Google');
    expect(await page.locator('body').textContent()).toMatch(
      /Signing in is possible in a browser only[\s\S]*disallowed_useragent/,
    );
    await page.goBack();
    expect(await page.getByRole('button', { name: 'Sign in with Google' }).count()).toBe(1);
  });

  it('invalid_client: of an installation with a mistyped client id, at the first sign-in', async () => {
    const mistyped = await startTestLetterhead({ worker: false, clientId: 'mistyped.apps' });
    try {
      const { page, context } = await person(desk.browser, mistyped);
      await page.goto('/');
      await press(page, 'Sign in with Google');
      expect(await page.locator('body').textContent()).toMatch(/this app’s request is invalid[\s\S]*invalid_client/);
      await page.goBack();
      expect(await page.getByRole('button', { name: 'Sign in with Google' }).count()).toBe(1);
      await context.close();
    } finally {
      await mistyped.close();
    }
  });
});
