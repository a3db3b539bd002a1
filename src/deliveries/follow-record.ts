import { formatDate, formatMoney } from '../documents/format.ts';
import { readersLocale } from '../documents/locale.ts';
import type { DocumentRecord } from '../documents/store.ts';

/** What of a record is written in the text of its email, and became another. */
export interface ReplacedValue {
  readonly from: string;
  readonly to: string;
}

/**
 * A text with the values that it took from a record as they are now: number, sum, dates, references. Each only where it
 * stands by itself, exactly as it was written. What a person wrote besides stays.
 *
 * @param locale the company's own, BCP 47
 * @returns the text, and what was replaced in it
 */
export function followRecord(
  text: string,
  before: DocumentRecord,
  after: DocumentRecord,
  locale: string,
): { readonly text: string; readonly replaced: readonly ReplacedValue[] } {
  const changes = changesOf(valuesOf(before, locale), valuesOf(after, locale));
  if (changes.size === 0) return { text, replaced: [] };
  const longestFirst = [...changes.keys()].sort((a, b) => b.length - a.length).map(literally);
  const replaced = new Map<string, ReplacedValue>();
  const pattern = new RegExp(
    `(?<![\\p{L}\\p{N}]|[\\p{N}][.,'’])(?:${longestFirst.join('|')})(?![\\p{L}\\p{N}]|[.,'’]\\p{N})`,
    'gu',
  );
  const followed = text.replace(pattern, (from) => {
    const to = changes.get(from) ?? from;
    replaced.set(from, { from, to });
    return to;
  });
  return { text: followed, replaced: [...replaced.values()] };
}

/** The values as they are written in emails; the first of two that are written alike counts. */
function valuesOf({ content, payable, currency }: DocumentRecord, own: string): (string | undefined)[] {
  const locale = readersLocale(content.party, own);
  const day = (date: string | undefined) => date && formatDate(date, locale);
  return [
    formatMoney(payable, currency, locale),
    content.number,
    ...[day(content.dueDate), day(content.validUntil), day(content.deliveryDate), day(content.issueDate)],
    ...[content.reference, content.orderReference, content.invoiceReference, content.party.contactName],
    content.party.name,
  ];
}

function changesOf(
  before: readonly (string | undefined)[],
  after: readonly (string | undefined)[],
): Map<string, string> {
  const changes = new Map<string, string>();
  before.forEach((from, index) => {
    const to = after[index];
    if (from && to && !changes.has(from)) changes.set(from, to);
  });
  for (const [from, to] of changes) if (from === to) changes.delete(from);
  return changes;
}

/** A pattern that matches this text and nothing else. */
function literally(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
