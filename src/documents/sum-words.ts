import type { DocumentKind, DocumentStatus } from './document.ts';
import { formatMoney } from './format.ts';
import { type PayableRecord, type Payment, paymentOf, withoutSign } from './payment.ts';

/**
 * What each sum of a record is called: on its form, its page, in lists, on its paper and in what is said of changes. One
 * word for one sum, wherever it stands.
 */
export const sumWords = {
  /** Of a line: quantity times price, less its discounts, without tax. */
  lineNet: 'Net',
  /** All lines together, before what the whole record is less or more by. */
  subtotal: 'Subtotal',
  discount: 'Discount',
  discounts: 'Discounts',
  charge: 'Charge',
  charges: 'Charges',
  /** Everything without tax. */
  net: 'Net',
  /** Everything with tax. */
  total: 'Total',
  paid: 'Already paid',
  rounding: 'Rounding',
} as const;

/** Who reads: the other side, of a paper or an email, or the company itself, of a page. */
export type Reader = 'party' | 'company';

/** What the last sum is called: an amount is due only where somebody is asked to pay it, and of a negative one it is said whose it is. */
export function payableWord(kind: DocumentKind, payment: Payment, reader: Reader): string {
  switch (payment) {
    case 'due':
      return 'Amount due';
    case 'credit':
      return 'Total credit';
    case 'sum':
      return sumWords.total;
    case 'nothing':
      return nothingWords[kind];
    case 'in_favour':
      return `Amount in ${reader === 'party' ? 'your' : `the ${otherSide[kind]}’s`} favour`;
    case 'against':
      return `Amount in ${reader === 'party' ? 'our' : 'your'} favour`;
    default:
      return payment satisfies never;
  }
}

const nothingWords: Record<DocumentKind, string> = {
  invoice: 'Nothing to pay',
  credit_note: 'Nothing credited',
  quote: 'Free of charge',
  purchase_order: 'Free of charge',
};

const zeroWords: Record<DocumentKind, string> = {
  invoice: 'there is nothing to pay, and its email says so',
  credit_note: 'nothing is credited, and its email says so',
  quote: 'it is free of charge, and its email says so',
  purchase_order: 'it is free of charge',
};

const otherSide: Record<DocumentKind, string> = {
  invoice: 'customer',
  credit_note: 'customer',
  quote: 'customer',
  purchase_order: 'supplier',
};

/** What stands beside a sum in a list, to the company, where the figure alone would be taken for another; `''` elsewhere. */
export function sumNote(record: PayableRecord, payable: string): string {
  const payment = paymentOf(record, payable);
  if (payment === 'in_favour') return 'in their favour';
  if (payment === 'against') return 'in your favour';
  return payment === 'nothing' ? nothingWords[record.kind].toLowerCase() : '';
}

/** A record with its sum. */
export interface SummedRecord extends PayableRecord {
  readonly payable: string;
  readonly currency: string;
}

/** The sum within a sentence, to the company: `€123.00`, `€123.00 in their favour`. */
export function sumOf(record: SummedRecord, locale: string): string {
  const { payable, currency } = record;
  const note = sumNote(record, payable);
  const isNegative = payable.startsWith('-') && note !== '';
  const amount = formatMoney(isNegative ? withoutSign(payable) : payable, currency, locale);
  return note === '' ? amount : isNegative ? `${amount} ${note}` : `${amount}, ${note}`;
}

/**
 * What a page says of a sum that is negative or nothing: what it means, and what to write instead; `''` elsewhere.
 *
 * @param amount the sum without its sign, written out
 * @param instead as `kindInstead` says it
 */
export function sumNotice(
  record: PayableRecord & { readonly status?: DocumentStatus | undefined },
  payable: string,
  amount: string,
  instead: 'invoice' | 'credit_note' | null,
): string {
  const payment = paymentOf(record, payable);
  const other = otherSide[record.kind];
  const isOver = record.status === 'paid';
  switch (payment) {
    case 'nothing':
      return `The total is zero: ${zeroWords[record.kind]}.`;
    case 'in_favour':
      if (isOver) return `The total is negative: the ${other} had ${amount} coming to them. That is settled.`;
      return `The total is negative: the ${other} has ${amount} coming to them.${instead ? ' That is what a credit note is for.' : ''}`;
    case 'against':
      if (isOver) return `The total is negative: you had ${amount} coming to you. That is settled.`;
      return `The total is negative: you have ${amount} coming to you.${instead ? ' That is what an invoice is for.' : ''}`;
    case 'due':
    case 'credit':
    case 'sum':
      return '';
    default:
      return payment satisfies never;
  }
}

/** What the tax on sales is called where the company is. */
export function taxWordOf(country: string | undefined): string {
  if (country === undefined || country === 'US') return 'Tax';
  return ['AU', 'NZ', 'SG', 'IN', 'CA', 'MY'].includes(country) ? 'GST' : 'VAT';
}
