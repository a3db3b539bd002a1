import { describe, expect, it } from 'vitest';
import {
  extraText,
  formatAmount,
  formatCountry,
  formatDate,
  formatMoney,
  formatNumber,
  formatPercent,
  keyDate,
  unitName,
} from '../../src/documents/format.ts';
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
    expect(keyDate(invoice())).toEqual({ label: 'Due', date: '2026-12-05' });
    expect(keyDate(invoice({ dueDate: undefined }))).toBeUndefined();
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
