import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const GUIDE = readFileSync(new URL('../../docs/local-google.md', import.meta.url), 'utf8');
const TABLE = GUIDE.slice(GUIDE.indexOf('## Fact, test, status'), GUIDE.indexOf('How it behaves where'));

const rows = [...TABLE.matchAll(/^\| ([^|]+) \| ([^|]*) ?\| ([^|]+) \|$/gm)]
  .map(([, fact = '', tests = '', status = '']) => ({ fact, tests: tests.trim(), status }))
  .filter(({ fact }) => fact !== 'fact' && !fact.startsWith('---'));

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
  it('has rows for every section of google.md', () => {
    expect(rows.length).toBeGreaterThan(60);
    const sections = new Set(rows.map(({ fact }) => fact[0]));
    expect([...sections].sort()).toEqual(['0', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H']);
  });

  it.each(rows.filter(({ tests }) => tests !== ''))('names tests that exist: $fact', ({ tests }) => {
    const found = named(tests);
    expect(found.length).toBeGreaterThan(0);
    for (const { file, beginnings } of found) {
      const path = new URL(`./${file}.test.ts`, import.meta.url);
      expect(existsSync(path), file).toBe(true);
      const text = readFileSync(path, 'utf8');
      for (const beginning of beginnings) expect(text, `${file}: ${beginning}`).toContain(beginning);
    }
  });

  it.each(rows.filter(({ tests }) => tests === ''))('says why nothing is tested here: $fact', ({ status }) => {
    expect(status).toMatch(/^(?:not modelled: |nothing to model|a fact of the client library|driven by)/);
  });
});
