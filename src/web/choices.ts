import { currencyCodes } from '../platform/currencies.ts';

/** One entry of a select. */
export interface Choice {
  readonly value: string;
  readonly label: string;
}

// Codes that CLDR names and that are no countries: unions, groupings, pseudo-locales.
const noCountries = new Set(['EU', 'EZ', 'UN', 'XA', 'XB', 'ZZ', 'QO', 'CP', 'DG', 'EA', 'IC', 'TA', 'AC']);
const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];

const inEnglish = (type: 'region' | 'currency') => new Intl.DisplayNames(['en'], { type, fallback: 'none' });
const named = { region: inEnglish('region'), currency: inEnglish('currency') };

/** Countries by their English names. */
export const countries: readonly Choice[] = sorted(
  letters
    .flatMap((first) => letters.map((second) => first + second))
    .filter((code) => !noCountries.has(code))
    .map((value) => ({ value, label: nameOf('region', value) }))
    .filter(({ value, label }) => label !== '' && canonical(value) === value),
);

/** Currencies in use, as `EUR · Euro`. */
export const currencies: readonly Choice[] = currencyCodes.map((value) => ({
  value,
  label: `${value} · ${nameOf('currency', value)}`,
}));

/** Time zones as the tz database names them. */
export const timeZones: readonly Choice[] = Intl.supportedValuesOf('timeZone').map((value) => ({
  value,
  label: value.replaceAll('_', ' '),
}));

function nameOf(type: 'region' | 'currency', code: string): string {
  return named[type].of(code) ?? '';
}

/** Old codes (`SU`, `DD`) are known too, under the name of what replaced them. */
function canonical(region: string): string {
  return new Intl.Locale(`und-${region}`).region ?? '';
}

function sorted(choices: Choice[]): Choice[] {
  return choices.sort((a, b) => a.label.localeCompare(b.label, 'en'));
}
