import { readAddressField } from '../../platform/address-list.ts';
import { takeAll } from './take.ts';
import type { XmlElement } from './xml.ts';

const contactMail = 'cac:Contact/cbc:ElectronicMail';

/**
 * The email addresses of a `cac:Party`: those of its contact, or else its electronic address where that is one (scheme
 * EM of the EAS list). What is no address stays where it will become an extra.
 */
export function readEmail(party: XmlElement): string | undefined {
  const mails = party.all(contactMail).flatMap(({ text }) => (text === '' ? [] : [text]));
  const contact = readAddressField(mails.join('; '));
  if (contact.ok && contact.email !== undefined) {
    takeAll(party, contactMail);
    return contact.email;
  }
  const endpoint = party.first('cbc:EndpointID');
  if (endpoint?.attributes.get('schemeID')?.trim().toUpperCase() !== 'EM') return undefined;
  const electronic = readAddressField(endpoint.text.replace(/^mailto:/i, ''));
  return electronic.ok ? electronic.email : undefined;
}

/** Where e-invoices reach a `cac:Party`: scheme and identifier. It stays among the extras, too, where people see it. */
export function readEndpoint(party: XmlElement): string | undefined {
  const endpoint = party.first('cbc:EndpointID');
  if (!endpoint || endpoint.text === '' || endpoint.text.length > 250) return undefined;
  const scheme = endpoint.attributes.get('schemeID')?.trim() ?? '';
  return scheme.length > 20 ? undefined : `${scheme}:${endpoint.text}`;
}
