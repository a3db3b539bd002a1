import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { testClient } from '../support/letterhead.ts';
import { received } from '../support/received.ts';
import { TextBrowser } from '../support/text-browser.ts';
import { dana, office, openDesk } from './desk.ts';
import { answerGoogle, follow, foundCompany, person, press, pressIn, sendAtOnce, signIn } from './person.ts';
import { type Sendable, threeRecords } from './records.ts';
import { showing } from './text-desk.ts';

const accounts = 'accounts@brightwater.example';
const sales = 'sales@brightwater.example';

const desk = openDesk({ unverified: true, founded: false });

/** Presses Send on the record's page, and again on the form; returns the delivery's id. */
async function send(record: Sendable): Promise<string> {
  const { page } = desk;
  await page.goto(`/documents/${record.id}`);
  await follow(page, `Send ${record.title.toLowerCase()}`);
  expect(await page.getByLabel('To', { exact: true }).inputValue()).toContain(record.to);
  await press(page, /^Send (?!again|later)/);
  return new URL(page.url()).pathname.replace('/deliveries/', '');
}

/** Waits on the delivery's page, which is not loaded again meanwhile, until it says so. */
async function see(state: string): Promise<void> {
  const { page } = desk;
  let loads = 0;
  const count = () => {
    loads += 1;
  };
  page.on('domcontentloaded', count);
  await page.locator(`#progress [data-state=${state}]`).waitFor();
  page.off('domcontentloaded', count);
  expect(loads).toBe(0);
}

/** That it arrived once, and as what. */
async function expectArrival(
  record: Sendable,
  deliveryId: string,
  from: { address: string; name: string },
): Promise<void> {
  const mails = await received(desk.google, record.to, deliveryId);
  expect(mails).toHaveLength(1);
  expect(mails[0]).toMatchObject({
    from,
    to: [{ address: record.to, name: 'Mira Okafor' }],
    subject: `${record.title} ${record.number} from Brightwater Joinery`,
  });
  expect(mails[0]?.pdfs).toHaveLength(1);
  expect(mails[0]?.pdfs[0]?.text).toContain(record.number);
  expect(mails[0]?.pdfs[0]?.text).toContain(record.amount);
  expect(desk.google.truth.accepted().filter((message) => message.deliveryId === deliveryId)).toHaveLength(1);
}

/** Saves whose address emails come from. */
const saveSender = (page: Page) => pressIn(page, 'Send from', 'Save');

/** Sends one record of each kind, as whoever the settings say: the first is looked at, the others are alike. */
async function sendAll(from: { address: string; name: string }): Promise<void> {
  const [first, ...others] = await threeRecords(desk.letterhead.database, dana);
  if (!first) throw new Error('no record');
  const deliveryId = await send(first);
  await see('sent');
  expect(await desk.page.locator('#main').textContent()).toContain(`${from.name} <${from.address}>`);
  await expectArrival(first, deliveryId, from);
  for (const record of others) {
    const reader = new TextBrowser(desk.letterhead.url);
    for (const cookie of await desk.manager.context.cookies(desk.letterhead.url)) reader.setCookie(cookie);
    await reader.goto(`/documents/${record.id}`);
    await reader.follow(`Send ${record.title.toLowerCase()}`);
    expect(reader.field('To').getAttribute('value')).toContain(record.to);
    await reader.press(/^Send (?!again|later)/);
    await showing(reader, '#progress [data-state=sent]');
    expect(reader.text()).toContain(`${from.name} <${from.address}>`);
    await expectArrival(record, reader.url.pathname.replace('/deliveries/', ''), from);
  }
}

describe('an office manager', () => {
  it('signs in with Google and founds the company', async () => {
    const { page } = desk;
    await signIn(page, dana);
    await foundCompany(page, 'Brightwater Joinery');
    await sendAtOnce(page);
    await page.goto('/');
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Hello Dana');
    await follow(page, 'Connect Gmail');
    expect(new URL(page.url()).pathname).toBe('/settings/email');
  });

  it('may say no at Google, and is told that nothing changed', async () => {
    const { page } = desk;
    await page.goto('/settings/email');
    await press(page, 'Connect to Gmail');
    await answerGoogle(page, { account: office, refuse: true });
    expect(await page.locator('#main').textContent()).toContain('Not connected: you said no at Google');
    await follow(page, 'Back to the email settings');
    expect(await page.getByRole('button', { name: 'Connect to Gmail' }).count()).toBe(1);
  });

  it('goes on when Google says that the app is not verified, and sees that Gmail is connected', async () => {
    const { page } = desk;
    await press(page, 'Connect to Gmail');
    expect(await answerGoogle(page, { account: office })).toEqual(['account', 'warning', 'consent']);
    expect(await page.getByRole('status').textContent()).toContain(`${office} is connected.`);
    expect(await page.getByRole('region', { name: office }).textContent()).toContain('Connected');
    // Connecting the office's account signs nobody in as the office.
    expect(await page.locator('.who-person').textContent()).toContain(dana);
  });
});

