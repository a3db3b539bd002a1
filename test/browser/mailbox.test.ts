import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { inTenant } from '../../src/tenants/scope.ts';
import { launchChromium } from '../support/chromium.ts';
import { eventually } from '../support/eventually.ts';
import { expectFit, looks } from '../support/fit.ts';
import { startTestLetterhead, type TestLetterhead, testClient } from '../support/letterhead.ts';
import { answerGoogle, foundCompany, leading, type Person, person, press, signIn } from './person.ts';

const dana = 'dana@brightwater.example';
const office = 'office@brightwater.example';
const mira = 'mira@northgate.example';

let letterhead: TestLetterhead;
let browser: Browser;
let manager: Person;

beforeAll(async () => {
  [letterhead, browser] = await Promise.all([startTestLetterhead(), launchChromium()]);
  manager = await person(browser, letterhead);
  // Colours that are still on their way to others have no contrast to measure.
  await manager.page.emulateMedia({ reducedMotion: 'reduce' });
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

const follow = (name: string | RegExp) => leading(manager.page, () => manager.page.getByRole('link', { name }).click());
const words = () => manager.page.locator('#main').textContent();
const told = async () => (await manager.page.getByRole('status').textContent())?.trim();
const mailboxPage = async () => {
  await manager.page.goto('/settings/email');
  await follow(`Manage ${office}`);
};

describe('a mailbox’s page', () => {
  it('shows what it may do, with a tick each, after connecting with nothing but the permission to send', async () => {
    const { page } = manager;
    await signIn(page, dana);
    await foundCompany(page, 'Brightwater Joinery');
    await page.goto('/settings/email');
    await press(page, 'Connect to Gmail');
    await answerGoogle(page, { account: office });
    await inEveryLook();
    await mailboxPage();
    expect(await page.locator('.permissions li.on').allTextContents()).toEqual([expect.stringContaining('Send email')]);
    expect(await page.locator('.permissions li.off').count()).toBe(3);
    await inEveryLook();
  });

  it('leads to a page that says what a permission buys and sees, and from there to Google', async () => {
    const { page } = manager;
    await follow(/^Switch on….*Look into Sent/);
    expect(await words()).toContain('It cannot read what an email says, nor its attachments.');
    await inEveryLook();
    await press(page, 'Continue to Google');
    await answerGoogle(page, { account: office });
    expect(await told()).toContain('“Look into Sent”: switched on');
    expect(await page.locator('.permissions li.on').count()).toBe(2);
  });

  it('says which box was left empty, and that the rest works', async () => {
    const { page } = manager;
    await follow(/^Switch on….*Safe retries/);
    await press(page, 'Continue to Google');
    await answerGoogle(page, { account: office, tick: /Send email|headers/ });
    expect(await told()).toBe(
      'On Google’s page the box “Manage drafts and send emails” was left empty, so “Safe retries” stays off. Everything else works.',
    );
    expect(await page.locator('.permissions li.on').count()).toBe(2);
  });

  it('takes a permission back, after saying what stops', async () => {
    const { page } = manager;
    await follow(/^Details.*Look into Sent/);
    expect(await words()).toContain('What stops when it is switched off');
    await inEveryLook();
    await press(page, 'Switch off');
    expect(await page.locator('.permissions li.on').count()).toBe(1);
  });
});

describe('another Google account, chosen while reconnecting', () => {
  it('leads to a choice; going back leads to the right one, and what waits goes out or is listed', async () => {
    const { page } = manager;
    letterhead.google.accounts.removeAccess(office, testClient.clientId);
    for (const _ of [1, 2, 3]) {
      await page.goto('/settings/email');
      await press(page, 'Send a test email to myself');
      await page.locator('#progress [data-state=held]').waitFor();
    }
    const tenant = await letterhead.database.system.selectFrom('tenants').select('id').executeTakeFirstOrThrow();
    await inTenant(letterhead.database.db, tenant.id, async (trx) => {
      const rows = await trx.selectFrom('deliveries').select('id').orderBy('created_at').execute();
      const old = rows.slice(0, 2).map(({ id }) => id);
      const at = new Date(letterhead.google.clock.now() - 30 * 3_600_000);
      await trx.updateTable('deliveries').set({ state_at: at }).where('id', 'in', old).execute();
    });

    await mailboxPage();
    expect(await words()).toContain('3 emails wait');
    await press(page, 'Reconnect');
    await press(page, 'Use another');
    await answerGoogle(page, { account: mira });
    expect(await words()).toContain(`You chose ${mira} at Google, but this was about ${office}.`);
    await inEveryLook();
    await press(page, 'Choose the right one');
    await answerGoogle(page, { account: office });
    expect(await told()).toContain('1 waiting email is going out now. 2 waited for more than 24 hours');
    await inEveryLook();
  });

  it('the list lets one be sent, and the other discarded', async () => {
    const { page } = manager;
    await leading(page, () =>
      page
        .getByRole('button', { name: /^Send now/ })
        .first()
        .click(),
    );
    expect(await told()).toBe('1 email is going out now.');
    await press(page, /^Discard.*Test email/);
    expect(await told()).toContain('1 email was discarded.');
    const sent = () => letterhead.google.truth.accepted().length;
    await eventually(
      async () => sent(),
      (count) => count === 2,
    );
  });
});

describe('disconnecting', () => {
  it('says first what stops, and can be left', async () => {
    const { page } = manager;
    await mailboxPage();
    await follow('Disconnect…');
    expect(await words()).toContain('they come from the company’s default Gmail, which is this one');
    await inEveryLook();
    await follow('Keep it');
    expect(await page.locator('.page-head .pill').textContent()).toBe('Connected');
    await follow('Disconnect…');
    await press(page, 'Disconnect');
    expect(await told()).toContain(`${office} is disconnected, and Google has been told.`);
    await inEveryLook();
  });
});
