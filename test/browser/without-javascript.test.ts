import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchChromium } from '../support/chromium.ts';
import { eventually } from '../support/eventually.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { received } from '../support/received.ts';
import { answerGoogle, foundCompany, leading, person, press, signIn } from './person.ts';
import { threeRecords } from './records.ts';

const dana = 'dana@brightwater.example';
const office = 'office@brightwater.example';

let letterhead: TestLetterhead;
let browser: Browser;
beforeAll(async () => {
  [letterhead, browser] = await Promise.all([
    startTestLetterhead({ unverified: true, timeStands: true }),
    launchChromium(),
  ]);
});
afterAll(async () => {
  await browser?.close();
  await letterhead?.close();
});

it('the whole job can be done with JavaScript off', async () => {
  const { page } = await person(browser, letterhead, { javaScriptEnabled: false });
  await signIn(page, dana);
  await foundCompany(page, 'Brightwater Joinery');
  await page.goto('/settings/email');
  await press(page, 'Connect to Gmail');
  await answerGoogle(page, { account: office });

  await leading(page, () => page.getByRole('link', { name: 'Invoices' }).click());
  const [record] = await threeRecords(letterhead.database, dana);
  if (!record) throw new Error('no record');
  await page.reload();
  await leading(page, () => page.getByRole('link', { name: record.number }).click());
  await leading(page, () => page.getByRole('link', { name: 'Send invoice' }).click());
  await press(page, 'Send invoice');
  // A slip: it is taken back in time, and the form is there again.
  expect(await page.locator('#progress').textContent()).toMatch(/It leaves in \d+ seconds/);
  const taken = new URL(page.url()).pathname.replace('/deliveries/', '');
  await press(page, 'Undo');
  await page.getByLabel('Message').fill('Now it is right.');
  await press(page, 'Send invoice');

  const deliveryId = new URL(page.url()).pathname.replace('/deliveries/', '');
  letterhead.google.clock.forward(11_000);
  // What the page asks for where it cannot do so itself.
  await eventually(
    async () => {
      await page.reload();
      return page.locator('#progress [data-state]').getAttribute('data-state');
    },
    (state) => state === 'sent',
  );
  const mails = await received(letterhead.google, record.to, deliveryId);
  expect(mails).toHaveLength(1);
  expect(mails[0]?.from).toMatchObject({ address: office });
  expect(mails[0]?.text).toContain('Now it is right.');
  expect(await received(letterhead.google, record.to, taken)).toEqual([]);
  expect(mails[0]?.pdfs[0]?.text).toContain(record.number);
});
