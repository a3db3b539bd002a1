import { expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { received } from '../support/received.ts';
import { connectOnPages, dana, office, openDesk } from './desk.ts';
import { follow, foundCompany, press, signIn } from './person.ts';
import { threeRecords } from './records.ts';

const desk = openDesk({ unverified: true, timeStands: true, javaScriptEnabled: false, founded: false });

it('a company is founded and Gmail connected with JavaScript off', async () => {
  const { page } = desk;
  await signIn(page, dana);
  await foundCompany(page, 'Brightwater Joinery');
  await connectOnPages(page, office);
  expect(await page.getByRole('status').textContent()).toContain(`${office} is connected.`);
});

it('a record is sent, taken back in time, and sent as it is meant with JavaScript off', async () => {
  const { page } = desk;
  await follow(page, 'Invoices');
  const [record] = await threeRecords(desk.letterhead.database, dana);
  if (!record) throw new Error('no record');
  await page.reload();
  await follow(page, record.number);
  await follow(page, 'Send invoice');
  await press(page, 'Send invoice');
  // A slip: it is taken back in time, and the form is there again.
  expect(await page.locator('#progress').textContent()).toMatch(/It leaves in \d+ seconds/);
  const taken = new URL(page.url()).pathname.replace('/deliveries/', '');
  await press(page, 'Undo');
  await page.getByLabel('Message').fill('Now it is right.');
  await press(page, 'Send invoice');

  const deliveryId = new URL(page.url()).pathname.replace('/deliveries/', '');
  desk.google.clock.forward(11_000);
  // What the page asks for where it cannot do so itself.
  await eventually(
    async () => {
      await page.reload();
      return page.locator('#progress [data-state]').getAttribute('data-state');
    },
    (state) => state === 'sent',
  );
  const mails = await received(desk.google, record.to, deliveryId);
  expect(mails).toHaveLength(1);
  expect(mails[0]?.from).toMatchObject({ address: office });
  expect(mails[0]?.text).toContain('Now it is right.');
  expect(await received(desk.google, record.to, taken)).toEqual([]);
  expect(mails[0]?.pdfs[0]?.text).toContain(record.number);
});
