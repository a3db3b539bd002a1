import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inTenant } from '../../src/tenants/scope.ts';
import { sharedLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { signedInCookie } from './signed-in.ts';

const samples = path.join(import.meta.dirname, '../fixtures/ubl');

let letterhead: TestLetterhead;
let cookie: string;
/** The company that the form names. */
let company: string;

beforeAll(async () => {
  letterhead = await sharedLetterhead();
  const { name, value } = await signedInCookie(letterhead);
  cookie = `${name}=${value}`;
  company = /company=([0-9a-f-]{36})/.exec((await get('/imports')).text)?.[1] ?? '';
});
afterAll(() => letterhead.close());

describe('importing files', () => {
  it('stores each good file as a record, and says of each bad one what is wrong', async () => {
    const page = await upload({
      'invoice.xml': await ours('peppol-base-example.xml'),
      'order.xml': await ours('peppol-order-uc1.xml'),
      'broken.xml': '<Invoice',
      'Größe.txt': 'no xml at all',
    });
    expect(page.status).toBe(200);
    expect(page.text).toContain('2 of 4 files imported');
    expect(page.text).toContain('Größe.txt');
    expect(page.text.match(/Not imported/g)).toHaveLength(2);
    const record = /href="(\/documents\/[0-9a-f-]{36})"/.exec(page.text)?.[1] ?? '';
    expect((await get(record)).text).toContain('From the imported file');
    expect((await get('/documents?kind=invoice')).text.match(/Imported/g)).toHaveLength(1);
  });

  it('stores the same file once, and leads to the first', async () => {
    const file = await ours('en16931-example1.xml');
    const first = await upload({ 'a.xml': file });
    const again = await upload({ 'b.xml': file });
    const link = /href="(\/documents\/[0-9a-f-]{36})"/.exec(first.text)?.[1] ?? 'none';
    expect(again.text).toContain('Here already');
    expect(again.text).toContain(link);
  });

  it('turns away a file that is too large, and takes the others', async () => {
    const page = await upload({
      'large.xml': 'x'.repeat(5 * 1024 * 1024 + 1),
      'b.xml': await ours('en16931-example3.xml'),
    });
    expect(page.text).toContain('It is larger than 5 MB');
    expect(page.text).toContain('1 of 2 files imported');
  });

  it('turns away too many files at once, and a form without any', async () => {
    const many = Object.fromEntries(Array.from({ length: 21 }, (_, index) => [`${index}.xml`, 'x']));
    const page = await upload(many);
    expect(page.status).toBe(413);
    expect(page.text).toContain('Choose at most 20 files');
    const none = await upload({});
    expect(none.status).toBe(422);
    expect(none.text).toContain('No file was chosen');
  });

  it('asks about a file that another company issued, and imports it once somebody says that it is right', async () => {
    const asked = await upload({ 'theirs.xml': await caseFile('seller-is-somebody-else.xml') });
    expect(asked.status).toBe(422);
    expect(asked.text).toContain('It was issued by Hartmann Werkzeuge KG, not by Brightwater Joinery');
    expect((await get('/documents?kind=invoice&q=M-9')).text).not.toContain('>M-9<');
    const imported = await anyway(asked);
    expect(imported.status).toBe(200);
    const record = /href="(\/documents\/[0-9a-f-]{36})"/.exec(imported.text)?.[1] ?? '';
    expect((await get(record)).text).toContain('was issued by Hartmann Werkzeuge KG');
    // Answered once, it waits no more.
    expect((await anyway(asked)).status).toBe(404);
  });

  it('names two companies of one name by their tax numbers', async () => {
    const taxed = (await caseFile('seller-is-somebody-else.xml'))
      .replace('Hartmann Werkzeuge KG', 'Brightwater Joinery')
      .replace(/(<cac:AccountingSupplierParty><cac:Party>)/, `$1${taxScheme('DE999999999')}`);
    await setTaxNumber('IE1234567T');
    const asked = await upload({ 'a.xml': taxed.replace('>M-9<', '>M-9-T<') });
    await setTaxNumber(null);
    expect(asked.text).toContain('by Brightwater Joinery (DE999999999), not by Brightwater Joinery (IE1234567T).');
  });

  it.each([
    ['two addresses side by side', 'a@x.example b@y.example'],
    ['two addresses and a word', 'a@x.example und b@y.example'],
    ['no address', 'n/a'],
  ])('takes no address from a file that holds %s, and names what it holds', async (_what, mail) => {
    const contact = `<cac:Contact><cbc:ElectronicMail>${mail}</cbc:ElectronicMail></cac:Contact>`;
    const file = (await caseFile('type-381-in-invoice.xml'))
      .replace('</cac:Party></cac:AccountingCustomerParty>', `${contact}</cac:Party></cac:AccountingCustomerParty>`)
      .replace('CN-IN-INV2', `MAIL-${mail.length}`);
    const page = await upload({ 'a.xml': file });
    expect(page.text).toContain('>Imported<');
    expect(page.text.replaceAll('<wbr>', '')).toContain(`No email address was taken from the file. “${mail}” is not`);
  });

  it('asks about a year that is more likely a slip, and says that a due date lies before the date', async () => {
    const file = (await caseFile('reexported-1.xml')).replace('RE-2026-77', 'YEAR-26');
    const dated = (date: string, number: string) =>
      file.replace('YEAR-26', number).replace(/<cbc:IssueDate>[^<]*/, `<cbc:IssueDate>${date}`);
    const asked = await upload({ 'a.xml': dated('0026-11-30', 'YEAR-26') });
    expect(asked.status).toBe(422);
    expect(asked.text).toContain('Date is in the year 26. Import it only if that is right.');
    expect((await anyway(asked)).text).toContain('>Imported<');
    const late = await upload({ 'b.xml': dated('2099-01-01', 'YEAR-99') });
    expect(late.text).toContain('Its due date lies before its date. Check both.');
  });

  it('says of a type that there is not what it was taken for', async () => {
    const file = (await caseFile('type-325-proforma.xml'))
      .replace('>325<', '>999<')
      .replace(/<cbc:ID>[^<]*/, '<cbc:ID>TYPE-999');
    expect((await upload({ 'a.xml': file })).text).toContain(
      'The file gives the type “999”, which there is not. It was taken for an invoice: check that it is one.',
    );
  });

  it('asks about a record that was exported again, and leads to the first', async () => {
    const first = await upload({ '1.xml': await caseFile('reexported-1.xml') });
    const record = /href="(\/documents\/[0-9a-f-]{36})"/.exec(first.text)?.[1] ?? 'none';
    const again = await upload({ '2.xml': await caseFile('reexported-2.xml') });
    expect(again.text).toContain('is here already, from another file');
    expect(again.text).toContain(record);
    expect((await get('/documents?kind=invoice&q=RE-2026-77')).text.match(/>RE-2026-77</g)).toHaveLength(1);
    expect((await anyway(again)).text).toContain('>Imported<');
    expect((await get(record)).text).toContain('The number RE-2026-77 is also on');
  });

  it('calls a pro-forma and a self-billed invoice what they are, and asks nobody to pay them', async () => {
    const page = await upload({
      'proforma.xml': await caseFile('type-325-proforma.xml'),
      'self-billed.xml': await caseFile('self-billed-389.xml'),
    });
    const [proforma = '', selfBilled = ''] = [...page.text.matchAll(/href="(\/documents\/[0-9a-f-]{36})"/g)].map(
      ([, address = '']) => address,
    );
    const shown = await get(proforma);
    expect(shown.text).toContain('<h1>Pro-forma invoice PF-1</h1>');
    expect(shown.text).not.toContain('Amount due');
    const self = await get(selfBilled);
    expect(self.text).toContain('<h1>Self-billed invoice M-14</h1>');
    expect(self.text).toContain('Hartmann Werkzeuge KG');
    expect(self.text).not.toContain('Bill to');
    expect((await get('/')).text).toContain('Pro-forma invoice');
  });

  it('keeps an embedded file beside the record, to be downloaded and never shown as a page', async () => {
    const page = await upload({ 'a.xml': await ours('en16931-example5.xml') });
    const record = /href="(\/documents\/[0-9a-f-]{36})"/.exec(page.text)?.[1] ?? '';
    expect((await get(record)).text).toContain('EHF.pdf');
    const file = await fetch(`${letterhead.url}${record}/files/0`, { headers: { cookie } });
    expect(await file.text()).toBe('Testing Base64 encoding');
    expect(file.headers.get('content-type')).toBe('application/octet-stream');
    expect(file.headers.get('content-disposition')).toMatch(/^attachment; filename="?EHF\.pdf"?$/);
    expect((await get(`${record}/files/1`)).status).toBe(404);
  });

  it('is not for other sites', async () => {
    const page = await upload({ 'a.xml': 'x' }, { 'sec-fetch-site': 'cross-site' });
    expect(page.status).toBe(403);
  });
});

function setTaxNumber(number: string | null) {
  return inTenant(letterhead.context.db, company, (trx) =>
    trx.updateTable('tenants').set({ tax_id: number }).where('id', '=', company).execute(),
  );
}

const taxScheme = (number: string) =>
  `<cac:PartyTaxScheme><cbc:CompanyID>${number}</cbc:CompanyID><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:PartyTaxScheme>`;

function caseFile(name: string): Promise<string> {
  return readFile(path.join(import.meta.dirname, '../fixtures/cases', name), 'utf8');
}

function sample(name: string): Promise<string> {
  return readFile(path.join(samples, name), 'utf8');
}

/** Somebody else's examples, as if they were ours. */
async function ours(name: string): Promise<string> {
  const text = await sample(name);
  const seller = /<cac:(AccountingSupplierParty|BuyerCustomerParty)>.*?<\/cac:\1>/s;
  return text.replace(seller, (whole) =>
    whole
      .replaceAll(/<cbc:RegistrationName>[^<]*/g, '<cbc:RegistrationName>Brightwater Joinery')
      .replaceAll(/(<cac:PartyName>\s*<cbc:Name>)[^<]*/g, '$1Brightwater Joinery'),
  );
}

/** Presses “Import anyway” beside the first file that is asked about. */
async function anyway(page: { text: string }) {
  const address = /action="(\/imports\/questions\/[^"]+)"/.exec(page.text)?.[1] ?? '';
  const response = await fetch(letterhead.url + address.replaceAll('&amp;', '&').replaceAll('&#38;', '&'), {
    method: 'POST',
    headers: { 'sec-fetch-site': 'same-origin', cookie },
  });
  return { status: response.status, text: await response.text() };
}

async function upload(files: Record<string, string>, headers = { 'sec-fetch-site': 'same-origin' }) {
  const body = new FormData();
  for (const [name, text] of Object.entries(files)) body.append('files', new Blob([text]), name);
  const response = await fetch(`${letterhead.url}/imports?company=${company}`, {
    ...{ method: 'POST', body, headers: { ...headers, cookie } },
  });
  return { status: response.status, text: await response.text() };
}

async function get(address: string) {
  const response = await fetch(letterhead.url + address, { headers: { cookie } });
  return { status: response.status, text: await response.text() };
}
