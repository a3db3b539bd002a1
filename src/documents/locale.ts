/**
 * The numbers of a place. Our words are English wherever they are read, but figures are written as people there write
 * them, all of a page or a paper in one way: `en-DE` means English words, `6.130,88 €`, `13,5 %` and `4.500,00`.
 *
 * CLDR knows an English for few countries, and its numbers there are a mixture (`€6,130.88` beside `4.500,00` in
 * `en-DE`). So they come from the country's own language, where its script is one that reads like ours; elsewhere they
 * are English.
 */
export function numberLocale(locale: string): string {
  const known = numberLocales.get(locale);
  if (known !== undefined) return known;
  const { language, region } = new Intl.Locale(locale);
  const own = region === undefined ? undefined : new Intl.Locale(`und-${region}`).maximize();
  const isForeign = language === 'en' && own?.script !== undefined && scripts.has(own.script);
  const chosen = isForeign ? `${own.language}-${region}` : locale;
  numberLocales.set(locale, chosen);
  return chosen;
}

/**
 * English dates in the order of the place: `21 November 2026`, and `November 21, 2026` where people write it so. Where
 * CLDR knows no English it would be that of the United States.
 */
export function dateLocale(locale: string): string {
  const known = dateLocales.get(locale);
  if (known !== undefined) return known;
  const chosen = chooseDateLocale(locale);
  dateLocales.set(locale, chosen);
  return chosen;
}

function chooseDateLocale(locale: string): string {
  const { language, region } = new Intl.Locale(locale);
  if (language !== 'en' || region === undefined || monthFirst.has(region)) return locale;
  return Intl.DateTimeFormat.supportedLocalesOf(locale)[0] === locale &&
    new Intl.DateTimeFormat(locale).resolvedOptions().locale === locale
    ? locale
    : 'en-GB';
}

/** The locale of a paper or an email: of the country of who reads it, or else the company's own. */
export function readersLocale(reader: { readonly country?: string | null | undefined }, own: string): string {
  return reader.country ? `en-${reader.country}` : own;
}

/** What stands between whole and fraction, and between thousands, wherever a number of this place stands. */
export interface Separators {
  readonly decimal: string;
  /** Empty where thousands are not separated. */
  readonly group: string;
}

/** A place's {@link Separators}: those of its money, which is what most numbers of a business record are. */
export function separatorsOf(locale: string): Separators {
  const known = separators.get(locale);
  if (known) return known;
  const money = { style: 'currency', currency: 'EUR', numberingSystem: 'latn' } as const;
  const parts = new Intl.NumberFormat(numberLocale(locale), money).formatToParts(1_234_567.5);
  const part = (type: Intl.NumberFormatPartTypes) => parts.find((each) => each.type === type)?.value ?? '';
  const found = { decimal: part('decimal') || '.', group: part('group') };
  separators.set(locale, found);
  return found;
}

/** The scripts whose languages have signs for money and numbers that somebody reads who reads English. */
const scripts = new Set(['Latn', 'Grek', 'Cyrl', 'Armn', 'Geor']);
const monthFirst = new Set(['US', 'AS', 'BZ', 'CA', 'FM', 'GU', 'MH', 'MP', 'PH', 'PR', 'PW', 'UM', 'VI']);
const numberLocales = new Map<string, string>();
const dateLocales = new Map<string, string>();
const separators = new Map<string, Separators>();
