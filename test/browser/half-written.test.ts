import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { openDesk } from './desk.ts';
import { follow, leading, press } from './person.ts';

const desk = openDesk({ worker: false });

const line = (page: Page, number: number, field: string) => page.locator(`[name="lines[${number}][${field}]"]`);
const kept = (page: Page) =>
  page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith('letterhead-unsaved:')).length);
const hasKept = (page: Page, text: string) =>
  page.waitForFunction((typed) => Object.values(localStorage).some((value) => String(value).includes(typed)), text);

it('what is typed is marked at once, and a half-written record is asked about, there again after a crash, and forgotten once saved', async () => {
  const { page } = desk;
  await follow(page, 'Invoices');
  await follow(page, 'New invoice');
  await page.getByLabel('Name', { exact: true }).fill('Quay Books');
  await line(page, 0, 'name').fill('Shelf');
  await line(page, 0, 'unitPrice').fill('1,250');
  await page.getByRole('button', { name: 'Add line' }).click();
  await line(page, 1, 'name').fill('Fitting');
  await line(page, 1, 'unitPrice').fill('twelve');
  await page.getByText('Not counted: line 2.').waitFor();
  expect(await line(page, 1, 'unitPrice').getAttribute('aria-invalid')).toBe('true');
  expect(await page.locator('#lines').textContent()).toContain('Price: read as 1,250.00.');
  expect(await page.locator('#totals').textContent()).toContain('Total without line 2');
  await line(page, 1, 'unitPrice').fill('12');
  await page.getByText('€1,262.00').first().waitFor();
  expect(await line(page, 1, 'unitPrice').getAttribute('aria-invalid')).toBeNull();
  await page.getByLabel('Notes').fill('Half a thought');
  await hasKept(page, 'Half a thought');

  const asked = page.waitForEvent('dialog');
  const left = page.getByRole('link', { name: 'Home' }).click();
  const dialog = await asked;
  expect(dialog.type()).toBe('beforeunload');
  await dialog.dismiss();
  await left;
  expect(page.url()).toContain('/documents/new');

  // A tab that dies asks nobody.
  const again = await desk.manager.context.newPage();
  await page.close();
  await again.goto(`${desk.letterhead.url}/documents/new?kind=invoice`);
  expect(await line(again, 0, 'name').inputValue()).toBe('');
  await again.getByRole('button', { name: 'Put it back' }).click();
  expect(await line(again, 1, 'name').inputValue()).toBe('Fitting');
  expect(await again.getByLabel('Notes').inputValue()).toBe('Half a thought');
  await again.getByText('€1,262.00').first().waitFor();
  await press(again, 'Save invoice');
  expect(await again.getByRole('main').textContent()).toContain('is saved.');
  expect(await kept(again)).toBe(0);

  await leading(again, () => again.getByRole('link', { name: 'Edit', exact: true }).click());
  await again.getByLabel('Notes').fill('Another thought');
  await hasKept(again, 'Another thought');
  again.on('dialog', (each) => void each.accept());
  await leading(again, () => again.getByRole('button', { name: 'Sign out' }).click());
  expect(await kept(again)).toBe(0);
});
