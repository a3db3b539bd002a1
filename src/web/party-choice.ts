import type { PartyDetails } from '../documents/document.ts';
import { findParty, partiesNamed } from '../documents/find-party.ts';
import { isId } from '../documents/paging.ts';
import { getParty, type Party } from '../documents/parties.ts';
import { foldName, sameParty } from '../documents/party-identity.ts';
import { readAddressField } from '../platform/address-list.ts';
import type { Database } from '../platform/database.ts';
import { type PartyForm, partyFields, partyForm } from './document-form.ts';

/** What a form must ask before it can be saved. */
export type PartyQuestion =
  /** There are contacts of this name, and nothing else was typed. */
  | { readonly kind: 'which'; readonly contacts: readonly Party[] }
  /** A new name was typed over a customer, whose details were taken out of the form. */
  | { readonly kind: 'typed_over'; readonly contact: { readonly id: string; readonly name: string } };

/** The customer of a form, as far as the form says who it is. */
export interface ChosenParty {
  readonly form: PartyForm;
  /** A contact's id; `new` for one that is not among the contacts; `''`: whoever the details prove it to be. */
  readonly partyId: string;
  readonly question?: PartyQuestion;
}

/** Which contact a form was filled in from: `''`, `new`, a contact's id, or `same:` and one, to keep it under a new name. */
export type Picked = string;

/** The record that is edited: what is printed on it, and its contact. */
export interface PartyBefore {
  readonly partyId: string;
  readonly party: PartyDetails;
}

/**
 * Decides whom a record is for. A name alone decides nothing: where contacts have it, somebody says which one it is. A
 * new name over a customer does not keep that customer's address and email. The browser's script shows the same earlier;
 * what counts is decided here.
 */
export async function chooseParty(
  trx: Database,
  tenantId: string,
  form: PartyForm,
  picked: Picked,
  before?: PartyBefore,
): Promise<ChosenParty> {
  const name = form.name?.trim() ?? '';
  if (name === '' || picked === 'new') return { form, partyId: picked === 'new' ? 'new' : '' };
  if (picked.startsWith('same:')) return keepUnder(trx, tenantId, form, picked.slice('same:'.length), before);
  if (before && (picked === '' || picked === before.partyId) && isNamed(before.party, name))
    return { form, partyId: before.partyId };
  const contact = await getParty(trx, tenantId, picked);
  if (contact && isNamed(contact, name)) return { form: completed(form, contact), partyId: contact.id };
  const left = before?.partyId ?? contact?.id;
  const own = withoutDetailsOf(form, [contact, before?.party]);
  if (left !== undefined && own !== form)
    return typedOver(own, { id: left, name: contact?.name ?? before?.party.name ?? '' });
  const proven = await findParty(trx, tenantId, detailsOf(form));
  if (proven) {
    // Somebody typed another name and the email of a contact: two customers may share a mailbox, and this one is new.
    const isOther = !isNamed(proven, name) && sameParty(detailsOf(form), proven) === 'email';
    return { form, partyId: isOther ? 'new' : proven.id };
  }
  const contacts = isBlank(form) ? await partiesNamed(trx, tenantId, name) : [];
  return { form, partyId: '', ...(contacts.length > 0 && { question: { kind: 'which', contacts } }) };
}

/**
 * What the form shows once a name is typed: a contact's details, a question which one, the details of the one before
 * taken out; undefined where there is nothing to change.
 */
export async function suggestParty(
  trx: Database,
  tenantId: string,
  form: PartyForm,
  picked: Picked,
  before?: PartyBefore,
): Promise<ChosenParty | undefined> {
  const name = form.name?.trim() ?? '';
  if (name === '') return undefined;
  const contact = await getParty(trx, tenantId, picked);
  if (contact && isNamed(contact, name)) return undefined;
  if (before && isNamed(before.party, name)) return undefined;
  const own = withoutDetailsOf(form, [contact, before?.party]);
  const named = isBlank(own) ? await partiesNamed(trx, tenantId, name) : [];
  const [only] = named;
  if (only && named.length === 1) return { form: { ...partyForm(only), name }, partyId: only.id };
  if (only) return { form: own, partyId: '', question: { kind: 'which', contacts: named } };
  const id = contact?.id ?? before?.partyId;
  if (own === form || id === undefined) return undefined;
  return typedOver(own, { id, name: contact?.name ?? before?.party.name ?? '' });
}

/** What a question says, in a sentence that stands beside the name. */
export function questionWords({ kind, ...question }: PartyQuestion, name: string): string {
  if (kind === 'which' && 'contacts' in question) {
    const { length } = question.contacts;
    return `You have ${length === 1 ? 'a contact' : `${length} contacts`} called ${name}. Say who it is.`;
  }
  const old = 'contact' in question ? question.contact.name : '';
  return `${name} was written over ${old}, so the details of ${old} were taken out. Write those of ${name}, or say that it is the same customer.`;
}

function typedOver(form: PartyForm, { id, name }: { readonly id: string; readonly name: string }): ChosenParty {
  return { form, partyId: '', question: { kind: 'typed_over', contact: { id, name } } };
}

async function keepUnder(
  trx: Database,
  tenantId: string,
  form: PartyForm,
  id: string,
  before: PartyBefore | undefined,
): Promise<ChosenParty> {
  const contact = await getParty(trx, tenantId, id);
  if (!contact) return { form, partyId: '' };
  const known = before?.partyId === id ? { ...before.party, name: form.name ?? '' } : contact;
  return { form: completed(form, known), partyId: contact.id };
}

/** The details of a contact where the form has none; as typed where it has some. */
function completed(form: PartyForm, details: PartyDetails): PartyForm {
  return isBlank(form) ? { ...partyForm(details), name: form.name ?? details.name } : form;
}

/** The same form where it holds nothing of theirs, so that this can be seen. */
function withoutDetailsOf(form: PartyForm, others: readonly (PartyDetails | undefined)[]): PartyForm {
  const kept = Object.entries(form).filter(([field, value]) => {
    const known = partyFields.find((each) => each === field);
    if (known === undefined || known === 'name' || known === 'country' || value.trim() === '') return true;
    return !others.some((other) => other?.[known]?.trim() === value.trim());
  });
  return kept.length === Object.keys(form).length ? form : Object.fromEntries(kept);
}

/** Whether nothing but a name and the country that every form begins with is filled in. */
function isBlank({ name: _name, country: _country, ...details }: PartyForm): boolean {
  return Object.values(details).every((value) => value.trim() === '');
}

function isNamed({ name }: { readonly name: string }, other: string): boolean {
  return foldName(name) === foldName(other);
}

function detailsOf(form: PartyForm): PartyDetails {
  const typed = Object.entries(form).flatMap(([field, value]) => (value.trim() ? [[field, value.trim()]] : []));
  const email = readAddressField(form.email);
  return { ...Object.fromEntries(typed), name: form.name ?? '', email: email.ok ? email.email : undefined };
}

/** The posted answer to who it is. */
export function readPicked(value: unknown): Picked {
  if (typeof value !== 'string') return '';
  return value === 'new' || isId(value.replace(/^same:/, '')) ? value : '';
}
