import type { Page } from 'playwright-core';
import { beforeAll, expect, it } from 'vitest';
import { inTenant } from '../../src/tenants/scope.ts';
import { eventually } from '../support/eventually.ts';
import { expectFit, expectFitInEveryLook } from '../support/fit.ts';
import { manyRecords } from '../support/many-records.ts';
import { dana, office, openDesk, undoSeconds } from './desk.ts';
import { leading, press } from './person.ts';

// Some twenty a second, and time stands but where it is moved on: so it can be paused in the middle.
const pace = { unitsPerMinute: 160_000, projectUnitsPerMinute: null, inFlight: 5 };

const desk = openDesk({ unverified: true, pace, timeStands: true, connected: [office] });

beforeAll(async () => {
  const { tenantId } = await desk.letterhead.database.system
    .selectFrom('members')
    .select('tenant_id as tenantId')
    .where('email', '=', dana)
    .executeTakeFirstOrThrow();
  await inTenant(desk.letterhead.database.db, tenantId, (trx) => manyRecords(trx, tenantId, 120));
});

/** The numbers above the rows and the rows themselves, as they are on the page at one moment. */
const shown = `(() => {
  const texts = (selector) => [...document.querySelectorAll(selector)].map((each) => each.textContent.trim());
  const rows = texts('#report tbody tr .pill').filter((word) => word === 'Sent').length;
  const tab = texts('.tabs a').find((each) => each.startsWith('Sent'));
  return { rows, sent: [texts('.tallies .sent dd')[0], texts('.meter-head b')[0], tab.replace('Sent ', '')].map(Number) };
})()`;

/** They were put in place together. Some leave at once, so that the last of those that were sent may be some rows further down. */
async function expectAgreement(page: Page): Promise<void> {
  const { rows, sent } = await page.evaluate<{ rows: number; sent: number[] }>(shown);
  const [count = 0] = sent;
  expect(count).toBeGreaterThan(0);
  expect(sent).toEqual([count, count, count]);
  if (count > 40) expect(rows).toBeGreaterThanOrEqual(40);
  else expect(rows).toBe(count);
}

it('an office manager ticks some, and looks over what would go to each', async () => {
  const { page } = desk;
  await page.goto('/documents?kind=invoice');
  const ticked = page.getByRole('button', { name: /^Send the ticked ones/ });
  expect(await ticked.isDisabled()).toBe(true);
  await page.getByLabel('All on this page').check();
  await page.getByLabel('Choose B-00003').uncheck();
  expect(await ticked.textContent()).toContain('(49)');
  await leading(page, () => ticked.click());
  expect(await page.locator('h1').textContent()).toBe('Send 49 invoices');

  await page.goto('/documents?kind=invoice&status=open');
  await leading(page, () => page.getByRole('link', { name: 'Send all 120 found' }).click());
  await page.getByLabel('Subject').fill('Your {{ kind }} {{ number }}');
  await page.getByRole('button', { name: 'The next one' }).click();
  await page.locator('#preview', { hasText: 'Your invoice B-00002' }).waitFor();
  // A keyboard goes on from where it was.
  expect(await page.evaluate('document.activeElement.id')).toBe('preview-after');
  await page.getByLabel(/Preview another/).fill('00100');
  await page.getByRole('button', { name: 'Show', exact: true }).click();
  await page.locator('#preview', { hasText: 'Your invoice B-00100' }).waitFor();
  // From a search that found one, the next one is the one after it.
  await page.getByRole('button', { name: 'The next one' }).click();
  await page.locator('#preview', { hasText: 'Your invoice B-00101' }).waitFor();
  await expectFitInEveryLook(page);
});

it('an office manager who asks for the next one just after typing stays there, however slow the answer is', async () => {
  const { page } = desk;
  await page.getByLabel('Subject').fill('About {{ kind }} {{ number }}');
  await page.locator('#preview', { hasText: 'About invoice B-00101' }).waitFor();
  // The answer to the press comes only once the preview of what was typed is asked for.
  const typed = new Promise<void>((resolve) => {
    let asked = 0;
    page.route('**/runs/new', async (route) => {
      asked += 1;
      if (asked === 1) await typed;
      else resolve();
      await route.continue().catch(() => {});
    });
  });
  await page.getByLabel('Subject').fill('On {{ kind }} {{ number }}');
  await page.getByRole('button', { name: 'The next one' }).click();
  await page.locator('#preview', { hasText: 'On invoice B-00102' }).waitFor();
  await page.locator('#preview:not([data-stale])').waitFor();
  await page.unroute('**/runs/new');
  await page.getByLabel('Subject').fill('Your {{ kind }} {{ number }}');
  await page.locator('#preview', { hasText: 'Your invoice B-00102' }).waitFor();
});

it('an office manager is told once more what will leave, undoes it, and is back where they were', async () => {
  const { page } = desk;
  await press(page, 'Send 120 invoices…');
  await page.getByText('120 emails to 120 addresses').waitFor();
  await expectFit(page);
  await press(page, 'Send 120 invoices');
  await page.waitForURL(/\/runs\/[0-9a-f-]{36}$/);
  await page.locator('[data-phase=undo]').waitFor();
  await expectFit(page);
  await press(page, 'Undo');
  expect(await page.getByLabel('Subject').inputValue()).toBe('Your {{ kind }} {{ number }}');
  expect(desk.google.truth.accepted()).toEqual([]);
});

it('an office manager starts what they looked over, pauses, resumes and sees all of it leave', async () => {
  const { page } = desk;
  await press(page, 'Send 120 invoices…');
  await press(page, 'Send 120 invoices');
  await page.locator('[data-phase=undo]').waitFor();
  desk.google.clock.forward(undoSeconds * 1_000);
  await page.getByRole('button', { name: 'Pause' }).focus();
  await page.locator('.tallies .sent', { hasText: /[1-9]/ }).waitFor();
  expect(await page.evaluate('document.activeElement.id')).toBe('pause');
  await expectAgreement(page);
  await press(page, 'Pause');
  await page.locator('[data-phase=paused]').waitFor();
  expect(desk.google.truth.accepted().length).toBeLessThan(120);
  await expectFit(page);
  await page.getByRole('button', { name: 'Cancel the rest' }).click();
  await page.getByRole('button', { name: 'Keep it' }).click();
  await press(page, 'Resume');
  const { truth } = desk.google;
  await eventually(
    () => truth.accepted().length,
    (count) => count === 120,
    desk.letterhead.time,
  );
  await page.locator('[data-phase=over]').waitFor();
  expect(await page.locator('.tallies .sent').textContent()).toMatch(/120/);
  await expectFit(page);

  const accepted = desk.google.truth.accepted();
  expect(accepted).toHaveLength(120);
  expect(new Set(accepted.map(({ subject }) => subject)).size).toBe(120);
  await page.goto('/runs');
  await expectFit(page);
});
