import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDocumentForm } from '../../src/documents/form.ts';
import {
  extraText,
  formatAmount,
  formatCountry,
  formatDate,
  formatMoney,
  formatNumber,
  formatPercent,
  keyDate,
  pdfName,
  unitName,
} from '../../src/documents/format.ts';
import { printedDocument } from '../../src/documents/pdf/printed.ts';
import { readUbl } from '../../src/documents/read-ubl.ts';
import { invoice } from './content.ts';

const spaces = (text: string) => text.replace(/[\u00a0\u202f]/g, ' ');

describe('money', () => {
  it.each([
    ['1482.60', 'EUR', 'en-IE', '€1,482.60'],
    ['1482.6', 'EUR', 'de-DE', '1.482,60 €'],
    ['1500', 'JPY', 'en', '¥1,500'],
    ['1.5', 'KWD', 'en', 'KWD 1.500'],
    ['-3', 'EUR', 'en-IE', '-€3.00'],
    ['0.0715', 'EUR', 'en-IE', '€0.0715'],
    ['123456789012345678.91', 'EUR', 'en-IE', '€123,456,789,012,345,678.91'],
  ])('%s %s in %s is %s', (amount, currency, locale, text) => {
    expect(spaces(formatMoney(amount, currency, locale))).toBe(text);
  });

  it('goes without its sign in a column', () => {
    expect(formatAmount('1482.6', 'EUR', 'en-IE')).toBe('1,482.60');
  });
});

describe('the name of an attachment', () => {
  it.each([
    ['invoice', 'INV-2026-0007', 'Brightwater', 'Invoice INV-2026-0007 Brightwater.pdf'],
    ['credit_note', 'CN/26/7', 'Łódź Café & Søn Straße', 'Credit note CN-26-7 Lodz Cafe - Son Strasse.pdf'],
    ['purchase_order', '№ 12', '株式会社 青空', 'Purchase order No 12.pdf'],
    ['quote', '../../etc/passwd', 'A:B*C?', 'Quote etc-passwd A-B-C.pdf'],
    ['invoice', '请求书', '', 'Invoice.pdf'],
    ['invoice', 'x'.repeat(100), '.hidden.', `Invoice ${'x'.repeat(60)} hidden.pdf`],
  ] as const)('of %s %s by %s', (kind, number, company, name) => {
    expect(pdfName({ kind, number }, company)).toBe(name);
  });

  it('holds nothing that a mail program or a file system could stumble over', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (number, company) => {
        expect(pdfName({ kind: 'invoice', number }, company)).toMatch(/^Invoice( [A-Za-z0-9][A-Za-z0-9 ._-]*)?\.pdf$/);
      }),
    );
  });
});

describe('what somebody typed as a unit, a category or an attribute', () => {
  it.each(['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf'])(
    'is only a word, also when it is “%s”',
    (word) => {
      expect(unitName(word)).toBe(word);
      const attributes = Object.fromEntries([[word, '1']]);
      expect(extraText({ label: 'ID', value: '73', path: 'x', attributes })).toBe(`73 (${word} 1)`);
      const content = invoice({ lines: [{ name: word, unit: word, quantity: '1', unitPrice: '1' }] });
      const printed = printedDocument({ company: { name: word }, content, locale: 'en-IE' });
      expect(printed.lines[0]?.quantity).toBe(`1 ${word}`);
      expect(parseDocumentForm({ [word]: 'x' })).toMatchObject({ ok: false });
      const file = `<${word} xmlns="urn:oasis:names:specification:ubl:schema:xsd:${word}-2"/>`;
      expect(() => readUbl(Buffer.from(file), 'x.xml')).toThrow(/not a UBL 2.1 Invoice/);
    },
  );
});

describe('numbers and words', () => {
  it('shows quantities and percentages as they are', () => {
    expect([
      formatNumber('2.50', 'en'),
      formatNumber('1000', 'de-DE'),
      formatPercent('13.5', 'en'),
      formatPercent('25.0', 'en'),
    ]).toEqual(['2.5', '1.000', '13.5%', '25%']);
  });

  it('names dates, countries and units', () => {
    expect(formatDate('2026-12-05', 'en-IE')).toBe('5 December 2026');
    expect([formatCountry('IE', 'en'), formatCountry('XQ', 'en')]).toEqual(['Ireland', 'XQ']);
    expect([unitName('HUR'), unitName('C62'), unitName('pages'), unitName(undefined)]).toEqual(['h', '', 'pages', '']);
  });

  it('names the date that matters', () => {
    expect(keyDate(invoice(), '123.00')).toEqual({ label: 'Due', date: '2026-12-05' });
    expect(keyDate(invoice({ dueDate: undefined }), '123.00')).toBeUndefined();
    expect(keyDate(invoice(), '0.00')).toBeUndefined();
    expect(keyDate(invoice(), '-123.00')).toBeUndefined();
    expect(keyDate(invoice({ kind: 'credit_note' }), '123.00')).toBeUndefined();
  });

  it('says what an extra is, and names an embedded file instead of spelling it out', () => {
    expect(extraText({ label: 'ID', value: '73', path: 'cbc:ID', attributes: { schemeID: '0088' } })).toBe(
      '73 (scheme 0088)',
    );
    expect(
      extraText({ label: 'File', value: 'AAAA', path: 'x', attributes: { mimeCode: 'text/csv', filename: 'a.csv' } }),
    ).toBe('a.csv (text/csv, 3 bytes)');
  });
});
