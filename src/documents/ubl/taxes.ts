import { minorDigits } from '../../platform/currencies.ts';
import { Decimal, sameAmount, sumOf, unsigned } from '../decimal.ts';
import type { DocumentContent } from '../document.ts';
import { computeTotals, type TaxTotal, taxKey } from '../totals.ts';
import { differ } from './import-error.ts';
import type { Reading } from './readings.ts';
import type { Statements, TaxRow } from './statements.ts';

type StatedTaxes = NonNullable<DocumentContent['statedTaxes']>;

/**
 * Gives a rate to the record's allowances and charges that state none (SI-UBL 1.x): the one of all lines, or that with which
 * the file's table of taxes comes out.
 */
export function spreadUntaxed(content: DocumentContent, { taxes }: Statements): DocumentContent {
  const rows = taxes.flatMap((table) => table.rows);
  const isUntaxed = (part: DocumentContent['adjustments'][number]): boolean =>
    part.taxCategory === undefined && (part.taxRate === undefined || rows.length > 0) && !hasRow(rows, part);
  if (!content.adjustments.some(isUntaxed)) return content;
  const known = new Map(content.lines.map((line) => [taxKey(line), line]));
  const withRate = (line: DocumentContent['lines'][number]): DocumentContent => ({
    ...content,
    adjustments: content.adjustments.map((each) => {
      if (!isUntaxed(each)) return each;
      const { taxCategory, taxRate } = line;
      return {
        ...each,
        ...(taxCategory === undefined ? {} : { taxCategory }),
        ...(taxRate === undefined ? {} : { taxRate }),
      };
    }),
  });
  const [only, ...others] = [...known.values()].map(withRate);
  if (only && others.length === 0) return only;
  return [only, ...others].find((each) => each && sameStructure(computeTotals(each).taxes, rows)) ?? content;
}

function hasRow(rows: readonly TaxRow[], part: { taxRate?: string | undefined }): boolean {
  return part.taxRate !== undefined && rows.some((row) => taxKey(row) === taxKey(part));
}

/**
 * What contradicts itself in the tables of taxes:
 * - a sum that is not that of its rows;
 * - a tax that is not its rate of what it is on. The norm's validators accept less than one unit (BR-CO-17), since tax is
 *   often added per line; a rate with no tax at all is a tax that is not charged.
 *
 * Throws `totals_differ`, naming both numbers.
 */
export function assertTaxesFit(content: DocumentContent, { taxes, withheld }: Statements): void {
  const { currency } = content;
  const groups = computeTotals(content).taxes;
  const kept = sumOf(withheld.map(({ amount }) => amount));
  const perLine = new Decimal(10)
    .pow(-minorDigits(currency))
    .div(2)
    .times(content.lines.length + 1);
  const slack = perLine.gt(1) ? perLine : new Decimal(1);
  for (const { amount, rows, element } of taxes) {
    const own = sumOf(rows.map((row) => row.amount));
    const near = (sum: Decimal): boolean =>
      sum
        .minus(amount ?? sum)
        .abs()
        .lt(slackOf(rows, currency));
    // UBL-TR takes off at once what the customer keeps back.
    if (amount !== undefined && rows.length > 0 && !near(own) && !near(own.minus(kept))) {
      throw differ(
        element.first('cbc:TaxAmount'),
        'cbc:TaxAmount',
        amount,
        shown(own, currency),
        'the taxes',
        currency,
      );
    }
    for (const row of rows) {
      if (row.taxable === undefined || row.taxRate === undefined || sameAmount(row.amount, '0')) continue;
      const due = new Decimal(row.taxable).times(row.taxRate).div(100);
      if (due.minus(row.amount).abs().lt(slack)) continue;
      // OIOUBL says what a tax is on before the record's own allowances are off.
      if (groups.some((tax) => isSameTax(tax, row) && new Decimal(tax.tax).minus(row.amount).abs().lt(slack))) continue;
      const at = row.element.first('cbc:TaxAmount');
      const on = shown(new Decimal(row.taxable), currency);
      throw differ(
        at,
        `cbc:TaxAmount for tax ${nameOf(row)}`,
        row.amount,
        shown(due, currency),
        `the tax on ${on}`,
        currency,
      );
    }
  }
}

/**
 * What the taxes are on must be what the lines, allowances and charges come to, all in all or rate by rate, where each of
 * these says its rate. Throws `totals_differ`, naming the first rate for which it is not.
 */
export function assertBasesFit(content: DocumentContent, { taxes }: Statements): void {
  const [table, ...more] = taxes;
  if (!table || more.length > 0 || table.rows.length === 0) return;
  if ([...content.lines, ...content.adjustments].some(({ taxRate }) => taxRate === undefined)) return;
  const { currency } = content;
  const slack = slackOf(content.lines, currency);
  const near = (own: Decimal, stated: Decimal | string): boolean => own.minus(stated).abs().lt(slack);
  const before = { ...content, adjustments: [] };
  const all = sumOf(table.rows.map(({ taxable }) => taxable ?? '0'));
  // A line that is taxed in parts (UBL.BE) has one rate here, and its parts in the table.
  if ([content, before].some((each) => near(new Decimal(computeTotals(each).taxExclusive), all))) return;
  const baseOf = (each: DocumentContent, group: TaxGroup): Decimal =>
    sumOf(computeTotals(each).taxes.flatMap((tax) => (isInRow(tax, group) ? [tax.taxable] : [])));
  for (const group of grouped(table.rows)) {
    if (group.taxable === undefined) continue;
    const sum = baseOf(content, group);
    if (near(sum, group.taxable) || near(baseOf(before, group), group.taxable)) continue;
    if (group.taxRate === undefined && near(baseOf(content, { ...group, taxRate: '0' }), group.taxable)) continue;
    const at = group.row.element.first('cbc:TaxableAmount');
    const what =
      content.adjustments.length > 0 ? 'the lines, allowances and charges with that tax' : 'the lines with that tax';
    throw differ(
      at,
      `cbc:TaxableAmount for tax ${nameOf(group.row)}`,
      group.taxable,
      shown(sum, currency),
      what,
      currency,
    );
  }
}

