import type { DocumentKind, DocumentStatus } from '../documents/document.ts';
import { formatDate, formatMoney, nameOf } from '../documents/format.ts';
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
  const named = nameOf(record);
  const amount = formatMoney(withoutSign(payable), currency, locale);
  const payment = paymentOf(record, payable);
  const isOver = record.status === 'paid';
  const [asks, date] = [kind === 'invoice', dateWords(record, locale)];
  const dated = asks || date === '' ? named : `${named}, ${date}`;
  // What an order comes to is for its paper: its supplier knows their own prices.
  if (kind === 'purchase_order') return `our ${dated}`;
  switch (payment) {
    case 'in_favour':
      return `${dated}. The amount of ${amount} ${isOver ? 'in your favour is settled' : 'is in your favour'}`;
    case 'against':
      return `${dated}. The amount of ${amount} ${isOver ? 'in our favour is settled' : 'is in our favour'}`;
    case 'nothing':
      return `${dated}. ${nothing[kind]}`;
    case 'due':
      if (isOver) return `${named} for ${amount}, which is paid`;
      return date === '' ? `${named} for ${amount}` : `${named} for ${amount}, ${date}`;
    case 'credit':
      return `${named} for ${amount}, ${isOver ? 'which is settled' : date}`;
    case 'sum':
      return asks || date === '' ? `${named} for ${amount}` : `${named} for ${amount}, ${date}`;
    default:
      return payment satisfies never;
  }
}

const nothing = {
  invoice: 'There is nothing to pay',
  credit_note: 'Nothing is credited',
  quote: 'It is free of charge',
} as const;

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
