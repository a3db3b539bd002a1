import { readFileSync } from 'node:fs';
import path from 'node:path';

const folder = path.join(import.meta.dirname, '../../node_modules/@tabler/icons/icons/outline');
const made = new Map<string, string>();

/**
 * One of Tabler's outline icons as inline SVG, as tall as the text around it and silent to screen readers: the words
 * beside it say the same.
 *
 * @param name the file's name without `.svg`, such as `file-invoice`
 * @throws on a name that Tabler does not have: a mistake in a view, to be seen at once
 */
export function icon(name: string): string {
  const known = made.get(name);
  if (known !== undefined) return known;
  if (!/^[a-z0-9-]+$/.test(name)) throw new TypeError(`Not the name of an icon: ${name}`);
  const file = readFileSync(path.join(folder, `${name}.svg`), 'utf8');
  const shapes = file.slice(file.indexOf('>', file.indexOf('<svg')) + 1, file.lastIndexOf('</svg>'));
  const svg = `<svg class="icon" viewBox="0 0 24 24" width="1em" height="1em" aria-hidden="true" focusable="false">${shapes.replace(/\s*\n\s*/g, '')}</svg>`;
  made.set(name, svg);
  return svg;
}
