import { describe, expect, it } from 'vitest';
import { inTenant } from '../../src/tenants/scope.ts';
import { eventually } from '../support/eventually.ts';
import { expectFitInEveryLook } from '../support/fit.ts';
import { testClient } from '../support/letterhead.ts';
import { office, openDesk } from './desk.ts';
import { answerGoogle, follow, leading, press } from './person.ts';

const mira = 'mira@northgate.example';

const desk = openDesk({ connected: [office] });

const words = () => desk.page.locator('#main').textContent();
const told = async () => (await desk.page.getByRole('status').textContent())?.trim();
const mailboxPage = async () => {
  await desk.page.goto('/settings/email');
  await follow(desk.page, `Manage ${office}`);
};

describe('a mailbox’s page', () => {
  it('shows what it may do, with a tick each, after connecting with nothing but the permission to send', async () => {
    const { page } = desk;
    await expectFitInEveryLook(desk.page);
    await mailboxPage();
    expect(await page.locator('.permissions li.on').allTextContents()).toEqual([expect.stringContaining('Send email')]);
    expect(await page.locator('.permissions li.off').count()).toBe(3);
    await expectFitInEveryLook(desk.page);
  });

  it('leads to a page that says what a permission buys and sees, and from there to Google', async () => {
    const { page } = desk;
    await follow(desk.page, /^Switch on….*Look into Sent/);
    expect(await words()).toContain('It cannot read what an email says, nor its attachments.');
    await expectFitInEveryLook(desk.page);
    await press(page, 'Continue to Google');
    await answerGoogle(page, { account: office });
    expect(await told()).toContain('“Look into Sent”: switched on');
    expect(await page.locator('.permissions li.on').count()).toBe(2);
  });

  it('says which box was left empty, and that the rest works', async () => {
    const { page } = desk;
    await follow(desk.page, /^Switch on….*Safe retries/);
    await press(page, 'Continue to Google');
    await answerGoogle(page, { account: office, tick: /Send email|headers/ });
    expect(await told()).toBe(
      'On Google’s page the box “Manage drafts and send emails” was left empty, so “Safe retries” stays off. Everything else works.',
    );
    expect(await page.locator('.permissions li.on').count()).toBe(2);
  });

  it('takes a permission back, after saying what stops', async () => {
    const { page } = desk;
    await follow(desk.page, /^Details.*Look into Sent/);
    expect(await words()).toContain('What stops when it is switched off');
    await expectFitInEveryLook(desk.page);
    await press(page, 'Switch off');
    expect(await page.locator('.permissions li.on').count()).toBe(1);
  });
});

describe('another Google account, chosen while reconnecting', () => {
  it('leads to a choice; going back leads to the right one, and what waits goes out or is listed', async () => {
    const { page } = desk;
    desk.google.accounts.removeAccess(office, testClient.clientId);
    for (const _ of [1, 2, 3]) {
      await page.goto('/settings/email');
      await press(page, 'Send a test email to myself');
      await page.locator('#progress [data-state=held]').waitFor();
    }
    const tenant = await desk.letterhead.database.system.selectFrom('tenants').select('id').executeTakeFirstOrThrow();
    await inTenant(desk.letterhead.database.db, tenant.id, async (trx) => {
      const rows = await trx.selectFrom('deliveries').select('id').orderBy('created_at').execute();
      const old = rows.slice(0, 2).map(({ id }) => id);
      const at = new Date(desk.google.clock.now() - 30 * 3_600_000);
      await trx.updateTable('deliveries').set({ state_at: at }).where('id', 'in', old).execute();
    });

    await mailboxPage();
    expect(await words()).toContain('3 emails wait');
    await press(page, 'Reconnect');
    await press(page, 'Use another');
    await answerGoogle(page, { account: mira });
    expect(await words()).toContain(`You chose ${mira} at Google, but this was about ${office}.`);
    await expectFitInEveryLook(desk.page);
    await press(page, 'Choose the right one');
    await answerGoogle(page, { account: office });
    expect(await told()).toContain('1 waiting email is going out now. 2 waited for more than 24 hours');
    await expectFitInEveryLook(desk.page);
  });

  it('the list lets one be sent, and the other discarded', async () => {
    const { page } = desk;
    await leading(page, () =>
      page
        .getByRole('button', { name: /^Send now/ })
        .first()
        .click(),
    );
    expect(await told()).toBe('1 email is going out now.');
    await press(page, /^Discard.*Test email/);
    expect(await told()).toContain('1 email was discarded.');
    const sent = () => desk.google.truth.accepted().length;
    await eventually(
      async () => sent(),
      (count) => count === 2,
    );
  });
});

describe('disconnecting', () => {
  it('says first what stops, and can be left', async () => {
    const { page } = desk;
    await mailboxPage();
    await follow(desk.page, 'Disconnect…');
    expect(await words()).toContain('they come from the company’s default Gmail, which is this one');
    await expectFitInEveryLook(desk.page);
    await follow(desk.page, 'Keep it');
    expect(await page.locator('.page-head .pill').textContent()).toBe('Connected');
    await follow(desk.page, 'Disconnect…');
    await press(page, 'Disconnect');
    expect(await told()).toContain(`${office} is disconnected, and Google has been told.`);
    await expectFitInEveryLook(desk.page);
  });
});
