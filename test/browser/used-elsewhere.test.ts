import { beforeAll, describe, expect, it } from 'vitest';
import { type Company, company } from '../support/company.ts';
import { connected } from '../support/found.ts';
import type { Visitor } from '../support/visitor.ts';
import { office } from './desk.ts';
import { answerGoogle, openTextDesk, sendAtOnce, showing } from './text-desk.ts';

/** How many refresh tokens Google keeps of one account and app. */
const kept = 100;

const desk = openTextDesk({ connected: [office] });
let other: Company;
let elsewhere: Visitor;
beforeAll(async () => {
  await sendAtOnce(desk.page);
  other = await company(desk.letterhead);
  elsewhere = other.founder;
});

const why =
  /Most likely the Google account office@brightwater\.example was connected to Letterhead more than a hundred times/;

describe('a Google account that another company connects, too', () => {
  it('ends the oldest connection with the hundred and first: the manager reads why, and reconnects', async () => {
    const { page } = desk;
    for (let times = 0; times < kept; times += 1) await connected(desk.letterhead, other, office);
    // The hour of the access token passes.
    desk.google.clock.forward(2 * 3_600_000);
    await page.goto('/settings/email');
    await page.press('Send a test email to myself');
    await showing(page, '#progress [data-state=held]');
    const held = page.url.href;

    await page.goto('/documents?kind=invoice');
    expect(page.text('aside[aria-label=Gmail]')).toMatch(why);
    await page.follow('What to do');
    expect(page.text()).toMatch(why);
    expect(page.text()).toContain('connect each of those once only');
    await desk.expectFit();
    await page.press('Reconnect');
    await answerGoogle(page, { account: office });
    expect(page.text()).toContain('1 email is going out now.');
    await page.goto(held);
    await showing(page, '#progress [data-state=sent]');
  });

  it('keeps its permission at Google when it is disconnected here, which the page says before and after', async () => {
    const { page } = desk;
    await disconnect('Google keeps the permission, because another mailbox here uses the same Google account');
    expect(page.text('[role=status]')).toContain('The permission at Google stays');
    expect((await elsewhere.get('/settings/email')).text).toContain(office);
  });

  it('disconnected by the last of them while Google cannot be told, leaves a word on what to do there', async () => {
    const { page } = desk;
    await page.goto('/settings/email');
    await page.press('Reconnect');
    await answerGoogle(page, { account: office });
    await disconnectElsewhere();
    desk.fault({ kind: 'drop', when: 'before' }, 'revoke');
    await disconnect('Google is told to end the permission');
    expect(page.text('[role=status]')).toContain(
      'Google could not be told. You can remove Letterhead yourself under “Third-party apps” in that Google account.',
    );
  });
});

/** Disconnects the account, on whose page before that these words stand. */
async function disconnect(words: string): Promise<void> {
  const { page } = desk;
  await page.goto('/settings/email');
  await page.follow(`Manage ${office}`);
  await page.follow('Disconnect…');
  expect(page.text()).toContain(words);
  await page.press('Disconnect');
}

async function disconnectElsewhere(): Promise<void> {
  const [, id] =
    new RegExp(`id="mailbox-([^"]+)">${office}<`).exec((await elsewhere.get('/settings/email')).text) ?? [];
  expect((await elsewhere.post(`/mailboxes/${id}/disconnection`)).status).toBe(303);
}
