import { beforeAll, describe, expect, it } from 'vitest';
import { expectFitInEveryLook } from '../support/fit.ts';
import { testClient } from '../support/letterhead.ts';
import { dana, office, openDesk } from './desk.ts';
import { answerGoogle, follow, press, sendAtOnce } from './person.ts';

const sales = 'sales@brightwater.example';

const desk = openDesk({ accounts: [[sales, 'Sales']], connected: [office, sales] });
beforeAll(() => sendAtOnce(desk.page));

const banner = () => desk.page.getByRole('complementary', { name: 'Gmail' });
const main = () => desk.page.locator('#main');
const sendTest = async () => {
  await desk.page.goto('/settings/email');
  await press(desk.page, 'Send a test email to myself');
};
const reaches = (state: string) => desk.page.locator(`[data-state=${state}]`).waitFor();

/** An ending that Google words by itself, and what a person then reads. */
const endings: readonly [string, () => void, RegExp][] = [
  [
    'the access was removed, or the password changed',
    () => desk.google.accounts.changePassword(office),
    /Most likely somebody removed Letterhead’s access .* or its password was changed/,
  ],
  [
    'the Workspace wants people to sign in again',
    () => desk.google.accounts.requireReauth(office),
    /wants office@brightwater\.example to sign in again/,
  ],
];

describe.each(endings)('Google ends the connection: %s', (_what, end, why) => {
  it('the manager reads why on any page, reconnects, and what waited leaves', async () => {
    const { page } = desk;
    await page.goto('/');
    expect(await banner().count()).toBe(0);
    end();
    desk.google.accounts.expireAccessTokens(office);
    await sendTest();
    await reaches('held');
    const held = page.url();

    await page.goto('/documents?kind=invoice');
    expect(await banner().textContent()).toMatch(why);
    await expectFitInEveryLook(desk.page);
    await follow(desk.page, 'What to do');
    expect(await main().textContent()).toMatch(why);
    await expectFitInEveryLook(desk.page);
    await press(page, 'Check now');
    expect(await page.getByRole('alert').textContent()).toContain('does not work yet');

    await page.goto('/activity');
    await follow(desk.page, 'Gmail accounts');
    expect(await page.locator('.timeline li').first().textContent()).toMatch(why);
    await expectFitInEveryLook(desk.page);

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
    const { page } = desk;
    // Each ending before this one may have been told, too.
    const notices = () =>
      desk.google.mail
        .messages(dana)
        .filter((message) => desk.google.mail.raw(message).toString().includes('Subject: Gmail must be connected'));
    const before = notices().length;
    desk.google.accounts.removeAccess(office, testClient.clientId);
    await sendTest();
    await reaches('held');
    await expect.poll(() => notices().length).toBe(before + 1);
    await page.goto('/activity');
    await follow(desk.page, 'Notice');
    await reaches('sent');
    expect(await main().textContent()).toContain('Letterhead wrote this by itself, through sales@brightwater.example');
    await expectFitInEveryLook(desk.page);
    await page.goto('/settings/email');
    await press(page, 'Reconnect');
    await answerGoogle(page, { account: office });
  });
});

describe('a pause', () => {
  it('is made and ended on the account’s page, and says so wherever somebody sends', async () => {
    const { page } = desk;
    await page.goto('/settings/email');
    await follow(desk.page, `Manage ${office}`);
    await press(page, 'Pause');
    expect(await main().textContent()).toContain('Paused by Dana');
    await expectFitInEveryLook(desk.page);
    await sendTest();
    await reaches('held');
    const held = page.url();
    expect(await main().textContent()).toContain(`Waits until ${office} is resumed.`);
    await page.goto('/settings/email');
    await expectFitInEveryLook(desk.page);
    await press(page, 'Resume');
    expect(await main().textContent()).toContain('1 waiting email is going out now.');
    await page.goto(held);
    await reaches('sent');
    await page.goto('/settings/email');
    await follow(desk.page, `Manage ${office}`);
    await follow(desk.page, 'See the history');
    expect(await page.locator('.timeline li').nth(1).textContent()).toContain('Paused by Dana');
    await expectFitInEveryLook(desk.page);
    await page.goto('/settings');
    await follow(desk.page, 'Changes');
    expect(await main().locator('tbody tr').nth(1).textContent()).toContain(`Paused ${office}`);
    await expectFitInEveryLook(desk.page);
  });
});
