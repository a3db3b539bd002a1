import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium } from '../support/chromium.ts';
import { eventually } from '../support/eventually.ts';
import { expectFit, looks } from '../support/fit.ts';
import { startTestLetterhead, type TestLetterhead, testClient } from '../support/letterhead.ts';
import { answerGoogle, foundCompany, leading, type Person, person, press, signIn } from './person.ts';

const dana = 'dana@brightwater.example';
const office = 'office@brightwater.example';
const tomsAddress = 'tom@brightwater.example';
const folder = mkdtempSync(path.join(tmpdir(), 'letterhead-key-'));

let letterhead: TestLetterhead;
let browser: Browser;
let manager: Person;
let tom: Person;

beforeAll(async () => {
  [letterhead, browser] = await Promise.all([startTestLetterhead(), launchChromium()]);
  const { google, url } = letterhead;
  google.policies.setApp(testClient.clientId, { securityEventsUrl: `${url}/google/risc` });
  google.accounts.add({ email: tomsAddress, name: 'Tom Baker' });
  manager = await person(browser, letterhead);
  tom = await person(browser, letterhead);
  for (const { page } of [manager, tom]) await page.emulateMedia({ reducedMotion: 'reduce' });
  await signIn(manager.page, dana);
  await foundCompany(manager.page, 'Brightwater Joinery');
  await manager.page.goto('/settings/email');
  await press(manager.page, 'Connect to Gmail');
  await answerGoogle(manager.page, { account: office });
  await manager.page.goto('/settings/members');
  await manager.page.getByLabel('Email address').fill(tomsAddress);
  await press(manager.page, 'Invite');
  await signIn(tom.page, tomsAddress);
});
afterEach(() => expect([...manager.troubles, ...tom.troubles]).toEqual([]));
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await browser?.close();
  await letterhead?.close();
});

async function inEveryLook({ page }: Person): Promise<void> {
  for (const { viewport, colorScheme } of looks) {
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme });
    await expectFit(page);
  }
  await page.setViewportSize(looks[0].viewport);
}

const told = ({ page }: Person) => page.getByRole('status').textContent();
const seen = ({ page }: Person) => page.getByRole('main').textContent();

/** A tab at Google beside Letterhead's. */
async function atGoogle(place: string) {
  const page = await manager.context.newPage();
  await page.goto(`${letterhead.google.url}${place}`);
  return page;
}

describe('sending for a whole Google Workspace', () => {
  it('is set up with a key file, and with what the page says to paste in the Admin console', async () => {
    const { page } = manager;
    await page.goto('/settings/email');
    await leading(page, () => page.getByRole('link', { name: 'Set up Google Workspace' }).click());
    await inEveryLook(manager);

    const cloud = await atGoogle('/control');
    await cloud.getByLabel('Name').fill('letterhead');
    await press(cloud, 'Make a service account');
    const [download] = await Promise.all([
      cloud.waitForEvent('download'),
      cloud.getByRole('button', { name: 'Download a new key file' }).click(),
    ]);
    const file = path.join(folder, download.suggestedFilename());
    expect(path.extname(file)).toBe('.json');
    await download.saveAs(file);

    await page.getByLabel('Key file', { exact: true }).setInputFiles(file);
    await press(page, 'Store and check');
    expect(await seen(manager)).toContain('Waits for your administrator');
    await inEveryLook(manager);
    const [clientId = '', scopes = ''] = await page.locator('code.copy').allTextContents();

    await cloud.goto(`${letterhead.google.url}/control`);
    await cloud.locator('summary').filter({ hasText: 'brightwater.example' }).click();
    const domain = cloud.locator('details').filter({ hasText: 'brightwater.example' });
    await domain.getByLabel('Client ID').fill(clientId);
    await domain.getByLabel('OAuth scopes').fill(scopes);
    await leading(cloud, () => domain.getByRole('button', { name: 'Authorise' }).click());

    await press(page, 'Check again');
    expect(await told(manager)).toContain('Letterhead can send as the people of brightwater.example now.');
    expect(await seen(manager)).toContain('2 members are sent as this way.');
    await inEveryLook(manager);
    await cloud.close();
  });

  it('lets a member send from their own address, who never connected anything', async () => {
    await manager.page.goto('/settings/email');
    await manager.page.getByRole('radio', { name: /Whoever is signed in/ }).check();
    await press(manager.page, /^Save$/);
    await tom.page.goto('/settings/email');
    expect(await seen(tom)).toContain('your company’s Google Workspace lets Letterhead send as you');
    await press(tom.page, 'Send a test email to myself');
    await tom.page.getByText('Sent', { exact: true }).first().waitFor();
    expect(letterhead.google.truth.accepted().at(-1)).toMatchObject({ account: tomsAddress });
    await tom.page.goto('/settings/email');
    await inEveryLook(tom);
  });

  it('takes the text of a key file, too, and says what is wrong with another text', async () => {
    const { page } = manager;
    await page.goto('/settings/email/workspace');
    await page.getByText('Use another key file').click();
    await page.getByText('Paste its text instead').click();
    await page.getByLabel('Text of the key file').fill('{"installed": {}}');
    await press(page, 'Store and check');
    expect(await page.getByRole('alert').textContent()).toContain('This is the file of an OAuth client.');
    await inEveryLook(manager);
  });

  it('removed, says before what will stop, and after it that it has', async () => {
    const { page } = manager;
    await page.goto('/settings/email/workspace');
    await page.getByRole('button', { name: 'Remove' }).click();
    expect(await page.getByRole('heading', { name: 'Stop sending for' }).isVisible()).toBe(true);
    await press(page, 'Stop and delete the key');
    expect(await told(manager)).toContain('no longer sends as the people of brightwater.example');
    await tom.page.goto('/settings/email');
    expect(await seen(tom)).toContain('Nothing can be sent by you now.');
  });
});

describe('what Google tells by itself', () => {
  it('shows at once: access removed in the Google account', async () => {
    // Long enough after connecting for the order to be sure.
    letterhead.google.clock.forward(20 * 60_000);
    const account = await atGoogle(`/account/${office}/connections`);
    await press(account, 'Remove access');
    await letterhead.google.securityEvents.settled();
    const { page } = manager;
    await page.goto('/settings/email');
    expect(await seen(manager)).toMatch(/Needs reconnecting.*removed Letterhead’s access in the Google account/s);
    await inEveryLook(manager);
    await press(page, 'Reconnect');
    await answerGoogle(page, { account: office });
    expect(await seen(manager)).toContain('Connected');
    await account.close();
  });

  it('shows at once: a changed password', async () => {
    letterhead.google.clock.forward(20 * 60_000);
    const account = await atGoogle(`/account/${office}/connections`);
    await press(account, 'Change the password');
    await letterhead.google.securityEvents.settled();
    await manager.page.goto('/settings/email');
    expect(await seen(manager)).toContain('The password of office@brightwater.example was changed');
    await account.close();
  });

  it('ends the sessions of somebody whose account is disabled, whatever they were about to do', async () => {
    await tom.page.goto('/settings/email');
    letterhead.google.accounts.disable(tomsAddress, 'hijacking');
    await letterhead.google.securityEvents.settled();
    await eventually(
      () => letterhead.google.securityEvents.sent().at(-1)?.status,
      (status) => status === 202,
    );
    await tom.page.reload();
    expect(new URL(tom.page.url()).pathname).toBe('/sign-in');
    await manager.page.goto('/settings/email');
    expect(new URL(manager.page.url()).pathname).toBe('/settings/email');
  });
});
