import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** A font that a paper is set in, as Typst is told of it. */
export interface PaperFont {
  readonly name: string;
  /** What it is not to set, as the inside of a regular expression's `[…]`; empty: it sets all that it has. */
  readonly except: string;
}

/** A font of two weights. */
export interface UsualFont extends PaperFont {
  readonly regular: string;
  readonly bold: string;
}

/**
 * The fonts that records are printed in, from npm packages, so that a PDF looks the same on every machine: Source
 * Serif 4 for Latin, Greek and Cyrillic; DejaVu Sans for what it lacks (Armenian, Georgian, rarer currency signs). What
 * neither has is printed in Noto, see letters.ts; so are Hebrew, Arabic and Lao, which DejaVu has, but not well.
 */
export const usualFonts: readonly UsualFont[] = [
  {
    name: 'Source Serif 4',
    regular: '@expo-google-fonts/source-serif-4/400Regular/SourceSerif4_400Regular.ttf',
    bold: '@expo-google-fonts/source-serif-4/600SemiBold/SourceSerif4_600SemiBold.ttf',
    except: '',
  },
  {
    name: 'DejaVu Sans',
    regular: 'dejavu-fonts-ttf/ttf/DejaVuSans.ttf',
    bold: 'dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf',
    except: String.raw`\u{590}-\u{6ff}\u{750}-\u{77f}\u{870}-\u{8ff}\u{e80}-\u{eff}\u{fb1d}-\u{fdff}\u{fe70}-\u{fefc}`,
  },
];

/** The bytes of the usual fonts. */
export function readUsualFonts(): Buffer[] {
  return usualFonts.flatMap(({ regular, bold }) => [readFont(regular), readFont(bold)]);
}

/** The bytes of a file in a package: `package/folder/file.ttf`. */
export function readFont(file: string): Buffer {
  return readFileSync(resolve(file));
}

const { resolve } = createRequire(import.meta.url);
