import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { policiesShape } from '../src/policies.ts';
import { quotaSettings } from '../src/quotas/settings.ts';

const GUIDE = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const SWITCHES = GUIDE.slice(GUIDE.indexOf('## Switches, and the product'), GUIDE.indexOf('How it behaves where'));
const TABLE = GUIDE.slice(GUIDE.indexOf('## Fact, test, status'), GUIDE.indexOf('## Switches, and the product'));

const rows = tableRows(TABLE)
  .map(([fact = '', tests = '', status = '']) => ({ fact, tests: tests.trim(), status }))
  .filter(({ fact }) => fact !== 'fact');
const switches = tableRows(SWITCHES)
  .map(([name = '', , tests = '']) => ({ name: name.replaceAll('`', ''), tests }))
  .filter(({ name }) => name !== 'switch');

/** The cells of each row of three. */
function tableRows(text: string): string[][] {
  return [...text.matchAll(/^\| ([^|]+) \| ([^|]*) ?\| ([^|]+) \|$/gm)]
    .map(([, ...cells]) => cells)
    .filter(([first = '']) => !first.startsWith('---'));
}

/** `file`: beginning …, another …; `file` → each file with the beginnings it must hold. */
function named(tests: string): { file: string; beginnings: string[] }[] {
  return [...tests.matchAll(/`([\w/-]+)`(?::([^;`]*))?/g)].map(([, file = '', words = '']) => ({
    file,
    beginnings: words
      .split('…')
      .map((piece) => piece.replace(/^[,\s]+/, '').trim())
      .filter((piece) => piece !== ''),
  }));
}

describe('the table of facts', () => {
  it('has rows for every section of docs/google.md', () => {
    expect(rows.length).toBeGreaterThan(60);
    const sections = new Set(rows.map(({ fact }) => fact[0]));
    expect([...sections].sort()).toEqual(['0', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H']);
  });

  it.each(rows.filter(({ tests }) => tests !== ''))('names tests that exist: $fact', ({ tests }) => {
    expectTests(tests, './');
  });

  it.each(rows.filter(({ tests }) => tests === ''))('says why nothing is tested here: $fact', ({ status }) => {
    expect(status).toMatch(/^(?:not modelled: |nothing to model|a fact of the client library|driven by)/);
  });
});

describe('the table of switches', () => {
  it('has every switch of an unconfirmed fact, and of what Google is said to answer in more than one way', () => {
    const answers = Object.entries(quotaSettings.parse({})).filter(([, value]) => value !== null);
    const known = [...Object.keys(policiesShape.parse({}).unconfirmed), ...answers.map(([name]) => name)];
    expect(known.length).toBeGreaterThan(10);
    expect(switches.map(({ name }) => name).sort()).toEqual(known.sort());
  });

  it.each(switches)('names tests of the product that set $name', ({ name, tests }) => {
    for (const text of expectTests(tests, '../../test/')) expect(text).toContain(name);
  });
});

/** That the tests exist which a cell names, with the beginnings of their sentences; their files' texts. */
function expectTests(tests: string, folder: string): string[] {
  const found = named(tests);
  expect(found.length).toBeGreaterThan(0);
  return found.map(({ file, beginnings }) => {
    const path = new URL(`${folder}${file}.test.ts`, import.meta.url);
    expect(existsSync(path), file).toBe(true);
    const text = readFileSync(path, 'utf8');
    for (const beginning of beginnings) expect(text, `${file}: ${beginning}`).toContain(beginning);
    return text;
  });
}
