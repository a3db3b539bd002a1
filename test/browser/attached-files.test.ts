import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { received } from '../support/received.ts';
import { office, openDesk } from './desk.ts';
import { follow, leading, press } from './person.ts';

const desk = openDesk({ connected: [office] });

it('files that came with an imported record are ticked, weighed, sent and found with the email', async () => {
  const { page, google } = desk;
  await page.goto('/imports');
  await page
    .getByLabel(/file/i)
    .first()
    .setInputFiles({
      ...{ name: 'invoice.xml', mimeType: 'application/xml' },
      buffer: Buffer.from(await withFiles({ 'Pläne.txt': 'a plan', 'Fotos.bin': 'x'.repeat(700 * 1_024) })),
    });
  await press(page, /^Import/);
  await leading(page, () =>
    page
      .getByRole('main')
      .getByRole('link', { name: /INV-|Snippet1/ })
      .first()
      .click(),
  );
  await follow(page, /^Send /);
  const sum = page.locator('#files output');
  const alone = await sum.textContent();
  expect(alone).toMatch(/^\d+ KB$/);
  expect(await page.getByRole('checkbox', { checked: true }).count()).toBe(0);
  await page.getByLabel('Fotos.bin').check();
  expect(await sum.textContent()).toBe(`${Number.parseInt(alone ?? '', 10) + 700} KB`);
  await page.getByLabel('Fotos.bin').uncheck();
  expect(await sum.textContent()).toBe(alone);
  await page.getByLabel('Pläne.txt').check();
  await page.getByLabel('To', { exact: true }).fill('mira@northgate.example');
  await press(page, 'Send invoice');
  const id = new URL(page.url()).pathname.replace('/deliveries/', '');
  await page.locator('#progress [data-state=sent]').waitFor();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'Pläne.txt' }).click(),
  ]);
  expect(await readFile((await download.path()) ?? '', 'utf8')).toBe('a plan');
  expect(download.suggestedFilename()).toBe('Pläne.txt');
  const [mail] = await received(google, 'mira@northgate.example', id);
  expect(mail?.attachments.map(({ filename }) => filename)).toEqual([expect.stringMatching(/^Invoice /), 'Pläne.txt']);
  await page.goto(
    (await page
      .getByRole('link', { name: /Snippet1/ })
      .first()
      .getAttribute('href')) ?? '',
  );
  expect(await page.locator('#deliveries').textContent()).toContain('with Pläne.txt');
});

/** A published invoice as if it were this company's, with files embedded in it. */
async function withFiles(files: Record<string, string>): Promise<string> {
  const text = await readFile(path.join(import.meta.dirname, '../fixtures/ubl/peppol-base-example.xml'), 'utf8');
  const embedded = Object.entries(files).map(
    ([name, content]) =>
      `<cac:AdditionalDocumentReference><cbc:ID>${name}</cbc:ID><cac:Attachment><cbc:EmbeddedDocumentBinaryObject mimeCode="text/plain" filename="${name}">${Buffer.from(content).toString('base64')}</cbc:EmbeddedDocumentBinaryObject></cac:Attachment></cac:AdditionalDocumentReference>`,
  );
  return text
    .replaceAll('SupplierTradingName Ltd.', 'Brightwater Joinery')
    .replaceAll('SupplierOfficialName Ltd', 'Brightwater Joinery')
    .replace('<cac:AccountingSupplierParty>', `${embedded.join('')}<cac:AccountingSupplierParty>`);
}
