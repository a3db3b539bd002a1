import type { PartyDetails } from '../document.ts';
import { personName } from './identity.ts';
import { ImportError } from './import-error.ts';
import { readEmail, readEndpoint } from './party-addresses.ts';
import { takeAll, takeIf, takeText } from './take.ts';
import type { XmlElement } from './xml.ts';

/**
 * Reads a `cac:Party`. The registered name is the one a record is made out to (BT-44), the trading name stands in for
 * it; the address of the registration stands in where there is no other.
 */
export function readParty(party: XmlElement): PartyDetails {
  const name =
    takeText(party, 'cac:PartyLegalEntity/cbc:RegistrationName') ??
    takeText(party, 'cac:PartyName/cbc:Name') ??
    takePerson(party) ??
    takeText(party, 'cac:Contact/cbc:Name');
  if (name === undefined) {
    throw new ImportError(
      'missing',
      'The party has no name (cac:PartyLegalEntity/cbc:RegistrationName or cac:PartyName/cbc:Name). Add it and import the file again.',
      { line: party.line },
    );
  }
  const address = party.first('cac:PostalAddress') ?? party.first('cac:PartyLegalEntity/cac:RegistrationAddress');
  const street = [
    takeText(address, 'cbc:AdditionalStreetName'),
    ...(address ? takeAll(address, 'cac:AddressLine/cbc:Line') : []),
  ];
  return {
    name,
    contactName: takeText(party, 'cac:Contact/cbc:Name'),
    email: readEmail(party),
    endpoint: readEndpoint(party),
    phone: takeText(party, 'cac:Contact/cbc:Telephone'),
    taxId: readTaxId(party),
    street: takeText(address, 'cbc:StreetName'),
    extraStreet: street.filter((part) => part !== undefined).join(', ') || undefined,
    city: takeText(address, 'cbc:CityName'),
    postalCode: takeText(address, 'cbc:PostalZone'),
    region: takeText(address, 'cbc:CountrySubentity'),
    country: takeIf(address, 'cac:Country/cbc:IdentificationCode', /^[A-Z]{2}$/),
  };
}

/** A customer that is a person (UBL-TR): the parts of the name have their place in it. */
function takePerson(party: XmlElement): string | undefined {
  const person = party.first('cac:Person');
  const name = personName(person);
  if (person && name !== undefined) {
    for (const part of person.children) part.taken ||= part.text !== '' && name.includes(part.text);
  }
  return name;
}

/** The number in the VAT scheme; a registration in another scheme stays an extra. */
function readTaxId(party: XmlElement): string | undefined {
  const vat = party.all('cac:PartyTaxScheme').find((scheme) => scheme.first('cac:TaxScheme/cbc:ID')?.text === 'VAT');
  if (!vat?.first('cbc:CompanyID')?.text) return undefined;
  takeText(vat, 'cac:TaxScheme/cbc:ID');
  return takeText(vat, 'cbc:CompanyID');
}
