import { describe, expect, it } from 'vitest';
import { formatAmount, formatDate, formatMoney, formatNumber, formatPercent } from '../../src/documents/format.ts';
import { readersLocale, separatorsOf } from '../../src/documents/locale.ts';
import { printedDocument } from '../../src/documents/pdf/printed.ts';
import { invoice } from './content.ts';
import { europe } from './countries.ts';

const elsewhere = 'US CA MX BR AR IN PK BD LK NP TH JP KR CN TW SG SA AE EG IR IL ET KE NG ZA AU NZ'.split(' ');

/** The signs before the last two digits of every amount, and before the fraction of every percentage. */
function decimalSigns(texts: readonly string[]): Set<string> {
  const numbers = texts.flatMap((text) => text.match(/\d[\d.,\s\u00a0\u202f'’]*\d/g) ?? []);
  return new Set(numbers.flatMap((number) => /([.,])\d{1,2}$/.exec(number)?.[1] ?? []));
}

/** What stands between groups of three digits. */
function groupSigns(texts: readonly string[]): Set<string> {
  return new Set(texts.flatMap((text) => [...text.matchAll(/\d(\D)(?=\d{3}(?!\d))/g)].map((match) => match[1] ?? '')));
}

describe('one way of writing numbers', () => {
  it.each([...europe, ...elsewhere])('is kept all over a paper for somebody in %s', (country) => {
    const content = invoice({
      party: { name: 'Reader', country },
      currency: 'EUR',
      lines: [
        { name: 'A', quantity: '14500.5', unitPrice: '12345.67', taxRate: '13.5', discountPercent: '2.5' },
        { name: 'B', quantity: '1', unitPrice: '23456.5', taxRate: '5.5' },
      ],
      prepaid: '10000.25',
    });
    const company = { name: 'Brightwater', country: 'IE' };
    const printed = printedDocument({ company, content, locale: 'en-IE' });
    const texts = [
      ...printed.lines.flatMap((line) => [line.quantity, line.price, line.discount, line.tax, line.amount]),
      ...printed.sums.flatMap(({ label, value }) => [label, value]),
      printed.total.value,
    ];
    const { decimal, group } = separatorsOf(`en-${country}`);
    expect(decimalSigns(texts)).toEqual(new Set([decimal]));
    expect(groupSigns(texts)).toEqual(new Set([group]));
    // English words, our calendar and our digits everywhere.
    expect(printed.facts[0]?.value).toMatch(/^(21 November 2026|November 21, 2026)$/);
    expect(texts.join('')).not.toMatch(/[\p{Script=Arabic}\p{Script=Cyrillic}\p{Script=Thai}\u200e\u200f]/u);
  });

  it.each([
    ['en-DE', '6.130,88 €', '4.500,00', '13,5 %', '4.500'],
    ['en-AT', '€ 6.130,88', '4.500,00', '13,5 %', '4.500'],
    ['en-GR', '6.130,88 €', '4.500,00', '13,5%', '4.500'],
    ['en-CH', 'EUR 6’130.88', '4’500.00', '13.5%', '4’500'],
    ['en-FR', '6 130,88 €', '4 500,00', '13,5 %', '4 500'],
    ['en-PL', '6130,88 €', '4500,00', '13,5%', '4500'],
    ['en-IE', '€6,130.88', '4,500.00', '13.5%', '4,500'],
    ['en', '€6,130.88', '4,500.00', '13.5%', '4,500'],
  ])('is that of the country: %s', (locale, money, amount, percent, number) => {
    const said = [
      formatMoney('6130.88', 'EUR', locale),
      formatAmount('4500', 'EUR', locale),
      formatPercent('13.5', locale),
      formatNumber('4500', locale),
    ];
    // The apostrophe of Switzerland is ’ or ' by the version of CLDR.
    const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, ' ').replaceAll("'", '’');
    expect(said.map(plain)).toEqual([money, amount, percent, number]);
  });

  it('names a currency so that an English reader knows it', () => {
    expect(formatMoney('5', 'USD', 'en-BG')).not.toMatch(/\p{Script=Cyrillic}/u);
    expect(formatMoney('5', 'PLN', 'en-PL')).toContain('zł');
  });

  it('is the reader’s on papers and emails, and the company’s where nobody knows where they are', () => {
    expect(readersLocale({ country: 'DE' }, 'en-IE')).toBe('en-DE');
    expect(readersLocale({}, 'en-IE')).toBe('en-IE');
  });
});

it('writes the year that was given, however early', () => {
  expect(formatDate('0026-11-30', 'en-IE')).toBe('30 November 0026');
});
