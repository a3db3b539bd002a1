import { type PaperFont, readFont, usualFonts } from './fonts.ts';
import { codePointsOf, coverageOf } from './instance.ts';
import { han, others, type Slice, slicesOf } from './noto.ts';
import { isPlain, setText, textsOf } from './plain-text.ts';

/** What a paper's texts are set in, and what no font has. */
export interface Letters {
  /** In the order in which Typst is to look. */
  readonly fonts: readonly PaperFont[];
  /** Those of the fonts that are not the usual ones. */
  readonly slices: readonly Slice[];
  /** Letters that would print as empty boxes, each once. */
  readonly missing: readonly string[];
}

/**
 * Finds the fonts that texts need: only those are read, so that a paper in Latin letters costs what it always did. A
 * letter is what a reader takes for one (UAX #29), with its accents, or an emoji with its colour; one font must have all
 * of it, but for signs that have no look of their own.
 *
 * @param countries of who reads and who writes, ISO 3166-1: they decide how Han characters are drawn
 */
export async function lettersOf(value: unknown, countries: readonly (string | undefined)[]): Promise<Letters> {
  const unusual = textsOf(value)
    .filter((text) => !isPlain(text))
    .map(setText);
  const hanFirst = hanOrder(unusual.join('\n'), countries);
  const letters = new Set(unusual.flatMap((text) => [...segmenter.segment(text)].map(({ segment }) => segment)));
  const found = new Set<Slice>();
  const missing: string[] = [];
  for (const letter of letters) {
    const place = await placeOf(letter, hanFirst);
    if (place === 'missing') missing.push(letter);
    else if (place !== 'usual') found.add(place);
  }
  const slices = [...hanFirst, ...others].flatMap(slicesOf).filter((slice) => found.has(slice));
  return { fonts: await fontsOf(slices, letters), slices, missing };
}

/**
 * Of a letter and its accent that a font has only the accent of, Typst 0.14 would lose the letter instead of asking the
 * next font for both. So the font is told to leave such letters alone.
 */
async function fontsOf(slices: readonly Slice[], letters: ReadonlySet<string>): Promise<PaperFont[]> {
  const accented = [...letters].filter((letter) => [...letter].length > 1).map((letter) => letter.codePointAt(0) ?? 0);
  const without = (coverage: ReadonlySet<number>) =>
    [...new Set(accented)].filter((code) => !coverage.has(code)).map((code) => `\\u{${code.toString(16)}}`);
  const usual = usualFonts.map(({ name, except }, at) => ({
    name,
    except: [except, ...without(usualCoverage()[at]?.has ?? new Set())].join(''),
  }));
  const noto = slices.map(async (slice) => ({
    name: slice.name,
    except: without(await coverageOf(slice)).join(''),
  }));
  return [...usual, ...(await Promise.all(noto))];
}

/** Which font has all of a letter. */
async function placeOf(letter: string, hanFirst: readonly string[]): Promise<Slice | 'usual' | 'missing'> {
  const key = `${hanFirst.join()} ${letter}`;
  const known = places.get(key);
  if (known) return known;
  const found = await findPlace(letter, [...hanFirst, ...others]);
  if (places.size > 50_000) places.clear();
  places.set(key, found);
  return found;
}
const places = new Map<string, Slice | 'usual' | 'missing'>();

async function findPlace(letter: string, families: readonly string[]): Promise<Slice | 'usual' | 'missing'> {
  const signs = [...letter].filter((sign) => !unseen.test(sign));
  const codes = signs.map((sign) => sign.codePointAt(0) ?? 0);
  for (const { has, leaves } of usualCoverage()) {
    if (codes.every((code) => has.has(code)) && !signs.some((sign) => leaves?.test(sign))) return 'usual';
  }
  for (const slice of families.flatMap(slicesOf)) {
    if (!codes.every((code) => slice.ranges.some(([first, last]) => code >= first && code <= last))) continue;
    const coverage = await coverageOf(slice);
    if (codes.every((code) => coverage.has(code))) return slice;
  }
  return 'missing';
}

/** Signs that are not drawn: joiners, selectors of variants, line ends. */
const unseen = /[\p{Default_Ignorable_Code_Point}\t\n\r]/u;

/** What both weights of each usual font have, and what it leaves to others. */
function usualCoverage() {
  coverage ??= usualFonts.map(({ regular, bold, except }) => {
    const inBold = codePointsOf(readFont(bold));
    const has = new Set([...codePointsOf(readFont(regular))].filter((code) => inBold.has(code)));
    return { has, leaves: except === '' ? undefined : new RegExp(`[${except}]`, 'u') };
  });
  return coverage;
}
let coverage: { readonly has: ReadonlySet<number>; readonly leaves: RegExp | undefined }[] | undefined;

/** The same character is drawn in four ways: as who wrote the text would, or else as who reads it. */
function hanOrder(text: string, countries: readonly (string | undefined)[]): string[] {
  const written = [
    /[\p{Script=Hiragana}\p{Script=Katakana}]/u.test(text) ? han.japanese : undefined,
    /\p{Script=Hangul}/u.test(text) ? han.korean : undefined,
    /\p{Script=Bopomofo}/u.test(text) ? han.traditional : undefined,
  ];
  const there = countries.map((country) => (country === undefined ? undefined : hanOf.get(country)));
  const order = [...written, ...there, han.simplified, han.traditional, han.japanese, han.korean];
  return [...new Set(order.filter((family) => family !== undefined))];
}

const hanOf = new Map<string, string>([
  ['JP', han.japanese],
  ['KR', han.korean],
  ['TW', han.traditional],
  ['HK', han.traditional],
  ['MO', han.traditional],
  ['CN', han.simplified],
  ['SG', han.simplified],
]);
const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });
