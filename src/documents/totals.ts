import { minorDigits } from '../platform/currencies.ts';
import { atOnce, each, type Work } from '../platform/turns.ts';
import { Decimal, placesOf, plain, unsigned } from './decimal.ts';
import type { DocumentContent, DocumentLine } from './document.ts';

export { sameAmount } from './decimal.ts';

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
  /** What the tax is called where it is not simply the tax on sales: `KDV`, `IGV`. */
  readonly name?: string;
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
  /** In the order of the record's further amounts. */
  readonly further: readonly string[];
  readonly payable: string;
}

/** How many digits the sums of a record have: its currency's, or more where the file that it came from states more. */
export function sumDigits(content: Pick<DocumentContent, 'currency' | 'digits'>): number {
  return Math.max(minorDigits(content.currency), content.digits ?? 0);
}

/**
 * Adds a record up by the rules of EN 16931-1:
 * - line net (BT-131) = quantity × (price / base quantity) − allowances + charges, rounded once;
 * - BR-CO-10 … 13: sums of rounded amounts;
 * - BR-CO-17: tax per category **and** rate, on the rounded sum of its lines, allowances and charges, rounded half up
 *   (away from zero, so that a credit is the mirror of its invoice);
 * - BR-CO-15, 16: with tax = without tax + tax; payable = with tax − prepaid + rounding + further amounts.
 *
 * What an imported file states (`statedNet`, `statedTaxes`, `statedSums`) stands in place of ours, with its own digits.
 * Pure; the content must have passed its schema.
 */
export function computeTotals(content: DocumentContent): DocumentTotals {
  return atOnce(totalsOf(content));
}

