import { z } from 'zod';
import type { PartyDetails } from '../documents/document.ts';
import { compareTaxNumbers } from '../documents/tax-number.ts';
import { type Address, addressSchema, fittingName, formatAddresses } from '../platform/address.ts';
import { addressProblem, parseAddresses, withoutRepeats } from '../platform/address-list.ts';

/** Who an email goes to. */
export const recipientsSchema = z.object({
  to: z.array(addressSchema),
  cc: z.array(addressSchema),
  bcc: z.array(addressSchema),
});
/** See {@link recipientsSchema}. */
export type Recipients = z.infer<typeof recipientsSchema>;

/** Gmail's lower documented limit for one message sent through the API. */
export const maxRecipients = 100;

/** The three fields in which recipients are typed. */
export const recipientFields = ['to', 'cc', 'bcc'] as const;
/** One of {@link recipientFields}. */
export type RecipientField = (typeof recipientFields)[number];

/**
 * Reads the recipients that somebody typed. Each address gets the email once, in the first field that names it.
 *
 * @returns the recipients, and what is wrong: every text that is no address is named with its field
 */
export function readRecipients(typed: Readonly<Record<RecipientField, string>>): {
  readonly recipients: Recipients;
  readonly problems: { field: RecipientField; message: string }[];
} {
  const problems: { field: RecipientField; message: string }[] = [];
  const known = new Set<string>();
  const read = (field: RecipientField) => {
    const { addresses, unreadable } = parseAddresses(typed[field]);
    for (const piece of unreadable.slice(0, 5)) problems.push({ field, message: addressProblem(piece) });
    return withoutRepeats(addresses, known);
  };
  const recipients = { to: read('to'), cc: read('cc'), bcc: read('bcc') };
  if (recipients.to.length === 0 && !problems.some(({ field }) => field === 'to'))
    problems.push({ field: 'to', message: 'Write whom it goes to.' });
  if (known.size > maxRecipients)
    problems.push({
      field: 'to',
      message: `Gmail takes ${maxRecipients} recipients at most; these are ${known.size}.`,
    });
  return { recipients, problems };
}

/** Whom a record goes to, before anybody types anything. */
export type Addressee =
  | { readonly kind: 'addresses'; readonly to: Address[]; readonly contact: string }
  | { readonly kind: 'no_address'; readonly contact: string }
  /** `email` is what stands there, and is not to be sent to as it is. */
  | ({ readonly kind: 'bad_address'; readonly contact: string } & BadAddress);

/** What stands where an address should, what is wrong with it, and where it stands. */
export interface BadAddress {
  readonly email: string;
  readonly problem: string;
  readonly of: 'record' | 'contact';
}

/** What of a party decides whom its records go to. */
export type AddresseeDetails = Pick<PartyDetails, 'name'> & {
  readonly [Field in 'contactName' | 'email' | 'taxId' | 'country']?: string | null | undefined;
};

/**
 * Decides whom a record goes to: the addresses on the record, or else those of the contact it belongs to. The one place
 * for this, for a single email and for a run. Pure.
 *
 * @param printed the party as it is printed on the record
 * @param contact the contact of the record
 */
export function addresseeOf(printed: AddresseeDetails, contact: Omit<AddresseeDetails, 'name'> | undefined): Addressee {
  const own = printed.email?.trim() ?? '';
  const kept = own === '' && contact && !contradict(printed, contact) ? contact : undefined;
  const email = own || (kept?.email?.trim() ?? '');
  const person = printed.contactName || kept?.contactName || printed.name;
  if (email === '') return { kind: 'no_address', contact: person };
  const { recipients, problems } = readRecipients({ to: email, cc: '', bcc: '' });
  const { to } = recipients;
  const [problem] = problems;
  const [first] = to;
  if (problem || !first) {
    const of = own === '' ? 'contact' : 'record';
    return { kind: 'bad_address', contact: person, email, problem: problem?.message ?? '', of };
  }
  // Of several, nobody can tell which one is the contact person’s.
  if (to.length === 1 && first.name === '')
    return { kind: 'addresses', contact: person, to: [{ ...first, name: fittingName(person, first.email) }] };
  return { kind: 'addresses', contact: person, to };
}

/** The same as a page fills it in: what is wrong stands there to be corrected. */
export function filledInTo(addressee: Addressee): string {
  switch (addressee.kind) {
    case 'addresses':
      return formatAddresses(addressee.to);
    case 'bad_address':
      return addressee.email;
    case 'no_address':
      return '';
    default:
      return addressee satisfies never;
  }
}

/** Two tax numbers are two companies, whatever once brought the record to this contact. */
function contradict(printed: AddresseeDetails, contact: Omit<AddresseeDetails, 'name'>): boolean {
  return compareTaxNumbers(printed, contact) === 'different';
}
