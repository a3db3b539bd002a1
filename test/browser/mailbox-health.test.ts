import { beforeAll, describe, expect, it } from 'vitest';
import { testClient } from '../support/letterhead.ts';
import { dana, office } from './desk.ts';
import { answerGoogle, openTextDesk, sendAtOnce, showing } from './text-desk.ts';

const sales = 'sales@brightwater.example';

const desk = openTextDesk({ accounts: [[sales, 'Sales']], connected: [office, sales] });
beforeAll(() => sendAtOnce(desk.page));

const banner = 'aside[aria-label=Gmail]';
const sendTest = async () => {
  await desk.page.goto('/settings/email');
  await desk.page.press('Send a test email to myself');
};
const reaches = (state: string) => showing(desk.page, `[data-state=${state}]`);

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
    expect(page.all(banner)).toEqual([]);
    end();
    desk.google.accounts.expireAccessTokens(office);
    await sendTest();
    await reaches('held');
    const held = page.url.href;

    await page.goto('/documents?kind=invoice');
    expect(page.text(banner)).toMatch(why);
    await desk.expectFit();
    await desk.page.follow('What to do');
    expect(page.text()).toMatch(why);
    await desk.expectFit();
    await page.press('Check now');
    expect(page.text('[role=alert]')).toContain('does not work yet');

    await page.goto('/activity');
    await desk.page.follow('Gmail accounts');
    expect(page.texts('.timeline li')[0]).toMatch(why);
    await desk.expectFit();

    await page.goto('/settings/email');
    await page.press('Reconnect');
    await answerGoogle(page, { account: office });
    expect(page.text()).toContain('1 email is going out now.');
    expect(page.all(banner)).toEqual([]);
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
        .filter((message) => desk.google.mail.raw(message).toString().includes('must be connected to Gmail again'));
    const before = notices().length;
    desk.google.accounts.removeAccess(office, testClient.clientId);
    await sendTest();
    await reaches('held');
    const held = page.url.href;
    await expect.poll(() => notices().length).toBe(before + 1);
    await page.goto('/activity');
    await desk.page.follow('Notice');
    await reaches('sent');
    expect(page.text()).toContain('Letterhead wrote this by itself, through sales@brightwater.example');
    await desk.expectFit();
    await page.goto('/settings/email');
    await page.press('Reconnect');
    await answerGoogle(page, { account: office });
    // Else the pause below catches this one, too.
    await page.goto(held);
    await reaches('sent');
  });
});

describe('a pause', () => {
  it('is made and ended on the account’s page, and says so wherever somebody sends', async () => {
    const { page } = desk;
    await page.goto('/settings/email');
    await desk.page.follow(`Manage ${office}`);
    await page.press('Pause');
    expect(page.text()).toContain('Paused by Dana');
    await desk.expectFit();
    await sendTest();
    await reaches('held');
    const held = page.url.href;
    expect(page.text()).toContain(`Waits until ${office} is resumed.`);
    await page.goto('/settings/email');
    await desk.expectFit();
    await page.press('Resume');
    expect(page.text()).toContain('1 email is going out now.');
    await page.goto(held);
    await reaches('sent');
    await page.goto('/settings/email');
    await desk.page.follow(`Manage ${office}`);
    await desk.page.follow('See the history');
    expect(page.texts('.timeline li')[1]).toContain('Paused by Dana');
    await desk.expectFit();
    await page.goto('/settings');
    await desk.page.follow('Changes');
    expect(page.texts('#main tbody tr')[1]).toContain(`Paused ${office}`);
    await desk.expectFit();
  });
});
