import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/**
 * The fonts that records are printed in, from npm packages, so that a PDF looks the same on every machine: Source
 * Serif 4 for Latin, Greek and Cyrillic; DejaVu Sans for what it lacks (Armenian, Georgian, rarer currency signs).
 */
const files = [
  '@expo-google-fonts/source-serif-4/400Regular/SourceSerif4_400Regular.ttf',
  '@expo-google-fonts/source-serif-4/600SemiBold/SourceSerif4_600SemiBold.ttf',
  'dejavu-fonts-ttf/ttf/DejaVuSans.ttf',
  'dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf',
];

/** Reads the fonts' bytes. */
export function readFonts(): Buffer[] {
  const { resolve } = createRequire(import.meta.url);
  return files.map((file) => readFileSync(resolve(file)));
}