/** As {@link computeTotals}, a few lines at a time: for pages, which show records of thousands of lines. */
export function* totalsOf(content: DocumentContent): Work<DocumentTotals> {
  const digits = sumDigits(content);
  const rounded = (value: Decimal): Decimal => value.round(digits);
  // What a file states is never cut short.
  const money = (value: Decimal): string => unsigned(value.toFixed(Math.max(digits, placesOf(value))));

  const groups = new Map<string, TaxGroup>();
  const tax = (part: Taxed, amount: Decimal): void => {
    const key = taxKey(part);
    const group = groups.get(key);
    if (group) group.taxable = group.taxable.plus(amount);
    else {
      const taxRate = part.taxRate === undefined ? undefined : plain(part.taxRate);
      groups.set(key, { taxCategory: part.taxCategory, taxRate, taxable: amount });
    }
  };

  let lineTotal = new Decimal(0);
  const lines = yield* each(content.lines, (line) => {
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

  const sums = content.statedSums ?? {};
  const stated = (sum: string | undefined, own: Decimal): Decimal => (sum === undefined ? own : new Decimal(sum));
  const lineSum = stated(sums.lineTotal, rounded(lineTotal));
  const taxes = taxTotals(content, groups, rounded);
  const taxTotal = stated(
    sums.taxTotal,
    taxes.reduce((sum, entry) => sum.plus(entry.amount), new Decimal(0)),
  );
  const taxExclusive = stated(sums.taxExclusive, lineSum.minus(allowanceTotal).plus(chargeTotal));
  const taxInclusive = stated(sums.taxInclusive, taxExclusive.plus(taxTotal));
  const prepaid = rounded(new Decimal(content.prepaid ?? 0));
  const rounding = rounded(new Decimal(content.rounding ?? 0));
  const further = (content.furtherAmounts ?? []).map(({ amount }) => rounded(new Decimal(amount)));
  const due = further.reduce((sum, amount) => sum.plus(amount), taxInclusive.minus(prepaid).plus(rounding));
  return {
    lines,
    adjustments,
    lineTotal: money(lineSum),
    allowanceTotal: money(allowanceTotal),
    chargeTotal: money(chargeTotal),
    taxExclusive: money(taxExclusive),
    taxes: taxes.map(({ name, taxCategory, taxRate, taxable, amount }) => ({
      ...(name === undefined ? {} : { name }),
      ...(taxCategory === undefined ? {} : { taxCategory }),
      ...(taxRate === undefined ? {} : { taxRate }),
      taxable: money(taxable ?? taxExclusive),
      tax: money(amount),
    })),
    taxTotal: money(taxTotal),
    taxInclusive: money(taxInclusive),
    prepaid: money(prepaid),
    rounding: money(rounding),
    further: further.map(money),
    payable: money(stated(sums.payable, due)),
  };
}

/** The same key for the same tax category and rate, however the rate is written. */
export function taxKey(part: Taxed): string {
  return `${part.taxCategory ?? ''}|${part.taxRate === undefined ? '' : plain(part.taxRate)}`;
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

interface TaxRow {
  readonly name?: string | undefined;
  readonly taxCategory: string | undefined;
  readonly taxRate: string | undefined;
  readonly taxable: Decimal | undefined;
  readonly amount: Decimal;
}

/** The table of taxes: the file's own whole one where it has one, else a row per group, with the amounts that the file states. */
function taxTotals(
  { statedTaxes = [] }: DocumentContent,
  groups: ReadonlyMap<string, TaxGroup>,
  rounded: (value: Decimal) => Decimal,
): TaxRow[] {
  if (statedTaxes.some(isOfTable)) {
    const rows = statedTaxes.map(({ name, taxCategory, taxRate, taxable, amount }) => ({
      ...{ name, taxCategory, taxRate: taxRate === undefined ? undefined : plain(taxRate) },
      taxable: taxable === undefined ? undefined : new Decimal(taxable),
      amount: new Decimal(amount),
    }));
    return rows.sort(byRate);
  }
  const stated = new Map(statedTaxes.map((entry) => [taxKey(entry), new Decimal(entry.amount)]));
  return [...groups.entries()]
    .sort(([, a], [, b]) => byRate(a, b))
    .map(([key, group]) => {
      const own = rounded(group.taxable.times(group.taxRate ?? 0).div(100));
      return { ...group, amount: stated.get(key) ?? own };
    });
}

/** Whether a stated tax says what it is on, so that it is a row of the file's own table. */
function isOfTable(tax: NonNullable<DocumentContent['statedTaxes']>[number]): boolean {
  return tax.taxable !== undefined || tax.name !== undefined;
}

function lineAmounts(line: DocumentLine, rounded: (value: Decimal) => Decimal) {
  const product = new Decimal(line.quantity).times(line.unitPrice);
  const exact = line.priceBaseQuantity === undefined ? product : product.div(line.priceBaseQuantity);
  const gross = rounded(exact);
  const discount =
    line.discountPercent === undefined ? new Decimal(0) : rounded(exact.times(line.discountPercent).div(100));
  const sum = (type: 'allowance' | 'charge'): Decimal =>
    line.adjustments
      .filter((adjustment) => adjustment.type === type)
      .reduce((total, adjustment) => total.plus(rounded(adjustmentAmount(adjustment, gross))), new Decimal(0));
  const allowances = sum('allowance');
  const charges = sum('charge');
  const ownNet = rounded(exact.minus(discount).minus(allowances).plus(charges));
  const net = line.statedNet === undefined ? ownNet : new Decimal(line.statedNet);
  return { gross, discount, allowances, charges, net, ownNet };
}

function adjustmentAmount(
  adjustment: { amount?: string | undefined; percent?: string | undefined; base?: string | undefined },
  base: Decimal,
): Decimal {
  if (adjustment.amount !== undefined) return new Decimal(adjustment.amount);
  return new Decimal(adjustment.base ?? base).times(adjustment.percent ?? 0).div(100);
}

function byRate(a: Taxed, b: Taxed): number {
  if (a.taxRate === undefined || b.taxRate === undefined)
    return (a.taxRate === undefined ? 1 : 0) - (b.taxRate === undefined ? 1 : 0);
  return new Decimal(b.taxRate).cmp(a.taxRate) || (a.taxCategory ?? '').localeCompare(b.taxCategory ?? '');
}
