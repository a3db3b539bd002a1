import { Decimal, sumOf } from '../decimal.ts';
import { readTax } from './line.ts';
import { takeAmount, takeText } from './take.ts';
import type { XmlElement } from './xml.ts';

/** The sums of a record as UBL names them, in the order in which they follow from each other. */
export const sumNames = [
  'LineExtensionAmount',
  'AllowanceTotalAmount',
  'ChargeTotalAmount',
  'TaxExclusiveAmount',
  'TaxInclusiveAmount',
  'PrepaidAmount',
  'PayableRoundingAmount',
  'PayableAmount',
] as const;
/** One of {@link sumNames}. */
export type SumName = (typeof sumNames)[number];

/** One row of the file's tables of taxes. */
export interface TaxRow {
  readonly name: string | undefined;
  readonly taxCategory: string | undefined;
  readonly taxRate: string | undefined;
  readonly taxable: string | undefined;
  readonly amount: string;
  readonly element: XmlElement;
}

/** One `cac:TaxTotal` in the currency of the record. */
export interface TaxStatement {
  readonly amount: string | undefined;
  readonly rows: readonly TaxRow[];
  readonly element: XmlElement;
}

/** Everything that a file says about its sums. Nothing here is computed. */
export interface Statements {
  readonly sums: Partial<Record<SumName, string>>;
  /** Where its sums stand, for messages. */
  readonly monetary: XmlElement | undefined;
  readonly taxes: readonly TaxStatement[];
  /** What was paid before, or what a third party is owed (XRechnung's extension uses the same element for it). */
  readonly payments: readonly { readonly label: string | undefined; readonly amount: string }[];
  /** What the customer keeps back as a tax. */
  readonly withheld: readonly { readonly label: string | undefined; readonly amount: string }[];
}

/** Reads what a file says about its sums; other currencies' tables of taxes stay where they become extras. */
export function readStatements(root: XmlElement, currency: string): Statements {
  const monetary = monetaryOf(root);
  const sums: Partial<Record<SumName, string>> = {};
  for (const name of sumNames) {
    const stated = takeAmount(monetary, `cbc:${name}`, currency);
    if (stated !== undefined) sums[name] = stated;
  }
  const own = (total: XmlElement) =>
    (total.first('cbc:TaxAmount')?.attributes.get('currencyID') ?? currency) === currency;
  return {
    sums,
    monetary,
    taxes: root
      .all('cac:TaxTotal')
      .filter(own)
      .map((element) => ({
        amount: takeAmount(element, 'cbc:TaxAmount', currency),
        rows: element.all('cac:TaxSubtotal').flatMap((row) => readRow(row, currency)),
        element,
      })),
    payments: amounts(root, 'cac:PrepaidPayment', 'cbc:PaidAmount', 'cbc:ID', currency),
    withheld: amounts(root, 'cac:WithholdingTaxTotal', 'cbc:TaxAmount', '', currency).map(({ amount, element }) => ({
      amount,
      label: element.first('cac:TaxSubtotal/cac:TaxCategory/cac:TaxScheme/cbc:Name')?.text,
    })),
  };
}

/** Where a file's sums stand; an order calls them anticipated. */
export function monetaryOf(root: XmlElement): XmlElement | undefined {
  return root.first('cac:LegalMonetaryTotal') ?? root.first('cac:AnticipatedMonetaryTotal');
}

function readRow(row: XmlElement, currency: string): TaxRow[] {
  const category = row.first('cac:TaxCategory');
  const amount = takeAmount(row, 'cbc:TaxAmount', currency);
  const tax = readTax(category, row);
  const taxable = takeAmount(row, 'cbc:TaxableAmount', currency);
  if (amount === undefined && taxable === undefined) return [];
  const scheme = category?.first('cac:TaxScheme');
  const id = scheme?.first('cbc:ID')?.text;
  // `VAT` and its like need no name of their own; what other taxes are called is for people.
  const name = id === 'VAT' || id === 'GST' ? undefined : scheme?.first('cbc:Name')?.text || undefined;
  return [
    {
      name: name?.slice(0, 100),
      taxCategory: tax.taxCategory,
      taxRate: tax.taxRate,
      taxable,
      amount: amount ?? '0',
      element: row,
    },
  ];
}

/** The amounts of elements that repeat, with what each is called; left where they become extras until somebody takes them. */
function amounts(root: XmlElement, path: string, amountName: string, labelName: string, currency: string) {
  return root.all(path).flatMap((element) => {
    const found = element.first(amountName);
    if (!found || (found.attributes.get('currencyID') ?? currency) !== currency) return [];
    const amount = takeAmount(element, amountName, currency);
    found.taken = false;
    found.takenAttributes.delete('currencyID');
    const label = labelName === '' ? undefined : element.first(labelName)?.text || undefined;
    return amount === undefined || new Decimal(amount).eq(0) ? [] : [{ label, amount, element }];
  });
}

/** Takes the text that {@link Statements.payments} or `withheld` were read from: it has its place in the record now. */
export function takePlace(root: XmlElement, path: string, names: readonly string[]): void {
  for (const element of root.all(path)) for (const name of names) takeText(element, name);
}

/** What all of these tables come to: their own sums, or those of their rows. */
export function taxOf(taxes: readonly TaxStatement[]): Decimal {
  return sumOf(taxes.map(({ amount, rows }) => amount ?? sumOf(rows.map((row) => row.amount))));
}
