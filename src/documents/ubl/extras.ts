import { own } from '../../platform/own.ts';
import type { Extra } from '../document.ts';
import type { XmlElement } from './xml.ts';

/**
 * Everything under an element that nobody has taken, in the order of the file: each text with its attributes, and
 * attributes left over on an element whose text has a place. Marks them taken, so that each is told once.
 */
export function takeExtras(top: XmlElement): Extra[] {
  const extras: Extra[] = [];
  walk(top, [], [], extras);
  return extras;
}

function walk(element: XmlElement, labels: readonly string[], path: readonly string[], extras: Extra[]): void {
  const attributes = [...element.attributes].filter(([name]) => !element.takenAttributes.has(name));
  if (element.text !== '' && !element.taken) {
    extras.push({
      label: labelOf(labels, element),
      value: element.text,
      path: path.join('/') || element.name,
      ...(attributes.length > 0 ? { attributes: Object.fromEntries(attributes) } : {}),
    });
  } else {
    for (const [name, value] of attributes) {
      extras.push({ label: [...labels, words(name)].join(' › '), value, path: [...path, `@${name}`].join('/') });
    }
  }
  element.taken = true;
  for (const [name] of attributes) element.takenAttributes.add(name);

  const total = new Map<string, number>();
  for (const { name } of element.children) total.set(name, (total.get(name) ?? 0) + 1);
  const seen = new Map<string, number>();
  for (const child of element.children) {
    const index = (seen.get(child.name) ?? 0) + 1;
    seen.set(child.name, index);
    const repeated = (total.get(child.name) ?? 0) > 1;
    const word = words(child.name);
    const label = word === '' ? [] : [repeated ? `${word} ${index}` : word];
    walk(child, [...labels, ...label], [...path, repeated ? `${child.name}[${index}]` : child.name], extras);
  }
}

function labelOf(labels: readonly string[], element: XmlElement): string {
  return labels.join(' › ') || words(element.name) || element.name;
}

/** UBL's names in words. Those that only wrap others say nothing to a reader. */
const known: Record<string, string> = {
  Party: '',
  PartyName: '',
  PartyIdentification: 'Identification',
  AccountingSupplierParty: 'Seller',
  AccountingCustomerParty: 'Invoiced party',
  BuyerCustomerParty: 'Buyer',
  SellerSupplierParty: 'Supplier',
  OriginatorCustomerParty: 'Originator',
  PayeeParty: 'Payee',
  TaxRepresentativeParty: 'Tax representative',
  DeliveryParty: 'Delivered to',
  DeliveryLocation: 'Location',
  PostalAddress: 'Address',
  StreetName: 'Street',
  AdditionalStreetName: 'Street, second line',
  AddressLine: '',
  Line: 'Address line',
  CityName: 'City',
  PostalZone: 'Postal code',
  CountrySubentity: 'Region',
  Country: '',
  IdentificationCode: 'Country',
  PartyTaxScheme: 'Tax registration',
  PartyLegalEntity: 'Legal entity',
  CompanyID: 'Company ID',
  TaxTotal: '',
  TaxSubtotal: '',
  TaxCategory: '',
  EndpointID: 'Electronic address',
  CustomizationID: 'Specification',
  ProfileID: 'Process',
  AccountingCost: 'Accounting code',
  ElectronicMail: 'Email',
  Telephone: 'Phone',
  StandardItemIdentification: 'Standard item number',
  BuyersItemIdentification: "Buyer's item number",
  EmbeddedDocumentBinaryObject: 'Embedded file',
  ListID: 'List',
  ID: 'ID',
  URI: 'Address on the web',
};

function words(name: string): string {
  const local = name.replace(/^.*:/, '');
  const given = own(known, local);
  if (given !== undefined) return given;
  const spaced = local.replace(/([a-z0-9])([A-Z])/g, '$1 $2').replace(/([A-Z])([A-Z][a-z])/g, '$1 $2');
  const [first = '', ...rest] = spaced.split(' ');
  const lower = rest.map((word) => (/^[A-Z]{2,}$/.test(word) ? word : word.toLowerCase()));
  return [first.charAt(0).toUpperCase() + first.slice(1), ...lower].join(' ');
}
