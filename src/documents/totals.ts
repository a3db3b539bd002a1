import { Big } from 'big.js';
import { minorDigits } from '../platform/currencies.ts';
import type { DocumentContent, DocumentLine } from './document.ts';

/** Our own constructor, so that nobody's settings change ours: 60 places in a division, half away from zero. */
const Decimal = Big();
Decimal.DP = 60;
Decimal.RM = Big.roundHalfUp;
type Decimal = InstanceType<typeof Decimal>;

/** One line's amounts, decimal strings with the currency's digits. */
interface LineTotals {
  /** Quantity × price, before anything is taken off or added. */
  readonly gross: string;
  readonly discount: string;
  readonly allowances: string;
  readonly charges: string;
  readonly net: string;
  /** What quantity and price alone come to; not `net` where an imported file states another amount for this line. */
  readonly ownNet: string;
}

/** The tax on everything of one category and rate. Without a rate no tax was stated. */
export interface TaxTotal {
  readonly taxCategory?: string;
  readonly taxRate?: string;
  readonly taxable: string;
  readonly tax: string;
}

/** Everything a record adds up to, decimal strings with the currency's digits. */
export interface DocumentTotals {
  /** In the order of the lines. */
  readonly lines: readonly LineTotals[];
  /** In the order of the record's adjustments, positive. */
  readonly adjustments: readonly string[];
  readonly lineTotal: string;
  readonly allowanceTotal: string;
  readonly chargeTotal: string;
  readonly taxExclusive: string;
  /** Highest rate first. */
  readonly taxes: readonly TaxTotal[];
  readonly taxTotal: string;
  readonly taxInclusive: string;
  readonly prepaid: string;
  readonly rounding: string;
  readonly payable: string;
}

/**
 * Adds a record up by the rules of EN 16931-1:
 * - line net (BT-131) = quantity × (price / base quantity) − allowances + charges, rounded once;
 * - BR-CO-10 … 13: sums of rounded amounts;
 * - BR-CO-17: tax per category **and** rate, on the rounded sum of its lines, allowances and charges, rounded half up
 *   (away from zero, so that a credit is the mirror of its invoice);
 * - BR-CO-15, 16: with tax = without tax + tax; payable = with tax − prepaid + rounding.
 *
 * What an imported file states within the norm's slack (`statedNet`, `statedTaxes`) stands in place of ours.
 * Pure; the content must have passed its schema.
 */
export function computeTotals(content: DocumentContent): DocumentTotals {
  const digits = minorDigits(content.currency);
  const money = (value: Decimal): string => unsigned(value.toFixed(digits, Big.roundHalfUp));
  const rounded = (value: Decimal): Decimal => value.round(digits, Big.roundHalfUp);

  const groups = new Map<string, TaxGroup>();
  const tax = (part: Taxed, amount: Decimal): void => {
    const key = taxKey(part);
    const group = groups.get(key);
    if (group) group.taxable = group.taxable.plus(amount);
    else groups.set(key, { taxCategory: part.taxCategory, taxRate: plain(part.taxRate), taxable: amount });
  };

  let lineTotal = new Decimal(0);
  const lines = content.lines.map((line) => {
    const amounts = lineAmounts(line, rounded);
    lineTotal = lineTotal.plus(amounts.net);
    tax(line, amounts.net);
    return {
      gross: money(amounts.gross),
      discount: money(amounts.discount),
      allowances: money(amounts.allowances),
      charges: money(amounts.charges),
      net: money(amounts.net),
      ownNet: money(amounts.ownNet),
    };
  });

  let allowanceTotal = new Decimal(0);
  let chargeTotal = new Decimal(0);
  const adjustments = content.adjustments.map((adjustment) => {
    const amount = rounded(adjustmentAmount(adjustment, lineTotal));
    if (adjustment.type === 'allowance') allowanceTotal = allowanceTotal.plus(amount);
    else chargeTotal = chargeTotal.plus(amount);
    tax(adjustment, adjustment.type === 'allowance' ? amount.neg() : amount);
    return money(amount);
  });

  const stated = new Map((content.statedTaxes ?? []).map((entry) => [taxKey(entry), new Decimal(entry.amount)]));
  const taxes = [...groups.entries()]
    .sort(([, a], [, b]) => byRate(a, b))
    .map(([key, group]) => {
      const own = rounded(group.taxable.times(group.taxRate ?? 0).div(100));
      return { group, amount: stated.get(key) ?? own };
    });

  const taxTotal = taxes.reduce((sum, entry) => sum.plus(entry.amount), new Decimal(0));
  const taxExclusive = lineTotal.minus(allowanceTotal).plus(chargeTotal);
  const taxInclusive = taxExclusive.plus(taxTotal);
  const prepaid = rounded(new Decimal(content.prepaid ?? 0));
  const rounding = rounded(new Decimal(content.rounding ?? 0));
  return {
    lines,
    adjustments,
    lineTotal: money(lineTotal),
    allowanceTotal: money(allowanceTotal),
    chargeTotal: money(chargeTotal),
    taxExclusive: money(taxExclusive),
    taxes: taxes.map(({ group, amount }) => ({
      ...(group.taxCategory === undefined ? {} : { taxCategory: group.taxCategory }),
      ...(group.taxRate === undefined ? {} : { taxRate: group.taxRate }),
      taxable: money(group.taxable),
      tax: money(amount),
    })),
    taxTotal: money(taxTotal),
    taxInclusive: money(taxInclusive),
    prepaid: money(prepaid),
    rounding: money(rounding),
    payable: money(taxInclusive.minus(prepaid).plus(rounding)),
  };
}

