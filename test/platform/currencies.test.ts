import { describe, expect, it } from 'vitest';
import { currencyCodes, isCurrency, minorDigits } from '../../src/platform/currencies.ts';

describe('the digits of a currency', () => {
  it.each([
    ...['BIF', 'CLP', 'ISK', 'JPY', 'KRW', 'PYG', 'UGX', 'UYI', 'VND', 'XAF', 'XOF', 'XPF'].map((code) => [code, 0]),
    ...['AFN', 'ALL', 'AMD', 'COP', 'CRC', 'EUR', 'HUF', 'IDR', 'IRR', 'KPW', 'LAK', 'LBP', 'MGA', 'MMK', 'MNT'].map(
      (code) => [code, 2],
    ),
    ...['PKR', 'RSD', 'SOS', 'SYP', 'TWD', 'TZS', 'UZS', 'YER', 'ZWG', 'BGN', 'HRK'].map((code) => [code, 2]),
    ...['BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND'].map((code) => [code, 3]),
    ...['CLF', 'UYW'].map((code) => [code, 4]),
  ] as [string, number][])('are those of ISO 4217: %s %i', (code, digits) => {
    expect(minorDigits(code)).toBe(digits);
  });

  it('are known for every currency that a browser can name, and for no metal or test code', () => {
    expect(Intl.supportedValuesOf('currency').filter((code) => !isCurrency(code))).toEqual([]);
    expect(['XAU', 'XTS', 'XXX', 'EU', 'eur', ''].filter(isCurrency)).toEqual([]);
    expect(new Set(currencyCodes).size).toBe(currencyCodes.length);
  });
});
