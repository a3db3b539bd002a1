import { XMLParser } from 'fast-xml-parser';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { fixtures } from '../documents/content.ts';
import { eventually } from '../support/eventually.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { received } from '../support/received.ts';
import { founder, type Visitor } from '../support/visitor.ts';

const office = 'office@brightwater.example';
/** Where it goes when the file names no address of the other party. */
const fallback = 'mira@northgate.example';

let letterhead: TestLetterhead;
let dana: Visitor;

beforeAll(async () => {
  letterhead = await startTestLetterhead();
  dana = await founder(letterhead);
  await dana.connect(office);
});
afterAll(() => letterhead.close());

describe('every published file is imported, sent and received', () => {
  it('and there are thirteen of them', () => {
    expect(fixtures).toHaveLength(13);
  });

  it.each(fixtures)('$name', async ({ name, bytes }) => {
    const file = readFile(bytes.toString('utf8'));
    const asked = await dana.upload('/imports', 'files', [{ name, bytes }]);
    expect(asked.text).toContain('not by Brightwater Joinery');
    const imported = await dana.post(/\/imports\/questions\/[0-9a-f-]{36}/.exec(asked.text)?.[0] ?? '', {});
    expect(imported.text).toContain('Imported');
    const id = /href="\/documents\/([0-9a-f-]{36})"/.exec(imported.text)?.[1] ?? '';

    const form = fieldsOf((await dana.get(`/documents/${id}/deliveries/new`)).text);
    if (file.email) expect(form['to']).toContain(`<${file.email}>`);
    // Where the file names none, the contact's that its tax number leads to.
    else expect(form['to']).toMatch(/^$|^Lisa Johnson <lj@buyer.se>$/);
    const sent = await dana.post(`/documents/${id}/deliveries`, { ...form, to: form['to'] || fallback });
    const deliveryId = /^\/deliveries\/([0-9a-f-]{36})$/.exec(sent.location ?? '')?.[1] ?? '';
    await eventually(
      () => dana.get(`/deliveries/${deliveryId}`),
      ({ text }) => text.includes('data-state="sent"'),
    );

    const to = file.email ?? (/<(.+)>/.exec(form['to'] ?? '')?.[1] || fallback);
    const mails = await received(letterhead.google, to, deliveryId);
    expect(mails).toHaveLength(1);
    const [mail] = mails;
    expect(mail?.from).toMatchObject({ name: 'Brightwater Joinery', address: office });
    expect(mail?.to?.map(({ address }) => address)).toEqual([to]);
    expect(mail?.subject).toBe(`${file.title} ${file.number} from Brightwater Joinery`);
    expect(mail?.attachments).toHaveLength(1);
    const [pdf] = mail?.pdfs ?? [];
    expect(pdf?.text).toContain(file.title);
    // As a word of its own: “1” is also part of other numbers.
    expect(pdf?.text).toMatch(new RegExp(`(^|\\s)${file.number}(\\s|$)`));
    // In the reader's way of writing numbers: 1,656.25, 1.656,25 or 1 656,25.
    expect(pdf?.text).toMatch(inGroups(file.payable));
    expect(letterhead.google.truth.accepted().filter((message) => message.deliveryId === deliveryId)).toHaveLength(1);
  });

  it('and nothing was sent besides', () => {
    expect(letterhead.google.truth.accepted()).toHaveLength(fixtures.length);
  });
});

const party = z.object({
  Party: z.object({ Contact: z.object({ ElectronicMail: z.string().optional() }).optional() }),
});
const amounts = z.object({ PayableAmount: z.object({ '#text': z.string() }) });
const common = { ID: z.string() };
const ubl = z.union([
  z.object({ Invoice: z.object({ ...common, AccountingCustomerParty: party, LegalMonetaryTotal: amounts }) }),
  z.object({ CreditNote: z.object({ ...common, AccountingCustomerParty: party, LegalMonetaryTotal: amounts }) }),
  z.object({ Order: z.object({ ...common, SellerSupplierParty: party, AnticipatedMonetaryTotal: amounts }) }),
]);

/** What must arrive, read from the file by another parser than the product's. */
function readFile(xml: string) {
  const parser = new XMLParser({ removeNSPrefix: true, ignoreAttributes: false, parseTagValue: false });
  const file = ubl.parse(parser.parse(xml));
  if ('Order' in file) {
    const { ID, SellerSupplierParty, AnticipatedMonetaryTotal } = file.Order;
    return facts('Purchase order', ID, SellerSupplierParty, AnticipatedMonetaryTotal);
  }
  const [title, content] = 'Invoice' in file ? ['Invoice', file.Invoice] : ['Credit note', file.CreditNote];
  return facts(title ?? '', content.ID, content.AccountingCustomerParty, content.LegalMonetaryTotal);
}

function facts(title: string, number: string, other: z.infer<typeof party>, total: z.infer<typeof amounts>) {
  return { title, number, email: other.Party.Contact?.ElectronicMail, payable: total.PayableAmount['#text'] };
}

/** `1656.25` with any signs between its groups and before its cents, without any help of the product or of Intl. */
function inGroups(amount: string): RegExp {
  const [whole = '', cents = ''] = amount.split('.');
  return new RegExp(`${whole.replaceAll(/\B(?=(\d{3})+$)/g, '[.,\\s’]')}[.,]${cents.padEnd(2, '0')}`);
}

/** The fields of the page's form for the email, as a browser would post them. */
function fieldsOf(html: string): Record<string, string> {
  const form = /<form[^>]*action="\/documents\/[^"]+\/deliveries"[\s\S]*?<\/form>/.exec(html)?.[0] ?? '';
  const inputs = [...form.matchAll(/<input[^>]*name="(\w+)"[^>]*value="([^"]*)"/g)];
  const areas = [...form.matchAll(/<textarea[^>]*name="(\w+)"[^>]*>([\s\S]*?)<\/textarea>/g)];
  const sent = inputs.filter(([input]) => !/type="checkbox"/.test(input) || / checked/.test(input));
  return Object.fromEntries([...sent, ...areas].map(([, name = '', value = '']) => [name, plain(value)]));
}

function plain(html: string): string {
  const names: Record<string, string> = { amp: '&', lt: '<', gt: '>', '#34': '"', '#39': "'" };
  return html.replaceAll(/&(#?\w+);/g, (whole, name: string) => names[name] ?? whole);
}
