import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium } from '../support/chromium.ts';
import { expectFit, looks } from '../support/fit.ts';
import { startTestLetterhead, type TestLetterhead, testClient } from '../support/letterhead.ts';
import { answerGoogle, foundCompany, leading, type Person, person, press, sendAtOnce, signIn } from './person.ts';

const dana = 'dana@brightwater.example';
const office = 'office@brightwater.example';
const sales = 'sales@brightwater.example';

let letterhead: TestLetterhead;
let browser: Browser;
let manager: Person;

beforeAll(async () => {
  [letterhead, browser] = await Promise.all([startTestLetterhead(), launchChromium()]);
  letterhead.google.accounts.add({ email: sales, name: 'Sales' });
  manager = await person(browser, letterhead);
  await manager.page.emulateMedia({ reducedMotion: 'reduce' });
  const { page } = manager;
  await signIn(page, dana);
  await foundCompany(page, 'Brightwater Joinery');
  await sendAtOnce(page);
  await page.goto('/settings/email');
  await press(page, 'Connect to Gmail');
  await answerGoogle(page, { account: office });
  await press(page, 'Connect another Gmail');
  await answerGoogle(page, { account: sales });
});
afterEach(() => expect(manager.troubles).toEqual([]));
afterAll(async () => {
  await browser?.close();
  await letterhead?.close();
});

/** Looks at the page at hand in every window, and leaves it as it was. */
async function inEveryLook(): Promise<void> {
  const { page } = manager;
  for (const { viewport, colorScheme } of looks) {
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme });
    await expectFit(page);
  }
  await page.setViewportSize(looks[0].viewport);
}

const banner = () => manager.page.getByRole('complementary', { name: 'Gmail' });
const follow = (name: string | RegExp) =>
  leading(manager.page, () => manager.page.getByRole('link', { name }).first().click());
const main = () => manager.page.locator('#main');
const sendTest = async () => {
  await manager.page.goto('/settings/email');
  await press(manager.page, 'Send a test email to myself');
};
const reaches = (state: string) => manager.page.locator(`[data-state=${state}]`).waitFor();

/** An ending that Google words by itself, and what a person then reads. */
const endings: readonly [string, () => void, RegExp][] = [
  [
    'the access was removed, or the password changed',
    () => letterhead.google.accounts.changePassword(office),
    /Most likely somebody removed Letterhead’s access .* or its password was changed/,
  ],
  [
    'the Workspace wants people to sign in again',
    () => letterhead.google.accounts.requireReauth(office),
    /wants office@brightwater\.example to sign in again/,
  ],
];

describe.each(endings)('Google ends the connection: %s', (_what, end, why) => {
  it('the manager reads why on any page, reconnects, and what waited leaves', async () => {
    const { page } = manager;
    await page.goto('/');
    expect(await banner().count()).toBe(0);
    end();
    letterhead.google.accounts.expireAccessTokens(office);
    await sendTest();
    await reaches('held');
    const held = page.url();

    await page.goto('/documents?kind=invoice');
    expect(await banner().textContent()).toMatch(why);
    await inEveryLook();
    await follow('What to do');
    expect(await main().textContent()).toMatch(why);
    await inEveryLook();
    await press(page, 'Check now');
    expect(await page.getByRole('alert').textContent()).toContain('does not work yet');

    await page.goto('/activity');
    await follow('Gmail accounts');
    expect(await page.locator('.timeline li').first().textContent()).toMatch(why);
    await inEveryLook();

    await page.goto('/settings/email');
    await press(page, 'Reconnect');
    await answerGoogle(page, { account: office });
    expect(await main().textContent()).toContain('1 waiting email is going out now.');
    expect(await banner().count()).toBe(0);
    await page.goto(held);
    await reaches('sent');
  });
});

describe('while a connection is dead', () => {
  it('the others work, and the manager gets one email through one of them', async () => {
    const { page } = manager;
    // Each ending before this one may have been told, too.
    const notices = () =>
      letterhead.google.mail
        .messages(dana)
        .filter((message) =>
          letterhead.google.mail.raw(message).toString().includes('Subject: Gmail must be connected'),
        );
    const before = notices().length;
    letterhead.google.accounts.removeAccess(office, testClient.clientId);
    await sendTest();
    await reaches('held');
    await expect.poll(() => notices().length).toBe(before + 1);
    await page.goto('/activity');
    await follow('Notice');
    await reaches('sent');
    expect(await main().textContent()).toContain('Letterhead wrote this by itself, through sales@brightwater.example');
    await inEveryLook();
    await page.goto('/settings/email');
    await press(page, 'Reconnect');
    await answerGoogle(page, { account: office });
  });
});

describe('a pause', () => {
  it('is made and ended on the account’s page, and says so wherever somebody sends', async () => {
    const { page } = manager;
    await page.goto('/settings/email');
    await follow(`Manage ${office}`);
    await press(page, 'Pause');
    expect(await main().textContent()).toContain('Paused by Dana');
    await inEveryLook();
    await sendTest();
    await reaches('held');
    const held = page.url();
    expect(await main().textContent()).toContain(`Waits until ${office} is resumed.`);
    await page.goto('/settings/email');
    await inEveryLook();
    await press(page, 'Resume');
    expect(await main().textContent()).toContain('1 waiting email is going out now.');
    await page.goto(held);
    await reaches('sent');
    await page.goto('/settings/email');
    await follow(`Manage ${office}`);
    await follow('See the history');
    expect(await page.locator('.timeline li').nth(1).textContent()).toContain('Paused by Dana');
    await inEveryLook();
    await page.goto('/settings');
    await follow('Changes');
    expect(await main().locator('tbody tr').nth(1).textContent()).toContain(`Paused ${office}`);
    await inEveryLook();
  });
});
