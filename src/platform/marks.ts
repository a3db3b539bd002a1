import { createHash } from 'node:crypto';

/**
 * Marks what a page shows, part by part, in short: `record:3fa9…,sender:77c1…`. The mark of a part is the same as long as
 * nothing of that part changes. Pages carry them, so that what was not shown is never sent.
 *
 * @param parts JSON of each
 */
export function marksOf(parts: Readonly<Record<string, unknown>>): string {
  return Object.entries(parts)
    .map(([name, shown]) => `${name}:${short(JSON.stringify(shown) ?? '')}`)
    .join(',');
}

/** The names of the parts that are not as a page showed them, as far as it showed anything; all, where it lies. */
export function changedParts(shown: string, now: string): string[] {
  const before = new Set(shown.split(','));
  return now
    .split(',')
    .filter((mark) => !before.has(mark))
    .map((mark) => mark.split(':')[0] ?? '');
}

function short(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}
