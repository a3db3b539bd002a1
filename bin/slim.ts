/**
 * Takes out of node_modules what a server never reads, for the production image: of `googleapis` all APIs but Gmail, of
 * the icons those that no page shows. Prints what it took and what is left. Run in the image alone: what it takes, a
 * checkout needs.
 *
 *   node bin/slim.ts
 */
import { existsSync, globSync, lstatSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';

/** What slimming did, in bytes. */
export interface SlimReport {
  readonly before: number;
  readonly after: number;
  /** Names of the icons that stay. */
  readonly icons: readonly string[];
}

/**
 * Slims the packages of a folder that holds node_modules, src and views.
 *
 * @throws where development packages are installed, or where a package does not look as it is known here: then nothing
 * was taken
 */
export function slim(root: string): SlimReport {
  const modules = path.join(root, 'node_modules');
  if (existsSync(path.join(modules, 'vitest')))
    throw new Error(
      'Development packages are installed here: this is a checkout. Install with `npm ci --omit=dev` first.',
    );
  const apis = path.join(modules, 'googleapis/build/src/apis');
  const tabler = path.join(modules, '@tabler/icons');
  const outline = path.join(tabler, 'icons/outline');
  const icons = shownIcons(root, outline);
  if (!existsSync(path.join(apis, 'gmail/index.js')))
    throw new Error('googleapis has no Gmail where it is looked for.');
  if (icons.length === 0) throw new Error('No page shows an icon: src and views were not found.');
  const before = sizeOf(modules);
  keepOnly(apis, ['gmail']);
  keepOnly(path.dirname(apis), ['apis']);
  keepOnly(tabler, ['icons', 'package.json', 'LICENSE']);
  keepOnly(path.dirname(outline), ['outline']);
  keepOnly(
    outline,
    icons.map((name) => `${name}.svg`),
  );
  return { before, after: sizeOf(modules), icons };
}

/** The icons whose name stands between quotes somewhere in code or views. A few too many stay; none that is shown goes. */
function shownIcons(root: string, folder: string): string[] {
  const known = new Set(readdirSync(folder).map((file) => file.replace(/\.svg$/, '')));
  const files = globSync('{src,views}/**/*.{ts,ejs}', { cwd: root });
  const quoted = files.flatMap((file) =>
    [...readFileSync(path.join(root, file), 'utf8').matchAll(/['"`]([a-z0-9-]+)['"`]/g)].map(([, name = '']) => name),
  );
  return [...new Set(quoted)].filter((name) => known.has(name)).sort();
}

function keepOnly(folder: string, names: readonly string[]): void {
  for (const name of readdirSync(folder))
    if (!names.includes(name)) rmSync(path.join(folder, name), { recursive: true });
}

function sizeOf(folder: string): number {
  let sum = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) sum += lstatSync(path.join(entry.parentPath, entry.name)).size;
  return sum;
}

if (import.meta.main) {
  const { before, after, icons } = slim(path.join(import.meta.dirname, '..'));
  const megabytes = (bytes: number) => `${(bytes / 1_000_000).toFixed(0)} MB`;
  console.log(`node_modules: ${megabytes(before)} before, ${megabytes(after)} after; ${icons.length} icons stay.`);
}
