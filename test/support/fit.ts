import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { looksAtLength } from './at-length.ts';

const axe = path.join(import.meta.dirname, '../../node_modules/axe-core/axe.min.js');

/** The windows that a page must fit: wide and light, narrow and dark. */
export const looks = [
  { viewport: { width: 1280, height: 800 }, colorScheme: 'light' },
  { viewport: { width: 320, height: 640 }, colorScheme: 'dark' },
] as const;

/** Looks at the page at hand in every window, and leaves it in the first; where there is the time for it. */
export async function expectFitInEveryLook(page: Page): Promise<void> {
  if (!looksAtLength()) return;
  for (const { viewport, colorScheme } of looks) {
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme });
    await lookAt(page, rulesIn({ colorScheme }));
  }
  await page.setViewportSize(looks[0].viewport);
}

/** Which rules of axe a look is about: all in the first; in the narrow and dark one those that know width or colours. */
export function rulesIn({ colorScheme }: { readonly colorScheme: string }): readonly string[] | undefined {
  return colorScheme === 'light' ? undefined : ['color-contrast', 'target-size'];
}

/** The same in the window that it stands in. */
export async function expectFit(page: Page): Promise<void> {
  if (looksAtLength()) await lookAt(page);
}

/** That the page at hand is no wider than its window, and breaks no rule that axe knows; however long that takes. */
export async function lookAt(page: Page, rules?: readonly string[]): Promise<void> {
  const here = `${new URL(page.url()).pathname} at ${page.viewportSize()?.width}`;
  const wider = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
  expect(wider, `${here} is wider than its window`).toBeLessThanOrEqual(0);
  // A button that is just taking on its colour has neither of the two that are meant.
  await page.evaluate('Promise.allSettled(document.getAnimations().map((each) => each.finished))');
  if (!(await page.evaluate('"axe" in window'))) await page.evaluate(await readFile(axe, 'utf8'));
  const violations = await page.evaluate(
    `axe.run(document, { iframes: false, resultTypes: ['violations'], ${rules ? `runOnly: ${JSON.stringify(rules)}` : ''} }).then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map((node) => node.html).join(' ')))`,
  );
  expect(violations, here).toEqual([]);
}
