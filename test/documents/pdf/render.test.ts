import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { extractText, getDocumentProxy } from 'unpdf';
import { afterAll, describe, expect, it } from 'vitest';
import { formatMoney, kindWords } from '../../../src/documents/format.ts';
import { readersLocale } from '../../../src/documents/locale.ts';
import { createPdfRenderer, PdfError } from '../../../src/documents/pdf/render.ts';
import { readUbl } from '../../../src/documents/read-ubl.ts';
import { computeTotals } from '../../../src/documents/totals.ts';
import { eventually } from '../../support/eventually.ts';
import { fixtures, invoice } from '../content.ts';

const company = {
  name: 'Brightwater Joinery',
  street: '12 Quay Street',
  city: 'Galway',
  country: 'IE',
  email: 'accounts@brightwater.example',
  paymentDetails: 'IBAN IE29 AIBK 9311 5212 3456 78',
};
const locale = 'en-IE';
const renderer = createPdfRenderer({ workers: 1 });
afterAll(() => renderer.close());

/** The text of each page, with its spaces made plain and its invisible break points taken out. */
async function pagesOf(pdf: Uint8Array): Promise<string[]> {
  const { text } = await extractText(await getDocumentProxy(Uint8Array.from(pdf)), { mergePages: false });
  return text.map((page) => page.replace(/\u200b/g, '').replace(/[\s\u00a0\u202f]+/g, ' '));
}
const print = async (over: Parameters<typeof invoice>[0]) =>
  pagesOf(await renderer.render({ company, content: invoice(over), locale }));
const line = (name: string) => ({ name, quantity: '1', unitPrice: '10', taxRate: '23' });

describe('the PDF of a record', () => {
  it('holds the company, the party, the lines, the taxes, the total and where to pay', async () => {
    const [page = '', ...more] = await print({ notes: ['Thank you.'] });
    expect(more).toEqual([]);
    for (const text of [
      'Brightwater Joinery',
      '12 Quay Street',
      'accounts@brightwater.example',
      'Invoice INV-2026-0042',
      'Bill to',
      'Northgate Café',
      '21 November 2026',
      '5 December 2026',
      'Oak counter, 3.2 m',
      '980.00',
      'VAT 23% on 980.00',
      '225.40',
      'Amount due',
      '€1,205.40',
      'IBAN IE29',
      'Thank you.',
    ]) {
      expect(page).toContain(text);
    }
  });

  it.each(fixtures.map((file) => [file.name, file.bytes] as const))(
    'prints %s with its number, its party and what is to pay',
    async (name, bytes) => {
      const { content, totals } = readUbl(bytes, name);
      const text = (await pagesOf(await renderer.render({ company, content, locale }))).join(' ');
      expect(text).toContain(`${kindWords[content.kind].title} ${content.number}`);
      expect(text).toContain(content.party.name);
      const payable = formatMoney(totals.payable, content.currency, readersLocale(content.party, locale));
      expect(text).toContain(payable.replace(/[\u00a0\u202f]/g, ' '));
    },
  );

  it.each([
    ['credit_note', 'Credit note', 'Credit to', 'Total credit'],
    ['quote', 'Quote', 'Prepared for', 'Total'],
    ['purchase_order', 'Purchase order', 'Supplier', 'Total'],
  ] as const)('uses the words of a %s, and asks for no payment', async (kind, ...words) => {
    const [page = ''] = await print({ kind });
    for (const word of words) expect(page).toContain(word);
    expect(page).not.toContain('IBAN');
  });

  it('prints Latin, Greek and Cyrillic names', async () => {
    const names = ['Łódź Győr Iași Žąsų', 'Αρτοποιείο Ελληνικό', 'Київ Ђорђе Йошкар'];
    const [page = ''] = await print({ lines: names.map(line) });
    for (const name of names) expect(page).toContain(name);
  });

  it('prints Armenian and Georgian names and the currency signs of their neighbours', async () => {
    const names = ['Երևանի գրատուն', 'თბილისის წიგნები', '10 ₴, 20 ₾, 30 ֏, 40 ₽, 50 ₺'];
    const [page = ''] = await print({ lines: names.map(line) });
    for (const name of names) expect(page).toContain(name);
  });

  it('places what looks like markup as text', async () => {
    const [page = ''] = await print({ lines: [line('#panic("x") $a$ *b* \\ <t> [c] @d')] });
    expect(page).toContain('#panic("x") $a$ *b* \\ <t> [c] @d');
  });

  it('breaks over pages with the head of the table and the page number on each', async () => {
    const pages = await print({ lines: Array.from({ length: 200 }, (_, index) => line(`Article ${index + 1}`)) });
    expect(pages.length).toBeGreaterThan(4);
    const withLines = pages.filter((page) => /Article \d/.test(page));
    for (const page of withLines) expect(page).toContain('Description');
    for (const [index, page] of pages.entries()) expect(page).toContain(`Page ${index + 1} of ${pages.length}`);
    expect(pages.join(' ').match(/Article \d+/g)).toHaveLength(200);
  });

  it('breaks a row that is longer than a page', async () => {
    const pages = await print({ lines: [{ ...line('Long'), description: 'word '.repeat(1_900) }] });
    expect(pages.length).toBeGreaterThan(1);
    expect(pages.join(' ').match(/word/g)).toHaveLength(1_900);
  });

  it('holds 2,000 lines', async () => {
    const content = invoice({ lines: Array.from({ length: 2_000 }, (_, index) => line(`Article ${index + 1}`)) });
    const pages = await pagesOf(await renderer.render({ company, content, locale }));
    expect(pages.join(' ')).toContain('Article 2000');
    expect(pages.slice(-2).join(' ')).toContain(formatMoney(computeTotals(content).payable, 'EUR', locale));
  });
});