describe('Send', () => {
  it('is seen to go from queued to sent without reloading', async () => {
    const slow = desk.google.faults.add({ method: 'messages.send', effect: { kind: 'slow', ms: 600_000 } });
    const [record] = await threeRecords(desk.letterhead.database, dana);
    if (!record) throw new Error('no record');
    await send(record);
    expect(await desk.page.locator('#progress [data-state]').getAttribute('data-state')).toMatch(/queued|sending/);
    desk.google.faults.remove(slow.id);
    await see('sent');
  });

  it('goes out from the company’s Gmail, unless told otherwise', async () => {
    await sendAll({ address: office, name: 'Brightwater Joinery' });
  });

  it('goes out from whoever is signed in, once their own Gmail is connected', async () => {
    const { page } = desk;
    await page.goto('/settings/email');
    await page.getByLabel('Whoever is signed in').check();
    await saveSender(page);
    expect(await page.locator('#main').textContent()).toContain('Nothing can be sent by you now.');
    await press(page, 'Connect my own Gmail');
    await answerGoogle(page, { account: dana });
    expect(await page.getByText('Ready for you').count()).toBe(1);
    await sendAll({ address: dana, name: 'Dana Reyes' });
  });

  it('goes out from one fixed address that Gmail has accepted', async () => {
    const { page } = desk;
    await page.goto('/settings/email');
    expect(await page.getByLabel('One fixed address').isDisabled()).toBe(true);
    await follow(page, 'Let it check them');
    expect(await page.locator('#main').textContent()).toContain('It cannot read any email.');
    await press(page, 'Continue to Google');
    // One box for each permission now; those of before among them.
    expect(await answerGoogle(page, { account: office })).toEqual(['warning', 'consent']);
    expect(await page.getByRole('status').textContent()).toContain(`switched on for ${office}`);
    await page.getByLabel('One fixed address').check();
    await page.getByLabel('Which address').selectOption({ label: `Accounts, Brightwater <${accounts}>` });
    await saveSender(page);
    expect(await page.getByText('Accepted in Gmail').count()).toBe(1);
    await sendAll({ address: accounts, name: 'Accounts, Brightwater' });
  });
});

describe('an address that waits for confirmation', () => {
  it('cannot be chosen, and the page says what to do', async () => {
    const { page } = desk;
    await page.goto('/settings/email');
    expect(await page.locator('tr', { hasText: sales }).textContent()).toContain(
      `Open the mail from Gmail in ${sales} and follow its link.`,
    );
    const pending = page.locator('#alias option', { hasText: `${sales}> · waits for confirmation in Gmail` });
    expect(await pending.isDisabled()).toBe(true);
    expect(await page.locator('#main').textContent()).toMatch(
      /sales@[\s\S]* waits for confirmation, so Gmail would send from another address[\s\S]*Check again/,
    );
    expect(await page.locator('#alias option:checked').textContent()).toContain(accounts);
  });

  it('can be chosen after it was confirmed in Gmail and checked again', async () => {
    const { page } = desk;
    desk.google.accounts.confirmSendAs(office, sales);
    await press(page, 'Check again');
    expect(await page.locator('tr', { hasText: sales }).textContent()).toContain('Accepted');
    await page.getByLabel('Which address').selectOption({ label: `Sales, Brightwater <${sales}>` });
    await saveSender(page);
    const [record] = await threeRecords(desk.letterhead.database, dana);
    if (!record) throw new Error('no record');
    const deliveryId = await send(record);
    await see('sent');
    await expectArrival(record, deliveryId, { address: sales, name: 'Sales, Brightwater' });
  });
});

describe('a permission that was taken back at Google', () => {
  it('holds the email, says what to do, and lets it go after reconnecting', async () => {
    const { page } = desk;
    desk.google.accounts.removeAccess(office, testClient.clientId);
    const [record] = await threeRecords(desk.letterhead.database, dana);
    if (!record) throw new Error('no record');
    const deliveryId = await send(record);
    await see('held');
    expect(await received(desk.google, record.to, deliveryId)).toEqual([]);

    await page.goto('/settings/email');
    expect(await page.getByRole('region', { name: office }).textContent()).toContain('Needs reconnecting');
    expect(await page.locator('#main').textContent()).toContain('somebody removed Letterhead’s access');
    await page.goto(`/deliveries/${deliveryId}`);
    await press(page, 'Reconnect');
    // Google knows the account already, and is told which one is meant.
    expect(await answerGoogle(page, { account: office })).toEqual(['warning', 'consent']);
    expect(await page.getByRole('status').textContent()).toContain('1 email is going out now.');

    await page.goto(`/deliveries/${deliveryId}`);
    await page.locator('#progress [data-state=sent]').waitFor();
    await expectArrival(record, deliveryId, { address: sales, name: 'Sales, Brightwater' });
  });
});

describe('every page on the way', () => {
  it('is free of errors and keeps to the content security policy', async () => {
    const { page } = desk;
    const [record] = await threeRecords(desk.letterhead.database, dana);
    const kinds = ['invoice', 'credit_note', 'quote', 'purchase_order'].map((kind) => `/documents?kind=${kind}`);
    const addresses = [
      '/',
      ...kinds,
      '/documents/new?kind=quote',
      `/documents/${record?.id}/edit`,
      '/parties',
      '/imports',
      '/activity',
    ];
    for (const address of [
      ...addresses,
      '/activity?show=attention',
      '/settings/sending',
      '/settings/company',
      '/settings/members',
      '/nowhere',
    ]) {
      await page.goto(address);
      expect(await page.getByRole('heading', { level: 1 }).count(), address).toBe(1);
    }
  });

  it('would have been caught at an error', async () => {
    const another = await person(desk.browser, desk.letterhead);
    await another.page.goto('/sign-in');
    const errors = [another.page.waitForEvent('console'), another.page.waitForEvent('pageerror')];
    await another.page.evaluate(`
      document.body.append(Object.assign(document.createElement('script'), { textContent: 'inline()' }));
      setTimeout(() => { throw new Error('thrown by a script'); });
    `);
    await Promise.all(errors);
    expect(another.troubles.join()).toMatch(/Content Security Policy[\s\S]*thrown by a script/);
    await another.context.close();
  });
});
