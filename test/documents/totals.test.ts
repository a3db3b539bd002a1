import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DocumentContentInput } from '../../src/documents/document.ts';
import { computeTotals, sameAmount } from '../../src/documents/totals.ts';
import { minorDigits } from '../../src/platform/currencies.ts';
import { invoice } from './content.ts';

type Line = DocumentContentInput['lines'][number];
const line = (over: Partial<Line>): Line => ({ name: 'x', quantity: '1', unitPrice: '0', ...over });
const totalsOf = (over: Partial<DocumentContentInput>) => computeTotals(invoice(over));

describe('the net amount of a line', () => {
  it.each<[string, Partial<Line>, string]>([
    ['is quantity × price', { quantity: '3', unitPrice: '19.99' }, '59.97'],
    [
      'divides by the quantity the price is for',
      { quantity: '10', unitPrice: '200', priceBaseQuantity: '2' },
      '1000.00',
    ],
    ['is rounded half away from zero', { quantity: '1', unitPrice: '1.005' }, '1.01'],
    ['is rounded the same way below zero', { quantity: '-1', unitPrice: '1.005' }, '-1.01'],
    ['is rounded once, at the end', { quantity: '3', unitPrice: '0.335' }, '1.01'],
    ['takes off a percentage', { quantity: '4', unitPrice: '60', discountPercent: '10' }, '216.00'],
    [
      'takes off allowances and adds charges',
      {
        quantity: '10',
        unitPrice: '410',
        adjustments: [
          { type: 'charge', amount: '1' },
          { type: 'allowance', amount: '101' },
        ],
      },
      '4000.00',
    ],
    [
      'computes an allowance from its percentage',
      { quantity: '2', unitPrice: '50', adjustments: [{ type: 'allowance', percent: '12.5' }] },
      '87.50',
    ],
    ['never shows a zero with a sign', { quantity: '-1', unitPrice: '0.001' }, '0.00'],
    ['is what the file states, where it states one', { quantity: '2', unitPrice: '800', statedNet: '800' }, '800.00'],
  ])('%s', (_rule, over, net) => {
    expect(totalsOf({ lines: [line(over)] }).lines[0]?.net).toBe(net);
  });
});

describe('the totals of a record', () => {
  it('computes tax per category and rate on the rounded sum, not per line', () => {
    const lines = Array.from({ length: 3 }, () => line({ unitPrice: '0.10', taxRate: '5', taxCategory: 'S' }));
    expect(totalsOf({ lines }).taxes).toEqual([{ taxCategory: 'S', taxRate: '5', taxable: '0.30', tax: '0.02' }]);
  });

  it('keeps categories of the same rate apart, and rates of the same category, highest rate first', () => {
    const lines = [
      line({ unitPrice: '1', taxCategory: 'Z', taxRate: '0' }),
      line({ unitPrice: '2', taxCategory: 'E', taxRate: '0.0' }),
      line({ unitPrice: '4', taxCategory: 'S', taxRate: '9' }),
      line({ unitPrice: '8', taxCategory: 'S', taxRate: '21.00' }),
    ];
    expect(totalsOf({ lines }).taxes.map((tax) => [tax.taxCategory, tax.taxRate, tax.taxable])).toEqual([
      ['S', '21', '8.00'],
      ['S', '9', '4.00'],
      ['E', '0', '2.00'],
      ['Z', '0', '1.00'],
    ]);
  });

  it('adds no tax where no rate is stated', () => {
    expect(totalsOf({ lines: [line({ unitPrice: '95' })] })).toMatchObject({ taxTotal: '0.00', payable: '95.00' });
  });

  it('goes from lines to what is to pay as EN 16931 does', () => {
    const totals = totalsOf({
      lines: [line({ unitPrice: '1000', taxRate: '25' })],
      adjustments: [
        { type: 'allowance', percent: '10', taxRate: '25' },
        { type: 'charge', amount: '40', taxRate: '25' },
      ],
      prepaid: '100',
      rounding: '0.50',
    });
    expect(totals).toMatchObject({
      lineTotal: '1000.00',
      allowanceTotal: '100.00',
      chargeTotal: '40.00',
      taxExclusive: '940.00',
      taxTotal: '235.00',
      taxInclusive: '1175.00',
      prepaid: '100.00',
      rounding: '0.50',
      payable: '1075.50',
    });
  });

  it.each([
    ['JPY', '1235'],
    ['EUR', '1234.57'],
    ['KWD', '1234.568'],
  ])('has the digits of %s', (currency, payable) => {
    expect(totalsOf({ currency, lines: [line({ unitPrice: '1234.5678' })] }).payable).toBe(payable);
    expect(minorDigits(currency)).toBe(payable.split('.')[1]?.length ?? 0);
  });

  it('stays exact where floating point does not', () => {
    expect(totalsOf({ lines: [line({ quantity: '999999999999999', unitPrice: '0.07' })] }).payable).toBe(
      '69999999999999.93',
    );
  });
});

