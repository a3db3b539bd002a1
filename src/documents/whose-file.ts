import { addressKey } from '../platform/address.ts';
import { foldName } from './party-identity.ts';
import { compareTaxNumbers, foldTaxNumber, taxNumberKeys } from './tax-number.ts';
import type { Identity } from './ubl/identity.ts';

/** By what a company can be told in a file. */
export interface OwnIdentity {
  readonly name: string;
  readonly taxId: string | null;
  readonly email: string | null;
}

/** Whether a party of a file is the company. `unsaid`: the file does not name the party at all. */
export type Whose = 'ours' | 'theirs' | 'unsaid';

/**
 * Tells whether a party of a file is the company, by the first of these that speaks on both sides:
 *
 * 1. its tax number: equal or not, with or without its country before it;
 * 2. its electronic address or another number of its own, where one is the company's tax number or email;
 * 3. its name, without case, accents, punctuation and the words for its legal form.
 */
export function whoseIs(party: Identity, own: OwnIdentity): Whose {
  const taxId = foldTaxNumber(own.taxId ?? '');
  const taxIds = party.taxIds.map(foldTaxNumber).filter((id) => id !== '');
  if (taxId !== '' && taxIds.length > 0) return taxIds.some((id) => sameNumber(id, taxId)) ? 'ours' : 'theirs';

  const email = own.email && addressKey(own.email.trim());
  const isOwn = (endpoint: string): boolean => {
    const value = endpoint.slice(endpoint.indexOf(':') + 1).trim();
    if (email && addressKey(value) === email) return true;
    return taxId !== '' && sameNumber(foldTaxNumber(value), taxId);
  };
  if (party.endpoints.some(isOwn)) return 'ours';

  if (party.names.length === 0) return taxIds.length + party.endpoints.length === 0 ? 'unsaid' : 'theirs';
  return party.names.some((name) => plainName(name) === plainName(own.name)) ? 'ours' : 'theirs';
}

/** With or without its country: the file need not say which. */
function sameNumber(a: string, b: string): boolean {
  if (a === '' || b === '') return false;
  const compared = compareTaxNumbers({ taxId: a }, { taxId: b });
  const [keysA, keysB] = [taxNumberKeys({ taxId: a }), taxNumberKeys({ taxId: b })];
  if (compared === 'same' || (compared === 'unsaid' && keysA.some((key) => keysB.includes(key)))) return true;
  // Of countries elsewhere.
  const bare = (id: string): string => id.replace(/^[A-Z]{2}(?=[A-Z0-9]{5,}$)/, '');
  const hasCountry = (id: string): boolean => bare(id) !== id;
  return hasCountry(a) !== hasCountry(b) && bare(a) === bare(b);
}

/** Words for legal forms, which people leave out and spell in many ways. */
const legalForms =
  /\b(ltd|limited|llc|llp|inc|incorporated|corp|corporation|company|co|plc|gmbh|mbh|ag|kg|ohg|ug|ek|ev|se|sa|sas|sarl|srl|spa|bv|nv|vof|as|asa|aps|ab|oy|oyj|doo|dd|sro|kft|zrt|sp z oo|spzoo|dac|clg|pty|pte|pvt)\b/g;

/** A name as it is compared: `Brightwater Joinery Ltd.` and `BRIGHTWATER JOINERY` are one. */
export function plainName(name: string): string {
  const words = foldName(name.replaceAll(/[.'’]/g, ''));
  return words.replaceAll(legalForms, '').replaceAll(/\s+/g, ' ').trim() || words;
}
