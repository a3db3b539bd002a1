import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { slim } from '../../bin/slim.ts';

let root: string;
const at = (file: string) => path.join(root, file);

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'slim-'));
  put('node_modules/googleapis/build/src/apis/gmail/index.js', 'gmail');
  put('node_modules/googleapis/build/src/apis/drive/index.js', 'drive'.repeat(100));
  put('node_modules/googleapis/build/src/index.js', 'all');
  put('node_modules/googleapis/package.json', '{}');
  for (const name of ['send', 'clock', 'alert-triangle', 'moon'])
    put(`node_modules/@tabler/icons/icons/outline/${name}.svg`, '<svg></svg>');
  put('node_modules/@tabler/icons/icons/filled/send.svg', '<svg></svg>');
  put('node_modules/@tabler/icons/categories/send.svg', '<svg></svg>');
  put('node_modules/@tabler/icons/package.json', '{}');
  put('node_modules/other/index.js', 'other');
  put('views/page.ejs', `<%- icon('send') %> <%- icon(late ? "clock" : 'alert-triangle') %>`);
});
afterEach(() => rmSync(root, { recursive: true }));

function put(file: string, text: string): void {
  mkdirSync(path.dirname(at(file)), { recursive: true });
  writeFileSync(at(file), text);
}

it('keeps Gmail of Google’s APIs, the icons that pages show, and every other package', () => {
  const { before, after, icons } = slim(root);
  expect(icons).toEqual(['alert-triangle', 'clock', 'send']);
  expect(readdirSync(at('node_modules/googleapis/build/src'))).toEqual(['apis']);
  expect(readdirSync(at('node_modules/googleapis/build/src/apis'))).toEqual(['gmail']);
  expect(readdirSync(at('node_modules/@tabler/icons/icons'))).toEqual(['outline']);
  expect(readdirSync(at('node_modules/@tabler/icons/icons/outline'))).toHaveLength(3);
  expect(existsSync(at('node_modules/other/index.js'))).toBe(true);
  expect(after).toBeLessThan(before - 500);
});

it.each([
  ['a checkout, which needs all of it', 'node_modules/vitest/index.js', /Development packages/],
  ['pages that show no icon: it looked at the wrong place', 'views/page.ejs', /No page shows an icon/],
])('takes nothing from %s', (_where, file, message) => {
  put(file, '');
  expect(() => slim(root)).toThrow(message);
  expect(existsSync(at('node_modules/googleapis/build/src/apis/drive/index.js'))).toBe(true);
});
