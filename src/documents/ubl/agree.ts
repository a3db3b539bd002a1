import { minorDigits } from '../../platform/currencies.ts';
import { atMost, Decimal, difference, placesOf, sameAmount, sumOf, unsigned } from '../decimal.ts';
import type { DocumentContent, StatedSums } from '../document.ts';
import { computeTotals } from '../totals.ts';
import { differ } from './import-error.ts';
import { lineSlack, type ReadLine } from './line.ts';
import { addUp, type Reading } from './readings.ts';
import { readStatements, type Statements, takePlace } from './statements.ts';
import { agreeOnTaxes, assertBasesFit, assertTaxesFit, spreadUntaxed } from './taxes.ts';
import type { XmlElement } from './xml.ts';

/**
 * Tests a file by its own sums, and takes what it states wherever its statements agree with each other within the rounding
 * of its currency. It is not added up by one norm: UBL's dialects count third parties' claims, rounding, allowances and
 * withheld taxes at different places (see `readings.ts`), and each is right in its own terms.
 *
 * - Lines: the net amount is the file's own statement (BT-131; EN 16931 has no rule that it be quantity × price). Peppol BIS
 *   Billing 3 has that rule (R120), with a slack of 0.02, so a file that says it follows it is held to it.
 * - Taxes: see `taxes.ts`.
 * - Sums: a way must be found from the lines to what is to pay.
 *
 * @returns the content with the file's own numbers where ours differ, and the sums that the file declares
 * Throws `totals_differ`, naming both numbers.
 */
export function agreeOnTotals(
  content: DocumentContent,
  lines: readonly ReadLine[],
  root: XmlElement,
): { content: DocumentContent; declared: Record<string, string> } {
  const statements = readStatements(root, content.currency);
  const withLines: DocumentContent = {
    ...content,
    ...digitsOf(statements, content.currency),
    lines: agreeOnLines(content, lines, followsPeppol(root)),
  };
  const taxed = spreadUntaxed(withLines, statements);
  assertTaxesFit(taxed, statements);
  const reading = addUp(taxed, lines, statements);
  // Where a line is under several taxes (Malaysia's), its one rate says nothing of what each is on.
  if (!lines.some(({ element }) => element.all('cac:Item/cac:ClassifiedTaxCategory').length > 1))
    assertBasesFit(reading.content, statements);
  const agreed = withStatedSums(agreeOnTaxes(reading.content, statements, reading), statements, reading);
  if (reading.usesPayments) takePlace(root, 'cac:PrepaidPayment', ['cbc:PaidAmount', 'cbc:ID']);
  if (reading.usesWithheld) takePlace(root, 'cac:WithholdingTaxTotal', ['cbc:TaxAmount']);
  return { content: agreed, declared: declaredSums(statements) };
}

/** Peppol BIS Billing 3, whose R120 is about lines; older and other profiles of Peppol know no such rule. */
function followsPeppol(root: XmlElement): boolean {
  return /:poacc:billing:3/.test(root.first('cbc:CustomizationID')?.text ?? '');
}

/** Never fewer digits than the file's sums have. */
function digitsOf({ sums, taxes }: Statements, currency: string): { digits?: number } {
  const stated = [...Object.values(sums), ...taxes.flatMap(({ amount }) => (amount === undefined ? [] : [amount]))];
  const most = Math.max(0, ...stated.map(placesOf));
  return most > minorDigits(currency) ? { digits: most } : {};
}

function agreeOnLines(content: DocumentContent, lines: readonly ReadLine[], strict: boolean): DocumentContent['lines'] {
  const totals = computeTotals(content);
  const unit = new Decimal(10).pow(-minorDigits(content.currency)).toFixed();
  const slack = atMost(unit, lineSlack) ? lineSlack : unit;
  return content.lines.map((line, index) => {
    const read = lines[index];
    const own = totals.lines[index]?.net;
    if (read?.declaredNet === undefined || own === undefined || sameAmount(read.declaredNet, own)) return line;
    if (strict && !atMost(difference(read.declaredNet, own), slack)) {
      throw differ(
        read.element.first('cbc:LineExtensionAmount'),
        `cbc:LineExtensionAmount of line ${line.id ?? index + 1}`,
        read.declaredNet,
        own,
        'quantity × price, less allowances, plus charges,',
        content.currency,
      );
    }
    return { ...line, statedNet: read.declaredNet };
  });
}

/** The stated sums that ours, added up from everything else that the file states, do not come to. */
function withStatedSums(content: DocumentContent, { sums }: Statements, reading: Reading): DocumentContent {
  const stated: { -readonly [Name in keyof StatedSums]: StatedSums[Name] } = {};
  const wanted: [keyof StatedSums, string | undefined][] = [
    ['lineTotal', reading.lineTotalStands ? sums.LineExtensionAmount : undefined],
    ['taxTotal', reading.taxTotal],
    ['taxExclusive', reading.taxExclusiveStands ? sums.TaxExclusiveAmount : undefined],
    ['taxInclusive', reading.taxInclusiveStands ? sums.TaxInclusiveAmount : undefined],
    ['payable', sums.PayableAmount],
  ];
  for (const [name, sum] of wanted) {
    if (sum === undefined) continue;
    if (!sameAmount(sum, computeTotals({ ...content, statedSums: stated })[name])) stated[name] = sum;
  }
  return Object.keys(stated).length > 0 ? { ...content, statedSums: stated } : content;
}

function declaredSums({ sums, taxes }: Statements): Record<string, string> {
  const [first] = taxes;
  const tax = taxes.length > 1 ? unsigned(sumOf(taxes.map(({ amount }) => amount ?? '0')).toFixed()) : first?.amount;
  return { ...(tax === undefined ? {} : { TaxAmount: tax }), ...sums };
}
