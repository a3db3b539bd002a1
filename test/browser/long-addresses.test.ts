import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { expectFit } from '../support/fit.ts';
import { openDesk } from './desk.ts';
import { answerGoogle, follow, foundCompany, press, sendAtOnce, signIn } from './person.ts';
import { threeRecords } from './records.ts';

const manager = 'anna-katharina.wolkenstein@holzwerk-nordlicht.example';
const office = 'rechnungen.und.gutschriften@holzwerk-nordlicht.example';
const customer = 'eingang@donaudampfschifffahrt.example';
const name = 'Holzwerkstätten Nordlicht und Söhne Möbelbaubeteiligungsgesellschaft mbH';

const desk = openDesk({
  founded: false,
  accounts: [
    [manager, 'Anna-Katharina Wolkenstein'],
    [office, 'Rechnungen und Gutschriften'],
  ],
});

/** The pieces of addresses, between the places where they may break, that stand on more than one line all the same. */
async function brokenPieces(page: Page): Promise<unknown> {
  return page.evaluate(`
    const pieces = [...document.querySelectorAll('wbr')].flatMap((place) => [
      [place.previousSibling, /\\S+$/],
      [place.nextSibling, /^\\S+/],
    ]);
    pieces.flatMap(([text, piece]) => {
      const found = text?.nodeType === 3 && piece.exec(text.data);
      if (!found) return [];
      const range = document.createRange();
      range.setStart(text, found.index);
      range.setEnd(text, found.index + found[0].length);
      return new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size > 1 ? [found[0]] : [];
    });
  `);
}

it('long addresses break on a phone where a person would break them, on every page', async () => {
  const { page, letterhead } = desk;
  await page.setViewportSize({ width: 375, height: 800 });
  await signIn(page, manager);
  await foundCompany(page, name);
  await sendAtOnce(page);
  await page.goto('/settings/email');
  await press(page, 'Connect to Gmail');
  await answerGoogle(page, { account: office });
  const [record] = await threeRecords(letterhead.database, manager);
  await page.goto(`/documents/${record?.id}`);
  await follow(page, 'Send invoice');
  await page.getByLabel('To', { exact: true }).fill(customer);
  await press(page, 'Send invoice');
  await page.locator('#progress [data-state=sent]').waitFor();
  const delivery = new URL(page.url()).pathname;
  await page.goto('/settings/email');
  await follow(page, `Manage ${office}`);
  const mailbox = new URL(page.url()).pathname;
  await follow(page, 'Check-up');
  await press(page, 'Check now');

  let seen = 0;
  for (const address of [
    ...[delivery, `/documents/${record?.id}`, `/documents/${record?.id}/deliveries/new`, '/', '/activity'],
    ...['/activity/mailboxes', '/runs/new?kind=invoice&all=1', '/settings/email', '/settings/email/rules'],
    ...['/settings/members', '/settings/changes', '/settings/email/workspace', '/documents?kind=invoice'],
    ...[mailbox, ...['access', 'name', 'check-up', 'disconnection', 'daily-limit'].map((each) => `${mailbox}/${each}`)],
  ]) {
    await page.goto(address);
    expect(await page.getByRole('heading', { level: 1 }).count(), address).toBe(1);
    seen += await page.locator('main wbr').count();
    expect(await brokenPieces(page), address).toEqual([]);
    await expectFit(page);
  }
  expect(seen).toBeGreaterThan(20);
});
