import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { openDesk } from './desk.ts';
import { press } from './person.ts';

const desk = openDesk({ worker: false });

const line = (page: Page, number: number, field: string) => page.locator(`[name="lines[${number}][${field}]"]`);

it('what is typed while a contact’s details are on their way stays, and is where the record goes', async () => {
  const { page } = desk;
  const email = page.getByLabel('Email', { exact: true });
  const begin = async () => {
    await page.goto(`${desk.letterhead.url}/documents/new?kind=invoice`);
    await page.getByLabel('Name', { exact: true }).fill('Late Books');
  };
  await begin();
  await email.fill('old@late.example');
  await line(page, 0, 'name').fill('Shelf');
  await line(page, 0, 'unitPrice').fill('10');
  await press(page, 'Save invoice');

  // Left alone, the details come.
  page.on('dialog', (each) => void each.accept());
  await begin();
  await line(page, 0, 'name').fill('Shelf');
  await page.locator('input[name="partyId"]:not([value=""])').waitFor({ state: 'attached' });
  expect(await email.inputValue()).toBe('old@late.example');

  const answered = Promise.withResolvers<void>();
  await page.route('**/documents/party?*', async (route) => {
    await answered.promise;
    await route.continue();
  });
  await begin();
  await email.fill('new@late.example');
  await page.locator('body').evaluate((body) => {
    body.addEventListener('htmx:finally:request', () => body.setAttribute('data-party-came', ''), { once: true });
  });
  answered.resolve();
  await page.locator('body[data-party-came]').waitFor();
  expect(await email.inputValue()).toBe('new@late.example');
  await line(page, 0, 'name').fill('Shelf');
  await line(page, 0, 'unitPrice').fill('10');
  await press(page, 'Save invoice');
  expect(await page.getByRole('main').textContent()).toContain('new@late.example');
});
