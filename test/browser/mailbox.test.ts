import { describe, expect, it } from 'vitest';
import { inTenant } from '../../src/tenants/scope.ts';
import { eventually } from '../support/eventually.ts';
import { testClient } from '../support/letterhead.ts';
import { office } from './desk.ts';
import { answerGoogle, openTextDesk, showing } from './text-desk.ts';

const mira = 'mira@northgate.example';

const desk = openTextDesk({ connected: [office] });

const words = () => desk.page.text();
const told = () => desk.page.text('[role=status]');
const mailboxPage = async () => {
  await desk.page.goto('/settings/email');
  await desk.page.follow(`Manage ${office}`);
};

describe('a mailbox’s page', () => {
  it('shows what it may do, with a tick each, after connecting with nothing but the permission to send', async () => {
    const { page } = desk;
    await desk.expectFit();
    await mailboxPage();
    expect(page.texts('.permissions li.on')).toEqual([expect.stringContaining('Send email')]);
    expect(page.all('.permissions li.off')).toHaveLength(3);
    await desk.expectFit();
  });

  it('leads to a page that says what a permission buys and sees, and from there to Google', async () => {
    const { page } = desk;
    await desk.page.follow(/^Switch on….*Look into Sent/);
    expect(words()).toContain('It cannot read what an email says, nor its attachments.');
    await desk.expectFit();
    await page.press('Continue to Google');
    await answerGoogle(page, { account: office });
    expect(told()).toContain('“Look into Sent”: switched on');
    expect(page.all('.permissions li.on')).toHaveLength(2);
  });

  it('says which box was left empty, and that the rest works', async () => {
    const { page } = desk;
    await desk.page.follow(/^Switch on….*Safe retries/);
    await page.press('Continue to Google');
    await answerGoogle(page, { account: office, tick: /Send email|headers/ });
    expect(told()).toBe(
      'On Google’s page the box “Manage drafts and send emails” was left empty, so “Safe retries” stays off. Everything else works.',
    );
    expect(page.all('.permissions li.on')).toHaveLength(2);
  });

  it('takes a permission back, after saying what stops', async () => {
    const { page } = desk;
    await desk.page.follow(/^Details.*Look into Sent/);
    expect(words()).toContain('What stops when it is switched off');
    await desk.expectFit();
    await page.press('Switch off');
    expect(page.all('.permissions li.on')).toHaveLength(1);
  });
});

describe('another Google account, chosen while reconnecting', () => {
  it('leads to a choice; going back leads to the right one, and what waits goes out or is listed', async () => {
    const { page } = desk;
    desk.google.accounts.removeAccess(office, testClient.clientId);
    for (const _ of [1, 2, 3]) {
      await page.goto('/settings/email');
      await page.press('Send a test email to myself');
      await showing(page, '#progress [data-state=held]');
    }
    const tenant = await desk.letterhead.database.system.selectFrom('tenants').select('id').executeTakeFirstOrThrow();
    await inTenant(desk.letterhead.database.db, tenant.id, async (trx) => {
      const rows = await trx.selectFrom('deliveries').select('id').orderBy('created_at').execute();
      const old = rows.slice(0, 2).map(({ id }) => id);
      const at = new Date(desk.google.clock.now() - 30 * 3_600_000);
      await trx.updateTable('deliveries').set({ state_at: at }).where('id', 'in', old).execute();
    });

    await mailboxPage();
    expect(words()).toContain('3 emails wait');
    await page.press('Reconnect');
    await page.press('Use another');
    await answerGoogle(page, { account: mira });
    expect(words()).toContain(`You chose ${mira} at Google, but this was about ${office}, which belongs to`);
    await desk.expectFit();
    await page.press('Choose the right one');
    await answerGoogle(page, { account: office });
    expect(told()).toContain('1 email is going out now. 2 waited for more than 24 hours');
    await desk.expectFit();
  });

  it('the list lets one be sent, and the other discarded', async () => {
    const { page } = desk;
    await page.press(/^Send now/);
    expect(told()).toBe('1 email is going out now.');
    await page.press(/^Discard.*Test email/);
    expect(told()).toContain('1 email is discarded');
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
    await desk.page.follow('Disconnect…');
    expect(words()).toContain('they come from the company’s default Gmail, which is this one');
    await desk.expectFit();
    await desk.page.follow('Keep it');
    expect(page.text('.page-head .pill')).toBe('Connected');
    await desk.page.follow('Disconnect…');
    await page.press('Disconnect');
    expect(told()).toContain(`${office} is disconnected, and Google has been told.`);
    await desk.expectFit();
  });
});