const cents = fc.bigInt({ min: -10_000_000n, max: 10_000_000n });
const rates = fc.constantFrom('0', '5.5', '9', '13.5', '19', '21', '23', '25');
const lines = fc.array(fc.record({ quantity: fc.integer({ min: -500, max: 500 }), price: cents, rate: rates }), {
  minLength: 1,
  maxLength: 30,
});
const decimal = (value: bigint, digits: number): string => {
  const text = (value < 0n ? -value : value).toString().padStart(digits + 1, '0');
  return `${value < 0n ? '-' : ''}${text.slice(0, -digits)}.${text.slice(-digits)}`;
};
const cent = (text: string): bigint => BigInt(text.replace('.', ''));
/** Division rounded half away from zero, in integers: another way to the same rule. */
const divide = (value: bigint, by: bigint): bigint => {
  const rest = (value < 0n ? -value : value) * 2n + by;
  const whole = rest / (by * 2n);
  return value < 0n ? -whole : whole;
};
const contentOf = (parts: { quantity: number; price: bigint; rate: string }[], sign = 1) =>
  invoice({
    lines: parts.map((part) =>
      line({ quantity: String(part.quantity * sign), unitPrice: decimal(part.price, 3), taxRate: part.rate }),
    ),
  });

describe('for any record', () => {
  it('agrees with the same rules in whole numbers', () => {
    fc.assert(
      fc.property(lines, (parts) => {
        const totals = computeTotals(contentOf(parts));
        const nets = parts.map((part) => divide(BigInt(part.quantity) * part.price, 10n));
        expect(totals.lines.map((entry) => cent(entry.net))).toEqual(nets);
        const taxes = [...new Set(parts.map((part) => part.rate))].map((rate) => {
          const taxable = nets.reduce((sum, net, index) => (parts[index]?.rate === rate ? sum + net : sum), 0n);
          return divide(taxable * BigInt(Number(rate) * 10), 1000n);
        });
        expect(cent(totals.taxTotal)).toBe(taxes.reduce((sum, tax) => sum + tax, 0n));
        expect(cent(totals.payable)).toBe(nets.reduce((sum, net) => sum + net, 0n) + cent(totals.taxTotal));
      }),
    );
  });

  it('is the mirror of its credit', () => {
    fc.assert(
      fc.property(lines, (parts) => {
        const [invoiced, credited] = [computeTotals(contentOf(parts)), computeTotals(contentOf(parts, -1))];
        for (const key of ['lineTotal', 'taxTotal', 'payable'] as const)
          expect(cent(credited[key])).toBe(-cent(invoiced[key]));
      }),
    );
  });

  it('comes to the same in any order of lines', () => {
    fc.assert(
      fc.property(
        lines.chain((parts) => fc.tuple(fc.constant(parts), fc.shuffledSubarray(parts, { minLength: parts.length }))),
        ([parts, shuffled]) => {
          const { lines: _, ...first } = computeTotals(contentOf(parts));
          const { lines: __, ...second } = computeTotals(contentOf(shuffled));
          expect(second).toEqual(first);
        },
      ),
    );
  });

  it('compares amounts by what they are worth', () => {
    fc.assert(fc.property(cents, (value) => sameAmount(decimal(value, 2), `${decimal(value, 2)}000`)));
  });
});
