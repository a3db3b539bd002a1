import type { DocumentKind } from './document.ts';
import type { Payment } from './payment.ts';

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

/** What the last sum is called: an amount is due only where somebody is asked to pay it, and a negative one is theirs. */
export function payableWord(kind: DocumentKind, payment: Payment, whose: 'your' | 'the customer’s'): string {
  switch (payment) {
    case 'due':
      return kind === 'invoice' ? 'Amount due' : kind === 'credit_note' ? 'Total credit' : sumWords.total;
    case 'nothing':
      return 'Nothing to pay';
    case 'in_favour':
      return `Amount in ${whose} favour`;
    case null:
      return kind === 'credit_note' ? 'Total credit' : sumWords.total;
    default:
      return payment satisfies never;
  }
}

/** What the tax on sales is called where the company is. */
export function taxWordOf(country: string | undefined): string {
  if (country === undefined || country === 'US') return 'Tax';
  return ['AU', 'NZ', 'SG', 'IN', 'CA', 'MY'].includes(country) ? 'GST' : 'VAT';
}
