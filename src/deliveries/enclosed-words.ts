import type { DocumentKind, DocumentStatus } from '../documents/document.ts';
import { formatDate, formatMoney, wordsOf } from '../documents/format.ts';
import { paymentOf, withoutSign } from '../documents/payment.ts';

/** A record, as far as the words about it in an email go. */
export interface Enclosed {
  readonly kind: DocumentKind;
  /** UNTDID 1001, where an imported file gives it. */
  readonly typeCode?: string | undefined;
  readonly status: DocumentStatus;
  readonly number: string;
  readonly currency: string;
  readonly payable: string;
  readonly issueDate: string;
  readonly dueDate?: string | null | undefined;
  readonly validUntil?: string | null | undefined;
  readonly deliveryDate?: string | null | undefined;
}

/**
 * What an email says is attached, after “please find attached”: the record, its amount and the date that its reader goes by. A
 * single email and a run say the same. Nobody is asked for what is paid, for nothing, or for what they have coming to them.
 */
export function enclosedWords(record: Enclosed, locale: string): string {
  const { kind, currency, payable } = record;
  const named = `${wordsOf(record).lower} ${record.number}`;
  const amount = formatMoney(withoutSign(payable), currency, locale);
  const payment = paymentOf(record, payable);
  if (payment === 'in_favour') return `${named}. The amount of ${amount} is in your favour`;
  if (payment === 'nothing') return `${named}. There is nothing to pay`;
  const what = kind === 'purchase_order' ? `our ${named}` : `${named} for ${formatMoney(payable, currency, locale)}`;
  if (payment === 'due' && record.status === 'paid') return `${what}, which is paid`;
  const date = kind !== 'invoice' || payment === 'due' ? dateWords(record, locale) : '';
  return date === '' ? what : `${what}, ${date}`;
}

/** The date that its reader goes by; `''` where the record has none. */
function dateWords({ kind, ...dates }: Enclosed, locale: string): string {
  const said = (words: string, date: string | null | undefined) => (date ? `${words} ${formatDate(date, locale)}` : '');
  switch (kind) {
    case 'invoice':
      return said('due on', dates.dueDate);
    case 'credit_note':
      return said('dated', dates.issueDate);
    case 'quote':
      return said('valid until', dates.validUntil);
    case 'purchase_order':
      return said('for delivery on', dates.deliveryDate);
    default:
      return kind satisfies never;
  }
}
