import { beforeAll, describe, expect, it } from 'vitest';
import { type DocumentRecord, getDocument } from '../../src/documents/store.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { type Company, company } from '../support/company.ts';
import { sharedLetterhead, type TestLetterhead } from '../support/letterhead.ts';

let letterhead: TestLetterhead;
let sender: Company;
beforeAll(async () => {
  letterhead = await sharedLetterhead();
  sender = await company(letterhead);
});

const invoice = {
  kind: 'invoice',
  issueDate: '2026-11-21',
  dueDate: '2026-12-05',
  currency: 'EUR',
  'party[name]': 'Northgate Café',
  'party[email]': 'mira@northgate.example',
  partyId: 'new',
  'lines[0][name]': 'Oak counter',
  'lines[0][quantity]': '1',
  'lines[0][unitPrice]': '100',
};
const post = (form: Record<string, string>) => sender.founder.post('/documents', { ...invoice, ...form });
async function written(form: Record<string, string>): Promise<DocumentRecord> {
  const { status, location, text } = await post(form);
  expect(status, text.slice(0, 2_000)).toBe(303);
  const record = await inTenant(letterhead.database.db, sender.tenantId, (trx) =>
    getDocument(trx, sender.tenantId, location?.slice(11) ?? ''),
  );
  if (!record) throw new Error('Nothing was written.');
  return record;
}
const sums = (form: Record<string, string>) => sender.founder.post('/documents/totals', { ...invoice, ...form });

describe('numbers on the form', () => {
  it.each([
    ['€1,250.00', '23%', '1537.5'],
    ['1 250,00', '23 %', '1537.5'],
    ['1.250,00 €', '23', '1537.5'],
    ['1\u202f250,00\u00a0€', '23\u00a0%', '1537.5'],
    ["1'250.00", '２３％', '1537.5'],
    ['−1,250.00', '23', '-1537.5'],
    ['1,250', '23', '1537.5'],
  ])('%s with %s are saved as the sum they make', async (unitPrice, taxRate, payable) => {
    const fields = { 'lines[0][unitPrice]': unitPrice, 'lines[0][taxRate]': taxRate };
    const record = await written(fields);
    expect(Number(record.payable)).toBe(Number(payable));
  });

  it('that could be two are saved as the company’s country reads them, and the page says as what', async () => {
    const { location } = await post({ 'lines[0][unitPrice]': '1,250' });
    const { text } = await sender.founder.get(location ?? '');
    expect(text).toContain('Line 1: “1,250” was read as 1,250.00.');
    expect((await sums({ 'lines[0][unitPrice]': '1,250' })).text).toContain('value="Read as 1,250.00."');
  });

  it('that cannot be read are marked while typing, and the total says which lines it is without', async () => {
    const typed = { 'lines[0][unitPrice]': 'twelve', 'lines[1][name]': 'B', 'lines[1][unitPrice]': '2' };
    const { text } = await sums(typed);
    expect(text).toContain('Not counted: line 1.');
    expect(text).toContain('Total without line 1');
    expect(text).toMatch(
      /class="mark" data-field="lines\[0\]\[unitPrice\]" data-tone="error" value="Price is not a number: “twelve”/,
    );
    const page = await post({ ...typed, do: 'add-up' });
    expect(page.text).toContain('Total without line 1');
    expect(page.text).toContain('Price is not a number: “twelve”');
    expect((await sums({ ...typed, 'lines[0][unitPrice]': '' })).text).not.toContain('Not counted');
  });

  it('in another currency than the record are no amounts of it', async () => {
    const page = await post({ 'lines[0][unitPrice]': '$100' });
    expect(page.status).toBe(422);
    expect(page.text).toContain('Price is in $, and the record is in EUR.');
  });

  it.each([
    ['HUF', '1481.47'],
    ['COP', '1481.47'],
    ['IDR', '1481.47'],
    ['PKR', '1481.47'],
    ['ALL', '1481.47'],
    ['RSD', '1481.47'],
    ['IQD', '1481.472'],
    ['JPY', '1481'],
  ])('in %s have its digits', async (currency, payable) => {
    const price = currency === 'JPY' ? '1234' : '1234.56';
    const record = await written({ currency, 'lines[0][unitPrice]': price, 'lines[0][taxRate]': '20' });
    expect(record.payable).toBe(payable);
  });
});

describe('dates worth a second look', () => {
  it.each([
    ['0026-11-30', '0026-12-01', 'Date is in the year 26. Is that right?'],
    ['2026-11-30', '2026-11-29', 'Due date lies before the date of the record. Is that right?'],
    ['2026-11-30', '2206-12-14', 'Due date is in the year 2206. Is that right?'],
  ])('%s, due %s, is asked about, kept, and saved once it is confirmed', async (issueDate, dueDate, words) => {
    const asked = await post({ issueDate, dueDate });
    expect(asked.status).toBe(422);
    expect(asked.text).toContain(words);
    expect(asked.text).toContain(`value="${dueDate}"`);
    const [, dates = ''] = /name="dates" value="([^"]*)"/.exec(asked.text) ?? [];
    const other = await post({ issueDate, dueDate: '2306-01-01', dates });
    expect(other.status).toBe(422);
    expect((await written({ issueDate, dueDate, dates })).dueDate).toBe(dueDate);
  });

  it('are not asked about again when something else is changed', async () => {
    const dates = { issueDate: '2026-11-30', dueDate: '2026-11-29' };
    const record = await written({ ...dates, dates: '2026-11-30 2026-11-29  ' });
    const form = { version: String(record.version), reference: 'PO 7' };
    expect((await sender.founder.post(`/documents/${record.id}`, form)).status).toBe(303);
  });
});

describe('a total that nobody is to pay', () => {
  const negative = { 'lines[0][quantity]': '-1', 'lines[0][taxRate]': '23' };

  it('is said while typing, and the invoice becomes a credit note at the press of a button', async () => {
    expect((await sums(negative)).text).toContain('Make it a credit note');
    const turned = await post({ ...negative, do: 'turn' });
    expect(turned.text).toContain('New credit note');
    expect(turned.text).toMatch(/name="lines\[0\]\[quantity\]" value="1"/);
    expect(turned.text).toContain('€123.00');
  });

  it('asks for nothing: not on the record, not in the email, not on the paper', async () => {
    const record = await written(negative);
    const page = await sender.founder.get(`/documents/${record.id}`);
    expect(page.text).toContain('Write a credit note instead');
    expect(page.text).toContain('Amount in the customer’s favour');
    const email = await sender.founder.get(`/documents/${record.id}/deliveries/new`);
    expect(email.text).toContain('The amount of €123.00 is in your favour.');
    expect(email.text).not.toContain('due on');
    const instead = await sender.founder.get(`/documents/new?kind=credit_note&instead=${record.id}`);
    expect(instead.text).toMatch(/name="lines\[0\]\[quantity\]" value="1"/);
    expect(instead.text).toContain('Northgate Café');
  });

  it('is zero: there is nothing to pay', async () => {
    const record = await written({ 'lines[0][unitPrice]': '0' });
    expect((await sender.founder.get(`/documents/${record.id}`)).text).toContain('Nothing to pay');
    const email = await sender.founder.get(`/documents/${record.id}/deliveries/new`);
    expect(email.text).toContain('There is nothing to pay.');
    expect(email.text).not.toContain('due on');
  });
});
