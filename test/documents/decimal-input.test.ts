import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decimalForForm, parseDecimalInput } from '../../src/documents/decimal-input.ts';
import { formatAmount, formatMoney } from '../../src/documents/format.ts';

describe('a number that somebody typed', () => {
  it.each([
    ['1234.5', '1234.5'],
    ['1,234.50', '1234.50'],
    ['1.234,50', '1234.50'],
    ['1 234,50', '1234.50'],
    ['1\u202f234,5', '1234.5'],
    ['1\u00a0250,00', '1250.00'],
    ['1\u2009250.00', '1250.00'],
    ["1'234.50", '1234.50'],
    ['1’250.00', '1250.00'],
    ['1,234,567', '1234567'],
    ['12,34,567.89', '1234567.89'],
    ['1,00,000', '100000'],
    ['12 345', '12345'],
    ['0,125', '0.125'],
    ['.5', '0.5'],
    ['5.', '5'],
    ['-3', '-3'],
    ['− 3', '-3'],
    ['−4,5', '-4.5'],
    ['–4,5', '-4.5'],
    ['‑4,5', '-4.5'],
    ['－４．５', '-4.5'],
    ['１，２５０．００', '1250.00'],
    ['1,250.00-', '-1250.00'],
    ['(1,250.00)', '-1250.00'],
    ["1'250.–", '1250'],
    ['1250,-', '1250'],
    ['\u200e1,250.00\u200f', '1250.00'],
    ['\ufeff12', '12'],
    ['+7', '7'],
    ['-0', '0'],
    ['0012', '12'],
  ])('%s is %s', (typed, value) => {
    expect(parseDecimalInput(typed)).toEqual({ ok: true, value });
  });

  it.each([
    ['€1,250.00', 'EUR', '1250.00'],
    ['1.250,00 €', 'EUR', '1250.00'],
    ['1 250,00 EUR', 'EUR', '1250.00'],
    ['eur 12', 'EUR', '12'],
    ['-€5.00', 'EUR', '-5.00'],
    ['€ -5.00', 'EUR', '-5.00'],
    ['(€5.00)', 'EUR', '-5.00'],
    ['$1,250.00', 'USD', '1250.00'],
    ['US$ 12', 'USD', '12'],
    ['£9.99', 'GBP', '9.99'],
    ['¥1200', 'JPY', '1200'],
    ["CHF 1'250.00", 'CHF', '1250.00'],
    ["Fr. 1'250.-", 'CHF', '1250'],
    ['1 250,00 zł', 'PLN', '1250.00'],
    ['1 250 Kč', 'CZK', '1250'],
    ['1 250 Ft', 'HUF', '1250'],
    ['kr 1 250,00', 'NOK', '1250.00'],
    ['￥１２００', 'JPY', '1200'],
  ])('%s in %s is %s', (typed, currency, value) => {
    expect(parseDecimalInput(typed, { currency })).toEqual({ ok: true, value });
  });

  it.each([
    ['$1,250.00', 'EUR'],
    ['1250 USD', 'EUR'],
    ['1 250 kr', 'EUR'],
  ])('%s is no amount of a record in %s, and says so', (typed, currency) => {
    expect(parseDecimalInput(typed, { currency })).toMatchObject({
      ok: false,
      message: expect.stringMatching(/^is in .*, and the record is in EUR\./),
    });
  });

  it.each([['23%'], ['23 %'], ['23\u202f%'], ['23％'], ['２３ %'], ['23 pct']])('%s is a rate of 23', (typed) => {
    expect(parseDecimalInput(typed, { percent: true })).toEqual({ ok: true, value: '23' });
  });

  it.each(['1.234', '1,234', '-12.345'])('%s could be two numbers, and is asked about', (typed) => {
    expect(parseDecimalInput(typed)).toMatchObject({
      ok: false,
      message: expect.stringMatching(/could be .* or .* Write/),
    });
  });

  it.each([
    ['1,250', 'en-IE', '1250'],
    ['1.250', 'en-IE', '1.250'],
    ['1,250', 'en-DE', '1.250'],
    ['1.250', 'en-DE', '1250'],
    ['€1,250', 'en-IE', '1250'],
    ['-1,250', 'en-US', '-1250'],
    ['1,250', 'en-FR', '1.250'],
    ['1.250', 'en-CH', '1.250'],
  ])('%s in %s is read as %s, and said to be guessed', (typed, locale, value) => {
    expect(parseDecimalInput(typed, { locale, currency: 'EUR' })).toEqual({ ok: true, value, guessed: true });
  });

  it.each([
    ['1.250', 'en-FR'],
    ['1,250', 'en-CH'],
  ])('%s in %s is asked about: the place writes no such number', (typed, locale) => {
    expect(parseDecimalInput(typed, { locale })).toMatchObject({ ok: false });
  });

  it.each([
    ...['', '-', 'abc', '1e5', '1.2.3', '1 23', '12,34.5', '1,234.567,8', '1..2', '٣', '5 €', '9'.repeat(16)],
    ...['10²', '½', '--5', '-(5)', '(5', '5)', '23%', "1 234'567", '1,2,3', '1 234.567,8', '0x10', '1_000', '12 3456'],
  ])('%s is refused', (typed) => {
    expect(parseDecimalInput(typed).ok).toBe(false);
  });

  it.each([
    ['23%', { currency: 'EUR' }],
    ['€€5', { currency: 'EUR' }],
    ['€5€', { currency: 'EUR' }],
    ['5 apples', { currency: 'EUR' }],
    ['€5', { percent: true }],
    ['23%%', { percent: true }],
  ])('%s is refused in a field of another kind', (typed, reading) => {
    expect(parseDecimalInput(typed, reading).ok).toBe(false);
  });

  it('is read back as any place of Europe writes it', () => {
    const places = 'IE GB DE FR AT CH IT ES PT NL BE DK SE NO FI PL CZ HU RO BG GR LT LV EE SI SK HR'.split(' ');
    for (const place of places) {
      const locale = `en-${place}`;
      for (const amount of ['1250.00', '-1250.00', '1234567.89', '0.50', '12.30']) {
        const typed = [formatAmount(amount, 'EUR', locale), formatMoney(amount, 'EUR', locale)];
        for (const text of typed)
          expect(parseDecimalInput(text, { locale, currency: 'EUR' }), `${text} ${locale}`).toEqual({
            ok: true,
            value: amount,
          });
      }
    }
  });

  it('comes back from the form as it was stored', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^-?(0|[1-9]\d{0,14})(\.\d{1,9}[1-9])?$/), (stored) => {
        for (const locale of [undefined, 'en-IE', 'en-DE']) {
          const read = parseDecimalInput(decimalForForm(stored), { locale });
          expect(read.ok && Number(read.value)).toBe(Number(stored) + 0 || 0);
        }
      }),
    );
  });

  it('never throws, whatever is typed', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'0123456789.,-+ \u00a0’ex€%()–') }),
        fc.constantFrom({}, { currency: 'EUR' }, { percent: true }, { locale: 'en-DE' }),
        (typed, reading) => void parseDecimalInput(typed, reading),
      ),
    );
  });
});