describe('the workers', () => {
  const hash = (pdf: Uint8Array) => createHash('sha256').update(pdf).digest('hex');
  const input = { company, content: invoice(), locale };

  it('give the same bytes for the same record, whichever worker makes it and whatever it made before', async () => {
    const other = createPdfRenderer({ workers: 2 });
    // Almost the same, so that as much as can be is remembered.
    await renderer.render({ ...input, content: invoice({ number: 'INV-2026-0041' }) });
    const pdfs = await Promise.all([renderer.render(input), other.render(input), other.render(input)]);
    await other.close();
    expect(new Set(pdfs.map(hash)).size).toBe(1);
  });

  it('are replaced after their number of renders', async () => {
    const short = createPdfRenderer({ workers: 1, rendersPerWorker: 2 });
    const pdfs = await Promise.all(Array.from({ length: 5 }, () => short.render(input)));
    await short.close();
    expect(pdfs.every((pdf) => pdf.length > 1_000)).toBe(true);
  });

  it('are stopped when a render takes too long, and the next render gets a fresh one', async () => {
    const others = await workersHere();
    const hasty = createPdfRenderer({ workers: 1, timeoutMs: 5_000 });
    // Of a PDF its length alone: a failed expectation would print every byte, and megabytes of them end the process.
    const outcome = () =>
      hasty.render(input).then(
        ({ length }) => length,
        (error: unknown) => error,
      );
    const isPrinted = (what: unknown) => typeof what === 'number';
    // However slowly processes start here, one of them is ready in time.
    await eventually(outcome, isPrinted);
    const [worker = 0] = (await workersHere()).filter((pid) => !others.includes(pid));
    // It takes too long on any machine.
    process.kill(worker, 'SIGSTOP');
    expect(await outcome()).toMatchObject({ name: 'PdfError', code: 'timeout' });
    await eventually(outcome, isPrinted);
    expect(await workersHere()).not.toContain(worker);
    await hasty.close();
  });

  it('refuse what is waiting when they are closed, and everything after', async () => {
    const closing = createPdfRenderer({ workers: 1 });
    const pending = [closing.render(input), closing.render(input)].map((render) =>
      render.catch((error: unknown) => error),
    );
    await closing.close();
    for (const outcome of await Promise.all(pending)) expect(outcome).toBeInstanceOf(PdfError);
    expect(await closing.render(input).catch((error: unknown) => error)).toMatchObject({ code: 'closed' });
  });
});

/** The processes that make PDFs for this one. */
async function workersHere(): Promise<number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-ww', '-o', 'pid=,ppid=,args=']);
  return stdout.split('\n').flatMap((line) => {
    const [pid, parent, ...program] = line.trim().split(/\s+/);
    return Number(parent) === process.pid && program.join(' ').includes('pdf/worker.ts') ? [Number(pid)] : [];
  });
}