/** The content with the file's taxes, where ours are others: amount by amount, or the file's whole table. */
export function agreeOnTaxes(content: DocumentContent, { taxes }: Statements, reading: Reading): DocumentContent {
  const own = computeTotals(content);
  const rows = taxes.flatMap((table) => table.rows);
  if (rows.length > 0) {
    if (!sameStructure(own.taxes, rows)) return { ...content, statedTaxes: rows.map(toStated) };
    const stated = grouped(rows).flatMap((group): StatedTaxes => {
      const tax = own.taxes.find((each) => isSameTax(each, group));
      if (!tax || sameAmount(tax.tax, group.amount)) return [];
      return [{ taxCategory: tax.taxCategory, taxRate: tax.taxRate, amount: group.amount }];
    });
    return stated.length > 0 ? { ...content, statedTaxes: stated } : content;
  }
  // A sum without a table may be one rate's own, or one that no line names; else it stands beside our table.
  const sum = reading.taxTotal;
  if (sum === undefined || sameAmount(sum, own.taxTotal)) return content;
  const unrated = own.taxes.find((tax) => tax.taxRate === undefined);
  const group = own.taxes.length === 1 ? own.taxes[0] : unrated;
  if (sameAmount(sum, '0') || !group) {
    const none = own.taxes.map(({ taxCategory, taxRate }) => ({ taxCategory, taxRate, amount: '0' }));
    return sameAmount(sum, '0') ? { ...content, statedTaxes: none } : content;
  }
  const { taxCategory, taxRate } = group;
  const rest = new Decimal(sum).minus(own.taxTotal).plus(group.tax);
  return { ...content, statedTaxes: [{ taxCategory, taxRate, amount: unsigned(rest.toFixed()) }] };
}

function toStated({ name, taxCategory, taxRate, taxable, amount }: TaxRow): StatedTaxes[number] {
  // A row of a table says what it is on, or else what it is called.
  return { name: name ?? (taxable === undefined ? 'Tax' : undefined), taxCategory, taxRate, taxable, amount };
}

interface TaxGroup {
  readonly taxCategory: string | undefined;
  readonly taxRate: string | undefined;
  readonly taxable: string | undefined;
  readonly amount: string;
  /** The first of its rows. */
  readonly row: TaxRow;
}

/** Rows of one category and rate together: files give a row for each reason of an exemption (UBL.BE). */
function grouped(rows: readonly TaxRow[]): TaxGroup[] {
  const groups = new Map<string, TaxGroup>();
  for (const row of rows) {
    const group = groups.get(taxKey(row));
    const taxable = row.taxable === undefined ? group?.taxable : sumOf([group?.taxable ?? '0', row.taxable]).toFixed();
    const amount = sumOf([group?.amount ?? '0', row.amount]).toFixed();
    groups.set(taxKey(row), { ...row, taxable, amount, row: group?.row ?? row });
  }
  return [...groups.values()];
}

/** Whether our taxes are on the same as the file's, so that only amounts can differ. */
function sameStructure(own: readonly TaxTotal[], rows: readonly TaxRow[]): boolean {
  if (rows.some((row) => row.name !== undefined && row.taxCategory === undefined)) return false;
  const groups = grouped(rows);
  const fits = (tax: TaxTotal, group: TaxGroup): boolean =>
    isSameTax(tax, group) && (group.taxable === undefined || sameAmount(group.taxable, tax.taxable));
  const nothing = (amount: string | undefined): boolean => amount === undefined || sameAmount(amount, '0');
  return (
    own.every((tax) => groups.some((group) => fits(tax, group)) || (nothing(tax.taxable) && nothing(tax.tax))) &&
    groups.every((group) => own.some((tax) => fits(tax, group)) || (nothing(group.taxable) && nothing(group.amount)))
  );
}

/** The same category and rate; a row that says no rate is about all rates of its category. */
function isInRow(tax: TaxTotal, row: TaxGroup): boolean {
  if (row.taxRate !== undefined) return isSameTax(tax, row);
  return row.taxCategory === undefined || tax.taxCategory === row.taxCategory;
}

/** The same category and rate; an exempt category may leave out its rate in one place and say 0 in the other. */
function isSameTax(
  a: Pick<TaxTotal, 'taxCategory' | 'taxRate'>,
  b: { taxCategory: string | undefined; taxRate: string | undefined },
): boolean {
  return a.taxCategory === b.taxCategory && sameAmount(a.taxRate ?? '0', b.taxRate ?? '0');
}

function slackOf(terms: readonly unknown[], currency: string): Decimal {
  return new Decimal(10).pow(-minorDigits(currency)).div(2).times(terms.length).plus('0.0000001');
}

function nameOf({ name, taxCategory, taxRate }: TaxRow): string {
  return (
    [name, taxCategory, taxRate === undefined ? undefined : `${taxRate}%`].filter(Boolean).join(' ') ||
    'without a category'
  );
}

function shown(value: Decimal, currency: string): string {
  return unsigned(value.toFixed(minorDigits(currency)));
}
