import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asset } from '../../src/web/assets.ts';
import { icon } from '../../src/web/icon.ts';
import { someRows } from '../support/at-length.ts';
import { sharedChromium } from '../support/chromium.ts';
import { lookAt, looks, rulesIn } from '../support/fit.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { founder, type Visitor } from '../support/visitor.ts';
import { signedInCookie } from './signed-in.ts';

let letterhead: TestLetterhead;
let dana: Visitor;
let browser: Browser;

beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false });
  [dana, browser] = await Promise.all([founder(letterhead), sharedChromium()]);
});
afterAll(async () => {
  await letterhead?.close();
});

describe('assets', () => {
  it('may be kept for a year at their versioned address, and not at another one', async () => {
    for (const file of ['letterhead/letterhead.css', 'htmx/htmx.min.js', 'inter/wght.css', 'serif/wght.css']) {
      const current = await fetch(letterhead.url + asset(file));
      expect(current.status, file).toBe(200);
      expect(current.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
      const old = await fetch(letterhead.url + asset(file).replace(/@[^/]+/, '@older'));
      expect(old.headers.get('cache-control')).toBe('no-cache');
    }
  });

  it('are nothing but what pages need', async () => {
    for (const file of ['inter/package.json', 'htmx/htmx.js', 'letterhead/../package.json', 'letterhead/nothing.css']) {
      expect((await dana.get(asset(file))).status, file).toBe(404);
    }
  });
});

describe('icons', () => {
  it('are inline, silent, and a mistake when there is none', () => {
    expect(icon('send')).toMatch(/^<svg class="icon"[^>]*aria-hidden="true"/);
    expect(() => icon('no-such-icon')).toThrow();
    expect(() => icon('../outline/send')).toThrow(TypeError);
  });
});

describe('every page', () => {
  it('has nothing inline, one heading, and marks where one is', async () => {
    for (const address of ['/', '/documents?kind=quote', '/documents/new?kind=invoice', '/parties', '/imports']) {
      const { text } = await dana.get(address);
      expect(text, address).not.toMatch(/\sstyle=|<style|\son\w+=|<script(?![^>]*src=)/);
      expect(text.match(/<h1/g), address).toHaveLength(1);
    }
    expect((await dana.get('/documents?kind=quote')).text).toMatch(/kind=quote" aria-current="page"/);
  });

  it.each(someRows(looks))(
    'passes axe, $viewport.width wide in $colorScheme, without a complaint of the browser',
    async (look) => {
      const session = { ...(await signedInCookie(letterhead, 'mira@northgate.example')), url: letterhead.url };
      const context = await browser.newContext(look);
      await context.addCookies([session]);
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
      page.on('pageerror', (error) => complaints.push(error.message));

      await page.goto(`${letterhead.url}/documents/new?kind=invoice`);
      await page.fill(
        '[name="party[name]"]',
        'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft',
      );
      await page.fill('[name="lines[0][name]"]', 'Oak counter');
      await page.fill('[name="lines[0][unitPrice]"]', '980');
      await page.getByText('Add line').click();
      await page.fill('[name="lines[1][name]"]', 'Shelves');
      await page.fill('[name="lines[1][unitPrice]"]', '60.50');
      await page.locator('#totals .total', { hasText: '€1,040.50' }).waitFor();
      await page.getByRole('button', { name: 'Save invoice' }).click();
      await page.locator('h1', { hasText: /^Invoice INV/ }).waitFor();
      const record = new URL(page.url()).pathname;

      const others = [
        '/',
        '/documents',
        '/documents?kind=quote',
        '/documents/new',
        '/parties',
        '/parties/new',
        '/imports',
        '/nothing',
      ];
      for (const address of [record, `${record}/edit`, ...others]) {
        await page.goto(letterhead.url + address);
        await lookAt(page, rulesIn(look));
      }
      // The page that is not there is the browser's only complaint.
      expect(complaints.filter((text) => !text.includes('404'))).toEqual([]);
      await context.close();
    },
  );
});
