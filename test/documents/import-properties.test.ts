import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readUbl } from '../../src/documents/read-ubl.ts';
import { ImportError } from '../../src/documents/ubl/import-error.ts';

/** How a dialect writes the same invoice; amounts are in cents. */
interface Dialect {
  readonly name: string;
  /** Whether the lines say their rate in their own table of taxes rather than at the item. */
  readonly lineTables: boolean;
  readonly sums: (invoice: Invoice) => Record<string, number>;
}

interface Invoice {
  readonly lines: readonly { readonly net: number; readonly rate: number }[];
  readonly allowance: number;
  readonly prepaid: number;
  readonly rounding: number;
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const rates = ({ lines }: Invoice) => [...new Set(lines.map(({ rate }) => rate))];
const netOf = ({ lines }: Invoice) => sum(lines.map(({ net }) => net));
/** The allowance is off the first line's rate. */
const baseOf = (invoice: Invoice, rate: number) =>
  sum(invoice.lines.filter((line) => line.rate === rate).map(({ net }) => net)) -
  (rate === invoice.lines[0]?.rate ? invoice.allowance : 0);
const taxOf = (invoice: Invoice, rate: number) => Math.round((baseOf(invoice, rate) * rate) / 100);
const taxesOf = (invoice: Invoice) => sum(rates(invoice).map((rate) => taxOf(invoice, rate)));
const withTax = (invoice: Invoice) => netOf(invoice) - invoice.allowance + taxesOf(invoice);
const payableOf = (invoice: Invoice) => withTax(invoice) - invoice.prepaid + invoice.rounding;

const dialects: Dialect[] = [
  {
    name: 'EN 16931',
    lineTables: false,
    sums: (invoice) => ({
      LineExtensionAmount: netOf(invoice),
      TaxExclusiveAmount: netOf(invoice) - invoice.allowance,
      TaxInclusiveAmount: withTax(invoice),
      AllowanceTotalAmount: invoice.allowance,
      PrepaidAmount: invoice.prepaid,
      PayableRoundingAmount: invoice.rounding,
      PayableAmount: payableOf(invoice),
    }),
  },
  {
    name: 'OIOUBL, whose sum without tax is the tax',
    lineTables: true,
    sums: (invoice) => ({
      LineExtensionAmount: netOf(invoice),
      TaxExclusiveAmount: taxesOf(invoice),
      TaxInclusiveAmount: withTax(invoice),
      PrepaidAmount: invoice.prepaid,
      PayableRoundingAmount: invoice.rounding,
      PayableAmount: payableOf(invoice),
    }),
  },
  {
    name: 'UBL 2.1, whose sum with tax is rounded',
    lineTables: true,
    sums: (invoice) => ({
      LineExtensionAmount: netOf(invoice),
      TaxExclusiveAmount: netOf(invoice) - invoice.allowance,
      TaxInclusiveAmount: withTax(invoice) + invoice.rounding,
      PrepaidAmount: invoice.prepaid,
      PayableRoundingAmount: invoice.rounding,
      PayableAmount: payableOf(invoice),
    }),
  },
  {
    name: 'DIAN, whose sum with tax is before allowances',
    lineTables: true,
    sums: (invoice) => ({
      LineExtensionAmount: netOf(invoice),
      TaxInclusiveAmount: netOf(invoice) + taxesOf(invoice),
      AllowanceTotalAmount: invoice.allowance,
      PrepaidAmount: invoice.prepaid,
      PayableRoundingAmount: invoice.rounding,
      PayableAmount: payableOf(invoice),
    }),
  },
  {
    name: 'UBL 2.0, which states only what is to pay',
    lineTables: true,
    sums: (invoice) => ({
      PrepaidAmount: invoice.prepaid,
      PayableRoundingAmount: invoice.rounding,
      PayableAmount: payableOf(invoice),
    }),
  },
];

const money = (cents: number) =>
  `${cents < 0 ? '-' : ''}${Math.floor(Math.abs(cents) / 100)}.${String(Math.abs(cents) % 100).padStart(2, '0')}`;
const amount = (name: string, cents: number) => `<cbc:${name} currencyID="EUR">${money(cents)}</cbc:${name}>`;
const category = (element: string, rate: number) =>
  `<cac:${element}><cbc:ID>${rate === 0 ? 'Z' : 'S'}</cbc:ID><cbc:Percent>${rate}</cbc:Percent><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:${element}>`;

function fileOf(invoice: Invoice, { lineTables, sums }: Dialect, change: Record<string, number> = {}): Buffer {
  const party = (role: string, name: string) =>
    `<cac:${role}><cac:Party><cac:PartyName><cbc:Name>${name}</cbc:Name></cac:PartyName></cac:Party></cac:${role}>`;
  const [first] = invoice.lines;
  return Buffer.from(
    [
      '<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2" xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2" xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">',
      '<cbc:ID>P-1</cbc:ID><cbc:IssueDate>2026-11-02</cbc:IssueDate><cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>',
      party('AccountingSupplierParty', 'Us'),
      party('AccountingCustomerParty', 'Them'),
      invoice.allowance === 0
        ? ''
        : `<cac:AllowanceCharge><cbc:ChargeIndicator>false</cbc:ChargeIndicator>${amount('Amount', invoice.allowance)}${category('TaxCategory', first?.rate ?? 0)}</cac:AllowanceCharge>`,
      `<cac:TaxTotal>${amount('TaxAmount', taxesOf(invoice))}`,
      ...rates(invoice).map(
        (rate) =>
          `<cac:TaxSubtotal>${amount('TaxableAmount', baseOf(invoice, rate))}${amount('TaxAmount', taxOf(invoice, rate))}${category('TaxCategory', rate)}</cac:TaxSubtotal>`,
      ),
      '</cac:TaxTotal><cac:LegalMonetaryTotal>',
      ...Object.entries({ ...sums(invoice) }).map(([name, cents]) => amount(name, cents + (change[name] ?? 0))),
      '</cac:LegalMonetaryTotal>',
      ...invoice.lines.map(
        ({ net, rate }) =>
          `<cac:InvoiceLine><cbc:InvoicedQuantity>1</cbc:InvoicedQuantity>${amount('LineExtensionAmount', net)}${lineTables ? `<cac:TaxTotal>${amount('TaxAmount', Math.round((net * rate) / 100))}<cac:TaxSubtotal>${amount('TaxAmount', Math.round((net * rate) / 100))}${category('TaxCategory', rate)}</cac:TaxSubtotal></cac:TaxTotal>` : ''}<cac:Item><cbc:Name>Work</cbc:Name>${lineTables ? '' : category('ClassifiedTaxCategory', rate)}</cac:Item><cac:Price>${amount('PriceAmount', net)}</cac:Price></cac:InvoiceLine>`,
      ),
      '</Invoice>',
    ].join(''),
  );
}

const invoices: fc.Arbitrary<Invoice> = fc.record({
  lines: fc.array(
    fc.record({ net: fc.integer({ min: 10_000, max: 5_000_000 }), rate: fc.constantFrom(0, 6, 10, 19, 20, 25) }),
    { minLength: 1, maxLength: 6 },
  ),
  allowance: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 5_000 })),
  prepaid: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 5_000 })),
  rounding: fc.oneof(fc.constant(0), fc.integer({ min: -99, max: 99 })),
});
const dialect = fc.constantFrom(...dialects);

