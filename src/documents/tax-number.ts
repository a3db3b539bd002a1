/** A party, as far as its tax number goes. */
export interface Taxed {
  readonly taxId?: string | null | undefined;
  /** ISO 3166-1, of its address. */
  readonly country?: string | null | undefined;
}

/** A tax number without what people write one way or the other: blanks, points, dashes, case, full-width signs. */
export function foldTaxNumber(taxId: string): string {
  return taxId
    .normalize('NFKC')
    .replaceAll(/[^\p{L}\p{N}]/gu, '')
    .toUpperCase();
}

/**
 * Whether two tax numbers are one: with or without the country before it, by either of Greece's and of the United Kingdom's,
 * with or without what Switzerland and Norway write behind it. A number without its country belongs to that of the address.
 * `unsaid` where one has no number, or where nothing says that they are of one country.
 */
export function compareTaxNumbers(a: Taxed, b: Taxed): 'same' | 'different' | 'unsaid' {
  const [one, other] = [taxNumberOf(a), taxNumberOf(b)];
  if (!one || !other) return 'unsaid';
  if (one.number !== other.number) return 'different';
  if (one.country !== undefined && other.country !== undefined)
    return one.country === other.country ? 'same' : 'different';
  return one.written === other.written ? 'same' : 'unsaid';
}

/**
 * Under what a tax number is found: two that {@link compareTaxNumbers} calls the same have one of them in common, however each
 * was written, and so do those that were stored as they were written.
 */
export function taxNumberKeys(party: Taxed): string[] {
  const read = taxNumberOf(party);
  if (!read) return [];
  const { written, number, country } = read;
  const before = country === undefined ? [] : prefixesOf(country).map((prefix) => `${prefix}${number}`);
  return [...new Set([written, number, ...before])];
}

interface TaxNumber {
  /** As it was typed, folded. */
  readonly written: string;
  /** What is the same however it is written. */
  readonly number: string;
  readonly country: string | undefined;
}

function taxNumberOf({ taxId, country }: Taxed): TaxNumber | undefined {
  const written = foldTaxNumber(taxId ?? '');
  if (written === '') return undefined;
  const [prefix, rest] = splitPrefix(written, country ?? undefined);
  const home = prefix === undefined ? memberOf(country ?? undefined) : (countryOf.get(prefix) ?? prefix);
  return { written, number: plain(rest, home), country: home };
}

/** A number behind a country's letters begins with a figure, or with one letter and a figure; in France with two signs of any kind. */
function splitPrefix(written: string, country: string | undefined): [string | undefined, string] {
  const [, prefix = '', rest = ''] = /^(CHE(?=\d)|[A-Z]{2})(.*)$/.exec(written) ?? [];
  const home = countryOf.get(prefix) ?? (prefix === country ? country : undefined);
  if (home === undefined) return [undefined, written];
  const isOurs = memberOf(country) === home && /\d/.test(rest);
  const isNumber = /^[A-Z]?\d/.test(rest) || (home === 'FR' && /^[A-Z]{2}\d{9}$/.test(rest)) || british.test(rest);
  return isOurs || isNumber ? [prefix, rest] : [undefined, written];
}

/** Government departments and health authorities. */
const british = /^(GD|HA)\d{3}$/;

/** What some countries write or leave out at the beginning or the end. */
function plain(rest: string, country: string | undefined): string {
  switch (country) {
    case 'AT':
      return rest.replace(/^U(?=\d)/, '');
    case 'BE':
      return /^\d{9}$/.test(rest) ? `0${rest}` : rest;
    case 'CH':
      return rest.replace(/^CHE(?=\d)/, '').replace(/(MWST|TVA|IVA|VAT)$/, '');
    case 'NO':
      return rest.replace(/MVA$/, '');
    default:
      return rest;
  }
}

/** The letters before tax numbers and the countries whose they are, by the European Commission's list (VIES) and its neighbours. */
const countryOf = new Map<string, string>([
  ...['AT', 'BE', 'BG', 'CY', 'CZ', 'DE', 'DK', 'EE', 'ES', 'FI', 'FR', 'HR', 'HU', 'IE'].map(own),
  ...['IT', 'LT', 'LU', 'LV', 'MT', 'NL', 'PL', 'PT', 'RO', 'SE', 'SI', 'SK', 'NO', 'IS', 'LI', 'SM', 'RS', 'TR'].map(
    own,
  ),
  ...([
    ['EL', 'GR'],
    ['GR', 'GR'],
    ['GB', 'GB'],
    ['XI', 'GB'],
    ['UK', 'GB'],
    ['CHE', 'CH'],
    ['CH', 'CH'],
  ] as const),
]);

function own(country: string): [string, string] {
  return [country, country];
}

function prefixesOf(country: string): string[] {
  const letters = [...countryOf].filter(([, home]) => home === country).map(([prefix]) => prefix);
  return letters.length > 0 ? letters : [country];
}

/** The country whose tax numbers those of a place are: Monaco's are France's, the Isle of Man's the United Kingdom's. */
function memberOf(country: string | undefined): string | undefined {
  if (country === 'MC') return 'FR';
  if (country === 'IM' || country === 'XI') return 'GB';
  return country === 'EL' ? 'GR' : country || undefined;
}
