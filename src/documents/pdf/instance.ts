import { Blob, Face } from 'harfbuzzjs';
import subsetFont from 'subset-font';
import { readFont } from './fonts.ts';
import type { Slice } from './noto.ts';
import { named } from './sfnt.ts';

/** The code points that a font has glyphs for, by its own table. @param bytes TrueType or OpenType */
export function codePointsOf(bytes: Uint8Array): Set<number> {
  return new Set(new Face(new Blob(bytes)).collectUnicodes());
}

/** The code points that a slice has glyphs for. */
export async function coverageOf(slice: Slice): Promise<ReadonlySet<number>> {
  const known = coverages.get(slice.name);
  if (known) return known;
  const found = codePointsOf(await instance(slice, 400));
  coverages.set(slice.name, found);
  return found;
}

/** A slice as Typst reads fonts: two TrueType files of fixed weights, 400 and 600, of one family with the slice's name. */
export async function instancesOf(slice: Slice): Promise<readonly Buffer[]> {
  return [await instance(slice, 400), await instance(slice, 600)];
}

async function instance(slice: Slice, weight: 400 | 600): Promise<Buffer> {
  const key = `${slice.name} ${weight}`;
  const made = instances.get(key) ?? (await makeInstance(slice, weight));
  // Put last: the first in the map is the one that was not used for longest.
  instances.delete(key);
  instances.set(key, made);
  for (const old of [...instances.keys()].slice(0, -mostInstances)) instances.delete(old);
  return made;
}

async function makeInstance(slice: Slice, weight: 400 | 600): Promise<Buffer> {
  // With everything that it holds: what a script's rules put in the place of its letters is wanted, too.
  const all = slice.ranges.map(([first, last]) => {
    return String.fromCodePoint(...Array.from({ length: last - first + 1 }, (_, at) => first + at));
  });
  const font = await subsetFont(readFont(slice.files[weight === 400 ? 0 : 1]), all.join(''), {
    targetFormat: 'truetype',
    ...(slice.variable ? { variationAxes: { wght: weight } } : {}),
  });
  return named(font, slice.name);
}

/** So many are kept: some 50 KB each. */
const mostInstances = 400;
const instances = new Map<string, Buffer>();
const coverages = new Map<string, ReadonlySet<number>>();