describe('a file that adds up in its own terms', () => {
  it('is imported with the sum to pay that it states, whatever dialect counts it', () => {
    fc.assert(
      fc.property(invoices, dialect, (invoice, each) => {
        expect(readUbl(fileOf(invoice, each), 'a.xml').totals.payable).toBe(money(payableOf(invoice)));
      }),
      { numRuns: 150, seed: 20_261_130 },
    );
  });

  it('prints rows that add up to what is to pay', () => {
    fc.assert(
      fc.property(invoices, dialect, (invoice, each) => {
        const { totals } = readUbl(fileOf(invoice, each), 'a.xml');
        const cents = (text: string) => Math.round(Number(text) * 100);
        const rows =
          cents(totals.lineTotal) -
          cents(totals.allowanceTotal) +
          sum(totals.taxes.map(({ tax }) => cents(tax))) -
          cents(totals.prepaid) +
          cents(totals.rounding);
        expect(rows).toBe(payableOf(invoice));
      }),
      { numRuns: 100, seed: 20_261_130 },
    );
  });
});

describe('a file that contradicts itself', () => {
  it('is refused with both figures, whichever sum is wrong', () => {
    fc.assert(
      fc.property(
        invoices,
        fc.constantFrom('LineExtensionAmount', 'TaxInclusiveAmount', 'PayableAmount'),
        fc.integer({ min: 10_000_000, max: 90_000_000 }),
        (invoice, name, wrong) => {
          const [norm] = dialects;
          if (!norm) throw new Error('There is no dialect.');
          let refusal: unknown;
          try {
            readUbl(fileOf(invoice, norm, { [name]: wrong }), 'a.xml');
          } catch (error) {
            refusal = error;
          }
          expect(refusal).toBeInstanceOf(ImportError);
          expect(refusal).toMatchObject({ code: 'totals_differ' });
          expect(String(refusal)).toMatch(/states \d+(\.\d+)? EUR as cbc:\w+, but .+ come to -?\d+\.\d\d EUR/);
        },
      ),
      { numRuns: 60, seed: 20_261_130 },
    );
  });
});
