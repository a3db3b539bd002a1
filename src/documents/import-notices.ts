import { addressProblem, parseAddresses } from '../platform/address-list.ts';
import type { DocumentContent, Extra } from './document.ts';
import { typeCodeOf } from './type-codes.ts';

/**
 * What whoever imported a file should look at before its record is sent, in words: a type that nobody knows, an address in it
 * that cannot be read and so was not taken, and a due date before the date.
 */
export function importNotices(content: DocumentContent): string[] {
  const { dueDate, issueDate } = content;
  const early = dueDate !== undefined && dueDate < issueDate;
  return [
    ...unknownType(content),
    ...unreadAddresses(content),
    ...(early ? ['Its due date lies before its date. Check both.'] : []),
  ];
}

/** A type code that UNTDID 1001 does not have is kept as an extra, see `read-ubl.ts`. */
function unknownType({ kind, extras }: DocumentContent): string[] {
  return extras
    .filter(({ path }) => /^cbc:(?:Invoice|CreditNote)TypeCode$/.test(path))
    .map(({ value }) => {
      const taken = kind === 'credit_note' ? 'a credit note' : 'an invoice';
      return `The file gives the type “${value}”, which there is not. It was taken for ${taken}: check that it is one.`;
    });
}

function unreadAddresses({ kind, typeCode, party, extras }: DocumentContent): string[] {
  if (party.email !== undefined) return [];
  const invoiced = typeCodeOf(typeCode)?.selfBilled ? 'cac:AccountingSupplierParty' : 'cac:AccountingCustomerParty';
  const theirs = `${kind === 'purchase_order' ? 'cac:SellerSupplierParty' : invoiced}/`;
  return extras
    .filter((extra) => extra.path.startsWith(theirs) && isEmail(extra))
    .flatMap(({ value }) => parseAddresses(value).unreadable.slice(0, 1))
    .map((unread) => `No email address was taken from the file. ${addressProblem(unread)}`);
}

function isEmail({ path, attributes }: Extra): boolean {
  if (path.endsWith('/cac:Contact/cbc:ElectronicMail')) return true;
  return path.endsWith('/cbc:EndpointID') && attributes?.['schemeID']?.trim().toUpperCase() === 'EM';
}
