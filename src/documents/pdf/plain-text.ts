import { atOnce, type Work } from '../../platform/turns.ts';

/**
 * Letters that the usual fonts have, as a class of a regular expression (here and in PostgreSQL): most of what is ever
 * printed, and nobody has to look through it. A test holds them against the fonts.
 */
export const plainLetters =
  '\\t\\n\\r\\u0020-\\u007e\\u00a0-\\u02af\\u0386-\\u038a\\u038e-\\u03a1\\u03a3-\\u03ce\\u0400-\\u045f\\u2010-\\u2014\\u2018-\\u201e\\u2020-\\u2022\\u2026\\u202f\\u2030\\u2039\\u203a\\u200b\\u20ac\\u2116\\u2122\\u2212';
const plainText = new RegExp(`^[${plainLetters}]*$`);

/** Whether every text of a value, however deep, holds {@link plainLetters} only. */
export function isPlain(value: unknown): boolean {
  return atOnce(plainWork(value));
}

/** As {@link isPlain}, a few texts at a time: a record may have thousands of lines. */
export function* plainWork(value: unknown): Work<boolean> {
  if (typeof value === 'string') return plainText.test(value);
  if (typeof value !== 'object' || value === null) return true;
  for (const part of Object.values(value)) if (!(yield* plainWork(part))) return false;
  yield;
  return true;
}

/** Every text of a value, however deep. */
export function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(textsOf);
}

/** Whether the texts of a value hold all of these letters: whether they come from it. */
export function holdsLetters(value: unknown, letters: readonly string[]): boolean {
  const text = textsOf(value).map(setText).join('\n');
  return letters.every((letter) => text.includes(letter));
}

/**
 * A text as it is set. Accents stand with their letters, because that is how fonts draw them best. What holds letters
 * that run from right to left is kept together: inside, its own first letter says where it begins, and around it nothing
 * is turned round (UAX #9, isolates); what somebody typed to turn letters round is left out, for it would turn the words
 * beside it, too. Control characters have no look.
 */
export function setText(text: string): string {
  if (plainText.test(text)) return text;
  const seen = text.replaceAll(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, (sign) => (/\s/.test(sign) ? sign : ''));
  const composed = /\p{M}/u.test(seen) ? seen.normalize('NFC') : seen;
  if (!rightToLeft.test(composed)) return composed;
  const first = composed.match(/\p{L}/u)?.[0] ?? '';
  return `${rightToLeft.test(first) ? '\u2067' : '\u2066'}${composed}\u2069`;
}
const rightToLeft = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;
