import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { expectFit } from '../support/fit.ts';
import { openDesk } from './desk.ts';
import { follow, press, sendAtOnce } from './person.ts';
import { threeRecords } from './records.ts';

const manager = 'anna-katharina.wolkenstein@holzwerk-nordlicht.example';
const office = 'rechnungen.und.gutschriften@holzwerk-nordlicht.example';
const customer = 'eingang@donaudampfschifffahrt.example';
const company = 'Holzwerkstätten Nordlicht und Söhne Möbelbaubeteiligungsgesellschaft mbH';

const desk = openDesk({
  ...{ account: manager, company, connected: [office] },
  accounts: [
    [manager, 'Anna-Katharina Wolkenstein'],
    [office, 'Rechnungen und Gutschriften'],
  ],
});

/** Where pages stand that have an id in their path. */
const paths = { record: '', delivery: '', mailbox: '' };
let seen = 0;

beforeAll(async () => {
  const { page, letterhead } = desk;
  const [record] = await threeRecords(letterhead.database, manager);
  paths.record = `/documents/${record?.id}`;
  await page.setViewportSize({ width: 375, height: 800 });
  await sendAtOnce(page);
  await page.goto(paths.record);
  await follow(page, 'Send invoice');
  await page.getByLabel('To', { exact: true }).fill(customer);
  await press(page, 'Send invoice');
  await page.locator('#progress [data-state=sent]').waitFor();
  paths.delivery = new URL(page.url()).pathname;
  await page.goto('/settings/email');
  await follow(page, `Manage ${office}`);
  paths.mailbox = new URL(page.url()).pathname;
  await follow(page, 'Check-up');
  await press(page, 'Check now');
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

describe('long addresses break on a phone where a person would break them', () => {
  const pages = [
    ...['{delivery}', '{record}', '{record}/deliveries/new', '/', '/activity', '/activity/mailboxes'],
    ...['/runs/new?kind=invoice&all=1', '/documents?kind=invoice', '/settings/email', '/settings/email/rules'],
    ...['/settings/members', '/settings/changes', '/settings/email/workspace', '{mailbox}', '{mailbox}/access'],
    ...['{mailbox}/name', '{mailbox}/check-up', '{mailbox}/disconnection', '{mailbox}/daily-limit'],
  ];

  it.each(pages)('at %s', async (where) => {
    const { page } = desk;
    await page.goto(where.replace(/{(record|delivery|mailbox)}/, (_, of: keyof typeof paths) => paths[of]));
    expect(await page.getByRole('heading', { level: 1 }).count()).toBe(1);
    seen += await page.locator('main wbr').count();
    expect(await brokenPieces(page)).toEqual([]);
    await expectFit(page);
  });

  it('and there were places to break them', () => {
    expect(seen).toBeGreaterThan(20);
  });
});
