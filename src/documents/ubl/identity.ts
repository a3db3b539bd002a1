import type { XmlElement } from './xml.ts';

/** Everything by which a party of a file can be told: it need not be in the record. */
export interface Identity {
  /** The first is the one to show. */
  readonly names: readonly string[];
  /** Numbers under which the tax on sales is paid: `DE123456789`. */
  readonly taxIds: readonly string[];
  /** Its electronic address and its other numbers, with their schemes: `0088:7300010000001`. */
  readonly endpoints: readonly string[];
}

/** Reads by what a `cac:Party` can be told; takes nothing, so that all of it keeps its place in the record. */
export function identityOf(party: XmlElement | undefined): Identity {
  const texts = (path: string): string[] => (party?.all(path) ?? []).flatMap(({ text }) => (text === '' ? [] : [text]));
  const numbers = (path: string): string[] =>
    (party?.all(path) ?? []).flatMap(({ text, attributes }) =>
      text === '' ? [] : [`${attributes.get('schemeID') ?? ''}:${text}`],
    );
  const vat = (party?.all('cac:PartyTaxScheme') ?? []).filter((scheme) =>
    /^(VAT|GST)$/.test(scheme.first('cac:TaxScheme/cbc:ID')?.text ?? ''),
  );
  return {
    names: [
      ...texts('cac:PartyLegalEntity/cbc:RegistrationName'),
      ...texts('cac:PartyName/cbc:Name'),
      ...(party?.all('cac:Person') ?? []).flatMap((person) => personName(person) ?? []),
    ],
    taxIds: vat.flatMap((scheme) => scheme.all('cbc:CompanyID').map(({ text }) => text)).filter((text) => text !== ''),
    endpoints: [
      ...numbers('cbc:EndpointID'),
      ...numbers('cac:PartyLegalEntity/cbc:CompanyID'),
      ...numbers('cac:PartyIdentification/cbc:ID'),
      ...numbers('cac:PartyTaxScheme/cbc:CompanyID'),
    ],
  };
}

/** A person's name from its parts, or undefined where there are none. */
export function personName(person: XmlElement | undefined): string | undefined {
  const parts = ['cbc:Title', 'cbc:FirstName', 'cbc:MiddleName', 'cbc:FamilyName', 'cbc:NameSuffix'];
  return parts.flatMap((part) => person?.first(part)?.text || []).join(' ') || undefined;
}
