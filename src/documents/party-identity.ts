import { addressKey } from '../platform/address.ts';
import { parseAddresses } from '../platform/address-list.ts';
import { oneLine } from '../platform/plain-text.ts';
import type { PartyDetails } from './document.ts';
import { compareTaxNumbers, taxNumberKeys } from './tax-number.ts';

/** What shows that two parties are one, the surest first. A name alone is not among them. */
export const proofs = ['tax', 'endpoint', 'email', 'place'] as const;
/** One of {@link proofs}. */
export type Proof = (typeof proofs)[number];

/**
 * What shows that two descriptions are of one party, or null where nothing does: the tax number, else the electronic
 * address (for e-invoices), else all the email addresses of one, else name and postal address together. Two tax
 * numbers, or two electronic addresses of one scheme, are two parties whatever else they share. Pure.
 */
export function sameParty(a: PartyDetails, b: PartyDetails): Proof | null {
  const tax = compareTaxNumbers(a, b);
  if (tax !== 'unsaid') return tax === 'same' ? 'tax' : null;
  const [endpointA, endpointB] = [endpointKey(a), endpointKey(b)];
  if (endpointA !== undefined && endpointA === endpointB) return 'endpoint';
  if (endpointA !== undefined && endpointB !== undefined && schemeOf(endpointA) === schemeOf(endpointB)) return null;
  const [emailsA, emailsB] = [emailKeys(a), emailKeys(b)];
  // Of several addresses one may be the accountant's, who has other customers: one list must hold the other.
  if (emailsA.length > 0 && emailsB.length > 0 && (within(emailsA, emailsB) || within(emailsB, emailsA)))
    return 'email';
  const place = placeKey(a);
  return place !== undefined && place === placeKey(b) ? 'place' : null;
}

/** A name without what people write one way or the other: case, accents, points, blanks. */
export function foldName(name: string): string {
  const plain = oneLine(name).normalize('NFKD').replaceAll(/\p{M}/gu, '').toUpperCase().toLowerCase();
  const words = plain.replaceAll(/[^\p{L}\p{N}]+/gu, ' ').trim();
  return words === '' ? plain.trim() : words;
}

/**
 * Under what a party is found: everything that {@link sameParty} compares, and its folded name for those that may be
 * the same. Each begins with what it is: `tax:DE111111111`.
 */
export function identityKeys(details: PartyDetails): string[] {
  const place = placeKey(details);
  const keys = [
    ...taxNumberKeys(details).map((key) => `tax:${key}`),
    ...[endpointKey(details)].map((key) => key && `endpoint:${key}`),
    ...emailKeys(details).map((key) => `email:${key}`),
    place && `place:${place}`,
    `name:${foldName(details.name)}`,
  ];
  return keys.flatMap((key) => key || []);
}

function endpointKey({ endpoint }: PartyDetails): string | undefined {
  const plain = oneLine((endpoint ?? '').normalize('NFKC'));
  return plain.replaceAll(/\s/g, '').toLowerCase() || undefined;
}

function schemeOf(endpoint: string): string {
  return endpoint.slice(0, endpoint.indexOf(':'));
}

function emailKeys({ email }: PartyDetails): string[] {
  return parseAddresses(email ?? '').addresses.map((address) => addressKey(address.email));
}

/** Undefined where there is no street and no postal code: a city is no address. */
function placeKey({ name, street, extraStreet, postalCode, city, country }: PartyDetails): string | undefined {
  if (!street && !postalCode) return undefined;
  const parts = [name, street, extraStreet, postalCode?.replaceAll(/\s/g, ''), city].map((part) =>
    foldName(part ?? ''),
  );
  return [...parts, country ?? ''].join('|');
}

function within(some: readonly string[], all: readonly string[]): boolean {
  return some.every((each) => all.includes(each));
}
