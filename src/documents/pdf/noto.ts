import { readFont } from './fonts.ts';

/**
 * The Noto families that print what the usual fonts have no letters for. They come from Fontsource as a browser loads
 * them: each family cut into slices of some hundred letters, compressed (WOFF2), all weights in one file. So four ways of
 * drawing Han characters take 20 MB of disk rather than 140, and a paper reads only the slices that it needs.
 */
export interface Slice {
  /** What it is called in Typst, where each slice is a family of its own: `Noto Sans JP 117`. */
  readonly name: string;
  /** For 400 and for 600. */
  readonly files: readonly [string, string];
  /** Whether a file holds all weights. */
  readonly variable: boolean;
  /** The code points that it may have. What it really has, only its own table says. */
  readonly ranges: readonly (readonly [number, number])[];
}

/** The slices of a family: of `noto-sans-jp`, those of `@fontsource-variable/noto-sans-jp`. */
export function slicesOf(family: string): readonly Slice[] {
  const known = families.get(family);
  if (known) return known;
  const weights = fixedWeights.get(family);
  const folder = `${weights ? '@fontsource' : '@fontsource-variable'}/${family}`;
  const unicode: Record<string, string> = JSON.parse(readFont(`${folder}/unicode.json`).toString());
  const made = Object.entries(unicode).map(([key, ranges]): Slice => {
    const slice = key.replaceAll(/[[\]]/g, '');
    const file = (weight: string | number) => `${folder}/files/${family}-${slice}-${weight}-normal.woff2`;
    return {
      name: `${nameOf(family)} ${slice}`,
      files: weights ? [file(weights[0]), file(weights[1])] : [file('wght'), file('wght')],
      variable: weights === undefined,
      ranges: ranges.split(',').map(rangeOf),
    };
  });
  families.set(family, made);
  return made;
}

/** `U+4E00-4E1F`, `U+20AC`, `U+4??`. */
function rangeOf(text: string): [number, number] {
  const [first = '', last = first] = text.trim().slice(2).split('-');
  return [Number.parseInt(first.replaceAll('?', '0'), 16), Number.parseInt(last.replaceAll('?', 'F'), 16)];
}

/** `noto-sans-jp` → `Noto Sans JP`. */
function nameOf(family: string): string {
  const words = family.split('-').map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return words.map((word) => (word.length === 2 ? word.toUpperCase() : word)).join(' ');
}

/** The four ways in which Han characters are drawn, each with what else its readers write. */
export const han = {
  simplified: 'noto-sans-sc',
  traditional: 'noto-sans-tc',
  japanese: 'noto-sans-jp',
  korean: 'noto-sans-kr',
} as const;

const scripts = [
  ...['arabic', 'hebrew', 'thaana', 'thai', 'lao', 'khmer', 'myanmar', 'devanagari', 'bengali', 'gurmukhi'],
  ...['gujarati', 'oriya', 'tamil', 'telugu', 'kannada', 'malayalam', 'sinhala', 'ethiopic', 'armenian', 'georgian'],
].map((script) => `noto-sans-${script}`);
/** Every other family, in the order in which they are asked; Inter, which our pages are set in, for newer currency signs. */
export const others = [
  ...scripts,
  ...['noto-serif-tibetan', 'noto-emoji', 'noto-sans-symbols', 'noto-sans-symbols-2', 'inter'],
];

/** Families that are not variable, with the weights that stand for 400 and 600. */
const fixedWeights = new Map<string, readonly [number, number]>([
  ['noto-sans-myanmar', [400, 600]],
  ['noto-sans-symbols-2', [400, 400]],
]);
const families = new Map<string, readonly Slice[]>();
