import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decimalForForm, parseDecimalInput } from '../../src/documents/decimal-input.ts';

describe('a number that somebody typed', () => {
  it.each([
    ['1234.5', '1234.5'],
    ['1,234.50', '1234.50'],
    ['1.234,50', '1234.50'],
    ['1 234,50', '1234.50'],
    ['1\u202f234,5', '1234.5'],
    ["1'234.50", '1234.50'],
    ['1,234,567', '1234567'],
    ['12 345', '12345'],
    ['0,125', '0.125'],
    ['.5', '0.5'],
    ['-3', '-3'],
    ['−4,5', '-4.5'],
    ['-0', '0'],
    ['0012', '12'],
  ])('%s is %s', (typed, value) => {
    expect(parseDecimalInput(typed)).toEqual({ ok: true, value });
  });

  it.each(['1.234', '1,234', '-12.345'])('%s could be two numbers, and is asked about', (typed) => {
    expect(parseDecimalInput(typed)).toMatchObject({
      ok: false,
      message: expect.stringMatching(/could be .* or .* Write/),
    });
  });

  it.each(['', '-', 'abc', '1e5', '1.2.3', '1 23', '12,34.5', '1,234.567,8', '1..2', '٣', '5 €', '9'.repeat(16)])(
    '%s is refused',
    (typed) => {
      expect(parseDecimalInput(typed).ok).toBe(false);
    },
  );

  it('comes back from the form as it was stored', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^-?(0|[1-9]\d{0,14})(\.\d{1,9}[1-9])?$/), (stored) => {
        const read = parseDecimalInput(decimalForForm(stored));
        expect(read.ok && Number(read.value)).toBe(Number(stored) + 0 || 0);
      }),
    );
  });

  it('never throws, whatever is typed', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'0123456789.,-+ \u00a0’ex') }),
        (typed) => void parseDecimalInput(typed),
      ),
    );
  });
});
