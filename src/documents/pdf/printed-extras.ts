import type { DocumentContent, DocumentLine, Extra } from '../document.ts';
import { extraText } from '../format.ts';

/**
 * What of an imported file speaks to machines, or repeats what stands elsewhere on the page: the page of the record
 * shows it, the paper does not. Ourselves are the company at the head.
 */
const notForPaper = [
  /CustomizationID$/,
  /ProfileID$/,
  /ProfileExecutionID$/,
  /UBLVersionID$/,
  /EndpointID$/,
  /TypeCode$/,
  /ReasonCode$/,
  /PaymentMeansCode$/,
  /TaxCurrencyCode$/,
  /TaxScheme\/cbc:ID$/,
  /EmbeddedDocumentBinaryObject/,
  /@/,
  /^(cac:AccountingSupplierParty|cac:BuyerCustomerParty)\b/,
  /^ext:/,
  /^cac:Signature\b/,
  /cac:Price\/cac:AllowanceCharge/,
  /ItemClassificationCode$/,
];

function isPrinted(extra: Extra): boolean {
  return !notForPaper.some((pattern) => pattern.test(extra.path));
}

/** The record's printed extras, gathered under their first word: `Delivery: Delivery street 2, Stockholm, …`. */
export function furtherDetails(content: DocumentContent): { label: string; value: string }[] {
  const groups = new Map<string, string[]>();
  for (const extra of content.extras.filter(isPrinted)) {
    const [first = '', ...rest] = extra.label.split(' › ');
    const value = saidWithItself(extra)
      ? extraText(extra)
      : [wordsOf(rest), extraText(extra)].filter(Boolean).join(' ');
    const group = groups.get(first);
    if (group) group.push(value);
    else groups.set(first, [value]);
  }
  return [...groups].map(([label, values]) => ({ label, value: values.join(' · ') }));
}

/** A line's printed extras in one small paragraph. */
export function lineDetails(line: DocumentLine): string[] {
  const printed = line.extras
    .filter(isPrinted)
    .map((extra) => `${wordsOf(extra.label.split(' › '))}: ${extraText(extra)}`);
  return printed.length > 0 ? [printed.join(' · ')] : [];
}

/** The last words of a label; "ID" alone says no more than the value does. */
function wordsOf(labels: readonly string[]): string {
  const said = labels.filter((label) => label !== 'ID');
  return (said.length > 0 ? said : labels.length > 1 ? labels.slice(0, 1) : []).slice(-2).join(', ');
}

/** A street or a name needs no word before it. */
function saidWithItself(extra: Extra): boolean {
  return /Address\/|PartyName\/|Contact\/|cbc:Note$/.test(extra.path);
}
