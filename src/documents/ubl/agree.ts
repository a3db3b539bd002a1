import type { DocumentContent } from '../document.ts';
import { atMost, computeTotals, type DocumentTotals, difference, minus, sameAmount, taxKey } from '../totals.ts';
import { ImportError } from './import-error.ts';
import { lineSlack, type ReadLine, readTax } from './line.ts';
import { takeAmount } from './take.ts';
import type { XmlElement } from './xml.ts';

/** The norm's validators accept the tax of a category within less than one unit (BR-CO-17), since tax is often added per line. */
const taxSlack = '1';

const sums = [
  ['cbc:LineExtensionAmount', 'lineTotal', 'the lines'],
  ['cbc:AllowanceTotalAmount', 'allowanceTotal', 'the allowances'],
  ['cbc:ChargeTotalAmount', 'chargeTotal', 'the charges'],
  ['cbc:TaxExclusiveAmount', 'taxExclusive', 'lines, allowances and charges'],
  ['cbc:TaxInclusiveAmount', 'taxInclusive', 'the amounts with tax'],
  ['cbc:PayableAmount', 'payable', 'what is to pay'],
] as const;

/**
 * Compares what the file says with what we compute: line by line, tax by tax, sum by sum. Every sum must agree exactly
 * (BR-CO-10 … 16). Where the norm leaves room the file's own number is kept, shown and used:
 * - a tax may be off by less than 1 (BR-CO-17 as its validators test it);
 * - a line's net amount (BT-131) is the file's own statement in EN 16931, which has no rule that it be quantity × price
 *   (its published examples have a return with a positive quantity, and a line of two pieces charged as one). Peppol
 *   has that rule (R120), with a slack of 0.02, so a file that says it follows Peppol is held to it.
 *
 * @returns the content with the file's own numbers where they differ, and the sums that the file declares
 * Throws `totals_differ`, naming both numbers.
 */
export function agreeOnTotals(
  content: DocumentContent,
  lines: readonly ReadLine[],
  root: XmlElement,
): { content: DocumentContent; declared: Record<string, string> } {
  const { currency } = content;
  const declared: Record<string, string> = {};
  const withLines = { ...content, lines: agreeOnLines(content, lines, followsPeppol(root)) };
  const taxes = root
    .all('cac:TaxTotal')
    .find((total) => (total.first('cbc:TaxAmount')?.attributes.get('currencyID') ?? currency) === currency);
  const agreed = taxes ? agreeOnTaxes(withLines, taxes, declared) : withLines;

  const totals = computeTotals(agreed);
  const monetary = root.first('cac:LegalMonetaryTotal') ?? root.first('cac:AnticipatedMonetaryTotal');
  for (const [name, key, what] of sums) {
    const stated = takeAmount(monetary, name, currency);
    if (stated === undefined) continue;
    declared[name.slice(4)] = stated;
    if (!sameAmount(stated, totals[key]))
      throw differ(monetary?.first(name), name, stated, totals[key], what, currency);
  }
  return { content: agreed, declared };
}

function followsPeppol(root: XmlElement): boolean {
  return /peppol/i.test(root.first('cbc:CustomizationID')?.text ?? '');
}

function agreeOnLines(content: DocumentContent, lines: readonly ReadLine[], strict: boolean): DocumentContent['lines'] {
  const totals = computeTotals(content);
  return content.lines.map((line, index) => {
    const read = lines[index];
    const own = totals.lines[index]?.net;
    if (read?.declaredNet === undefined || own === undefined || sameAmount(read.declaredNet, own)) return line;
    if (strict && !atMost(difference(read.declaredNet, own), lineSlack)) {
      throw differ(
        read.element.first('cbc:LineExtensionAmount'),
        `cbc:LineExtensionAmount of line ${line.id ?? index + 1}`,
        read.declaredNet,
        own,
        'quantity × price, less allowances, plus charges',
        content.currency,
      );
    }
    return { ...line, statedNet: read.declaredNet };
  });
}