/** Whether two decimal strings are the same number: `25.0` and `25`. */
export function sameAmount(a: string, b: string): boolean {
  return new Decimal(a).eq(b);
}

/** How far apart two decimal strings are, positive. */
export function difference(a: string, b: string): string {
  return new Decimal(a).minus(b).abs().toFixed();
}

/** `a` − `b`, exact. */
export function minus(a: string, b: string): string {
  return unsigned(new Decimal(a).minus(b).toFixed());
}

/** `percent` per cent of `base`, exact. */
export function percentOf(base: string, percent: string): string {
  return new Decimal(base).times(percent).div(100).toFixed();
}

/** Whether decimal string `a` is at most `b`. */
export function atMost(a: string, b: string): boolean {
  return new Decimal(a).lte(b);
}

/** The same key for the same tax category and rate, however the rate is written. */
export function taxKey(part: Taxed): string {
  return `${part.taxCategory ?? ''}|${plain(part.taxRate) ?? ''}`;
}

interface Taxed {
  readonly taxCategory?: string | undefined;
  readonly taxRate?: string | undefined;
}

interface TaxGroup {
  readonly taxCategory: string | undefined;
  readonly taxRate: string | undefined;
  taxable: Decimal;
}

function lineAmounts(line: DocumentLine, rounded: (value: Decimal) => Decimal) {
  const exact = new Decimal(line.quantity).times(line.unitPrice).div(line.priceBaseQuantity ?? 1);
  const gross = rounded(exact);
  const discount = rounded(exact.times(line.discountPercent ?? 0).div(100));
  const sum = (type: 'allowance' | 'charge'): Decimal =>
    line.adjustments
      .filter((adjustment) => adjustment.type === type)
      .reduce((total, adjustment) => total.plus(rounded(adjustmentAmount(adjustment, gross))), new Decimal(0));
  const allowances = sum('allowance');
  const charges = sum('charge');
  const ownNet = rounded(exact.minus(discount).minus(allowances).plus(charges));
  const net = line.statedNet === undefined ? ownNet : rounded(new Decimal(line.statedNet));
  return { gross, discount, allowances, charges, net, ownNet };
}

function adjustmentAmount(
  adjustment: { amount?: string | undefined; percent?: string | undefined; base?: string | undefined },
  base: Decimal,
): Decimal {
  if (adjustment.amount !== undefined) return new Decimal(adjustment.amount);
  return new Decimal(adjustment.base ?? base).times(adjustment.percent ?? 0).div(100);
}

function byRate(a: TaxGroup, b: TaxGroup): number {
  if (a.taxRate === undefined || b.taxRate === undefined)
    return (a.taxRate === undefined ? 1 : 0) - (b.taxRate === undefined ? 1 : 0);
  return new Decimal(b.taxRate).cmp(a.taxRate) || (a.taxCategory ?? '').localeCompare(b.taxCategory ?? '');
}

/** `25.00` → `25`. */
function plain(decimal: string | undefined): string | undefined {
  return decimal === undefined ? undefined : unsigned(new Decimal(decimal).toFixed());
}

/** big.js keeps the sign of a negative number that rounds to zero; on an invoice `-0.00` is a mistake. */
function unsigned(decimal: string): string {
  return /^-0(\.0*)?$/.test(decimal) ? decimal.slice(1) : decimal;
}
