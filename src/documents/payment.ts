import type { DocumentKind } from './document.ts';
import { asksForPayment } from './type-codes.ts';

/**
 * What an invoice asks of its reader: to pay, nothing, or that they have something coming to them. Null for a record that
 * asks nobody to pay.
 */
export type Payment = 'due' | 'nothing' | 'in_favour' | null;

/** What a record with this sum asks of its reader, see {@link Payment}. `payable` is a decimal string. */
export function paymentOf(
  record: { readonly kind: DocumentKind; readonly typeCode?: string | undefined },
  payable: string,
): Payment {
  if (!asksForPayment(record)) return null;
  if (!/[1-9]/.test(payable)) return 'nothing';
  return payable.startsWith('-') ? 'in_favour' : 'due';
}

/** The same amount without its sign, for words that say whose it is: `-123.00` → `123.00`. */
export function withoutSign(amount: string): string {
  return amount.replace(/^-/, '');
}