function agreeOnTaxes(
  content: DocumentContent,
  taxTotal: XmlElement,
  declared: Record<string, string>,
): DocumentContent {
  const { currency } = content;
  const totals = computeTotals(content);
  const stated = taxTotal.all('cac:TaxSubtotal').flatMap((subtotal) => agreeOnTax(subtotal, totals, currency));
  const sum = takeAmount(taxTotal, 'cbc:TaxAmount', currency);
  const agreed = stated.length > 0 ? { ...content, statedTaxes: stated } : content;
  if (sum === undefined) return agreed;
  declared['TaxAmount'] = sum;
  const own = computeTotals(agreed);
  if (sameAmount(sum, own.taxTotal)) return agreed;
  const gap = minus(sum, own.taxTotal);
  // An order may anticipate a tax for lines that name no rate; and a sum without a table may be one rate's own.
  const unrated = own.taxes.find((tax) => tax.taxRate === undefined);
  const only = own.taxes.length === 1 && taxTotal.all('cac:TaxSubtotal').length === 0 ? own.taxes[0] : undefined;
  const group = unrated ?? (atMost(taxSlack, difference(sum, own.taxTotal)) ? undefined : only);
  if (!group) throw differ(taxTotal.first('cbc:TaxAmount'), 'cbc:TaxAmount', sum, own.taxTotal, 'the taxes', currency);
  const rest = (agreed.statedTaxes ?? []).filter((tax) => taxKey(tax) !== taxKey(group));
  const { taxCategory, taxRate } = group;
  return { ...agreed, statedTaxes: [...rest, { taxCategory, taxRate, amount: plus(group.tax, gap) }] };
}

function agreeOnTax(
  subtotal: XmlElement,
  totals: DocumentTotals,
  currency: string,
): NonNullable<DocumentContent['statedTaxes']> {
  const { taxCategory, taxRate } = readTax(subtotal.first('cac:TaxCategory'));
  const taxable = takeAmount(subtotal, 'cbc:TaxableAmount', currency);
  const amount = takeAmount(subtotal, 'cbc:TaxAmount', currency);
  const name =
    [taxCategory, taxRate === undefined ? undefined : `${taxRate}%`].filter(Boolean).join(' ') || 'without a category';
  // A category that is exempt may leave out its rate in one place and say 0 in the other.
  const group =
    totals.taxes.find((tax) => taxKey(tax) === taxKey({ taxCategory, taxRate })) ??
    totals.taxes.find((tax) => tax.taxCategory === taxCategory && sameAmount(tax.taxRate ?? '0', taxRate ?? '0'));
  if (!group) {
    if (taxable !== undefined && !sameAmount(taxable, '0')) {
      throw differ(
        subtotal.first('cbc:TaxableAmount'),
        `cbc:TaxableAmount for tax ${name}`,
        taxable,
        '0',
        'the lines with that tax',
        currency,
      );
    }
    return [];
  }
  if (taxable !== undefined && !sameAmount(taxable, group.taxable)) {
    throw differ(
      subtotal.first('cbc:TaxableAmount'),
      `cbc:TaxableAmount for tax ${name}`,
      taxable,
      group.taxable,
      'the lines, allowances and charges with that tax',
      currency,
    );
  }
  if (amount === undefined || sameAmount(amount, group.tax)) return [];
  if (atMost(taxSlack, difference(amount, group.tax))) {
    throw differ(
      subtotal.first('cbc:TaxAmount'),
      `cbc:TaxAmount for tax ${name}`,
      amount,
      group.tax,
      `the tax on ${group.taxable}`,
      currency,
    );
  }
  return [{ taxCategory: group.taxCategory, taxRate: group.taxRate, amount }];
}

function plus(a: string, b: string): string {
  return minus(a, minus('0', b));
}

function differ(
  element: XmlElement | undefined,
  name: string,
  stated: string,
  own: string,
  what: string,
  currency: string,
): ImportError {
  return new ImportError(
    'totals_differ',
    `The file states ${stated} ${currency} as ${name}, but ${what} come to ${own} ${currency}. Nothing was imported, because one of the two must be wrong: ask whoever made the file which.`,
    { line: element?.line },
  );
}
