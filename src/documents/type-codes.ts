import type { DocumentKind } from './document.ts';

/** What a document type code says of an invoice or credit note. */
export interface TypeCode {
  /** As it is printed: UNTDID's name, or the usual one where that is for specialists. */
  readonly title: string;
  /** What it is to us, whatever document it stands in. */
  readonly kind: 'invoice' | 'credit_note';
  /** The customer writes it, in the name of the supplier. */
  readonly selfBilled?: true;
  /** It asks for no payment. */
  readonly asksNothing?: true;
}

const invoice = (title: string, more: Partial<TypeCode> = {}): TypeCode => ({ title, kind: 'invoice', ...more });
const credit = (title: string, more: Partial<TypeCode> = {}): TypeCode => ({ title, kind: 'credit_note', ...more });
const selfBilled = { selfBilled: true } as const;
const asksNothing = { asksNothing: true } as const;

/**
 * UN/CEFACT's code list UNTDID 1001, as far as EN 16931 admits its codes for invoices and credit notes (BT-3; code lists of
 * the European Commission's validators, and names of D.16B and D.23A), and what else stands in UBL invoices in practice.
 */
const typeCodes = new Map<string, TypeCode>([
  ['71', invoice('Request for payment')],
  ['80', invoice('Debit note')],
  ['81', credit('Credit note')],
  ['82', invoice('Metered services invoice')],
  ['83', credit('Credit note')],
  ['84', invoice('Debit note')],
  ['102', invoice('Tax notification')],
  ['130', invoice('Invoicing data sheet', asksNothing)],
  ['202', invoice('Direct payment valuation')],
  ['203', invoice('Provisional payment valuation')],
  ['204', invoice('Payment valuation')],
  ['211', invoice('Interim application for payment')],
  ['218', invoice('Final payment request')],
  ['219', invoice('Payment request for completed units')],
  ['261', credit('Self-billed credit note', selfBilled)],
  ['262', credit('Consolidated credit note')],
  ['295', invoice('Price variation invoice')],
  ['296', credit('Credit note for price variation')],
  ['308', credit('Delcredere credit note')],
  ['325', invoice('Pro-forma invoice', asksNothing)],
  ['326', invoice('Partial invoice')],
  ['331', invoice('Invoice with packing list')],
  ['380', invoice('Invoice')],
  ['381', credit('Credit note')],
  ['382', invoice('Commission note')],
  ['383', invoice('Debit note')],
  ['384', invoice('Corrected invoice')],
  ['385', invoice('Consolidated invoice')],
  ['386', invoice('Prepayment invoice')],
  ['387', invoice('Hire invoice')],
  ['388', invoice('Tax invoice')],
  ['389', invoice('Self-billed invoice', selfBilled)],
  ['390', invoice('Delcredere invoice')],
  ['393', invoice('Factored invoice')],
  ['394', invoice('Lease invoice')],
  ['395', invoice('Consignment invoice')],
  ['396', credit('Factored credit note')],
  ['420', credit('Credit note')],
  ['456', invoice('Debit advice')],
  ['457', credit('Reversal of debit')],
  ['458', credit('Reversal of credit')],
  ['471', invoice('Self-billed corrected invoice', selfBilled)],
  ['472', invoice('Factored corrected invoice')],
  ['473', invoice('Self-billed factored corrected invoice', selfBilled)],
  ['500', invoice('Self-billed prepayment invoice', selfBilled)],
  ['501', invoice('Self-billed factored invoice', selfBilled)],
  ['502', credit('Self-billed factored credit note', selfBilled)],
  ['503', credit('Prepayment credit note')],
  ['527', invoice('Self-billed debit note', selfBilled)],
  ['532', credit('Forwarder’s credit note')],
  ['553', invoice('Forwarder’s invoice discrepancy report', asksNothing)],
  ['575', invoice('Insurer’s invoice')],
  ['623', invoice('Forwarder’s invoice')],
  ['633', invoice('Port charges')],
  ['751', invoice('Invoice information for accounting', asksNothing)],
  ['780', invoice('Freight invoice')],
  ['817', invoice('Claim notification')],
  ['870', invoice('Consular invoice', asksNothing)],
  ['875', invoice('Partial construction invoice')],
  ['876', invoice('Partial final construction invoice')],
  ['877', invoice('Final construction invoice')],
  ['935', invoice('Customs invoice', asksNothing)],
]);

/** What a code means, or undefined where the list has none of it. */
export function typeCodeOf(code: string | undefined): TypeCode | undefined {
  return code === undefined ? undefined : typeCodes.get(code);
}

/** Whether the reader of a record is asked to pay: of an invoice, unless its type is one that asks for nothing or that we pay. */
export function asksForPayment(record: {
  readonly kind: DocumentKind;
  readonly typeCode?: string | undefined;
}): boolean {
  const type = typeCodeOf(record.typeCode);
  return record.kind === 'invoice' && !type?.asksNothing && !type?.selfBilled;
}
