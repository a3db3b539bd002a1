import type { DocumentKind, DocumentStatus } from './document.ts';
import { asksForPayment, typeCodeOf } from './type-codes.ts';

/**
 * What a record's last sum means between the company and the other side: it asks them to pay (`due`), credits them
 * (`credit`), says what something comes to (`sum`), comes to `nothing`, or is negative: then it is money that the other side
 * has coming to them (`in_favour`), or that we have (`against`).
 */
export type Payment = 'due' | 'credit' | 'sum' | 'nothing' | 'in_favour' | 'against';

/** As far as {@link paymentOf} goes by a record. */
export interface PayableRecord {
  readonly kind: DocumentKind;
  /** UNTDID 1001, where an imported file gives it. */
  readonly typeCode?: string | null | undefined;
}

/** What a record with this sum means, see {@link Payment}. `payable` is a decimal string. */
export function paymentOf({ kind, typeCode: code }: PayableRecord, payable: string): Payment {
  const typeCode = code ?? undefined;
  if (!/[1-9]/.test(payable)) return 'nothing';
  if (payable.startsWith('-')) return weOwe(kind, typeCode) ? 'against' : 'in_favour';
  if (kind === 'credit_note') return 'credit';
  return asksForPayment({ kind, typeCode }) ? 'due' : 'sum';
}

/** Whether a positive sum is the company's to pay: of an order, of what it credits, and of what it bills itself for. */
function weOwe(kind: DocumentKind, typeCode: string | undefined): boolean {
  const isOurs = kind === 'purchase_order' || kind === 'credit_note';
  return typeCodeOf(typeCode)?.selfBilled ? !isOurs : isOurs;
}

/** Whether nobody is to pay by any day: the sum is nothing, or the reader has it coming to them. */
export function asksNobody(payment: Payment): boolean {
  return payment === 'nothing' || payment === 'in_favour';
}

/**
 * What `paid` means of a record: only what asked for money, or came to some, is paid; anything else is settled.
 *
 * @param payable where it is not at hand, the record is taken for one that comes to something
 */
export function paidWord(record: PayableRecord, payable = '1'): 'paid' | 'settled' {
  const payment = paymentOf(record, payable);
  return payment === 'due' || payment === 'sum' ? 'paid' : 'settled';
}

/**
 * Whether a record should be one of the other kind: an invoice of a negative total is a credit note, and the other way
 * round. Not where the total is positive and more than that was paid before, nor once it is over.
 *
 * @param sums `total` with tax, before what was paid already
 */
export function kindInstead(
  record: PayableRecord & { readonly status?: DocumentStatus | undefined },
  sums: { readonly payable: string; readonly total: string },
): 'invoice' | 'credit_note' | null {
  if (record.status === 'paid' || record.status === 'cancelled') return null;
  if (
    !sums.payable.startsWith('-') ||
    !sums.total.startsWith('-') ||
    typeCodeOf(record.typeCode ?? undefined)?.selfBilled
  )
    return null;
  if (record.kind === 'credit_note') return 'invoice';
  return asksForPayment({ kind: record.kind, typeCode: record.typeCode ?? undefined }) ? 'credit_note' : null;
}

/** The same amount without its sign, for words that say whose it is: `-123.00` → `123.00`. */
export function withoutSign(amount: string): string {
  return amount.replace(/^-/, '');
}
