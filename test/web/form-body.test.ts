import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { limitsOf, parseForm } from '../../src/web/form-body.ts';
import { type Company, company } from '../support/company.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { visitor } from '../support/visitor.ts';

/** Names and values as they come from a browser. */
const encode = (fields: readonly (readonly [string, string])[]) =>
  new URLSearchParams(fields.map(([name, value]): [string, string] => [name, value])).toString();

describe('a form', () => {
  it('holds fields, several of one name, and fields within fields', () => {
    const form = parseForm('a=1&lines%5B0%5D%5Bname%5D=Chair&lines[1][name]=Desk&id=x&id=y&text=a+b%26c');
    expect(JSON.parse(JSON.stringify(form))).toEqual({
      ...{ a: '1', id: ['x', 'y'], text: 'a b&c' },
      lines: { 0: { name: 'Chair' }, 1: { name: 'Desk' } },
    });
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'has nothing in it that was not sent: %s',
    (name) => {
      expect(parseForm('a=1')[name]).toBeUndefined();
      expect(parseForm(`${name}[x]=1`)[name]).toEqual(Object.assign(Object.create(null), { x: '1' }));
      expect(Object.prototype).not.toHaveProperty('x');
    },
  );

  it.each(['a[=1', 'a]=1', '[a]=1', 'a[b=1', 'a[b]c=1', 'a[b[c]]=1', '=1'])(
    'takes %s by its name as it stands',
    (text) => {
      const [name = '', value = ''] = text.split('=');
      expect(parseForm(text)[name]).toBe(value);
    },
  );

  it.each(['a=1&a[b]=2', 'a[b]=1&a=2', `a${'[b]'.repeat(50)}=1`])('refuses what cannot be one form: %s', (text) => {
    expect(() => parseForm(text)).toThrow(expect.objectContaining({ status: 400 }));
  });

  it('has as many fields as its page takes, and not one more', () => {
    expect(Object.keys(parseForm('a=1&b=2&c=3', 3))).toEqual(['a', 'b', 'c']);
    expect(() => parseForm('a=1&b=2&c=3&d=4', 3)).toThrow(expect.objectContaining({ status: 413 }));
  });

  it('gives back whatever was written into it', () => {
    const name = fc.string({ minLength: 1, maxLength: 8 }).filter((text) => !text.includes('[') && !text.includes(']'));
    fc.assert(
      fc.property(fc.dictionary(name, fc.dictionary(name, fc.string(), { minKeys: 1 })), (form) => {
        const fields = Object.entries(form).flatMap(([outer, inner]) =>
          Object.entries(inner).map(([key, value]) => [`${outer}[${key}]`, value] as const),
        );
        expect(JSON.parse(JSON.stringify(parseForm(encode(fields))))).toEqual(JSON.parse(JSON.stringify(form)));
      }),
      { numRuns: 200 },
    );
  });

  it.each([
    ['one numbered field, again and again', 'a[0]=1&'],
    ['nested names', 'a[b][c][d]=1&'],
    ['brackets that never close', 'a[[[[[[[[=1&'],
    ['empty fields', '&'],
    ['names of prototypes', '__proto__[constructor]=1&'],
    ['broken escapes', '%%5B%=%&'],
  ])('takes time that grows with its size alone: %s', (_what, piece) => {
    const cost = (times: number) => {
      const before = process.cpuUsage();
      parseForm(piece.repeat(times), 1_000_000);
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1_000;
    };
    // A parser that is not linear took 10 s here; CPU time, so that a busy machine changes nothing.
    expect(cost(40_000)).toBeLessThan(1_000);
  });
});

describe('a page', () => {
  it('takes little where nothing else is said, and of people who are not signed in', () => {
    expect(limitsOf('/settings/members/invitations', true)).toEqual({ bytes: 65_536, fields: 1_000 });
    expect(limitsOf('/documents', false)).toEqual({ bytes: 65_536, fields: 1_000 });
    expect(limitsOf('/documents', true).fields).toBeGreaterThan(5_000 * 12);
    expect(limitsOf('/documents/x/status', true)).toEqual(limitsOf('/anything', true));
  });
});

describe('the pages', () => {
  let letterhead: TestLetterhead;
  let dana: Company;
  beforeAll(async () => {
    letterhead = await startTestLetterhead();
    dana = await company(letterhead);
  });
  afterAll(() => letterhead.close());

  it.each([
    ['more bytes', { name: 'x'.repeat(70_000) }],
    ['more fields', Object.fromEntries(Array.from({ length: 1_001 }, (_, number) => [`f${number}`, '1']))],
  ])('answer a form of %s than they take with a page that says so, and change nothing', async (_what, form) => {
    const page = await dana.founder.post('/settings/sending', { ...form, undoSeconds: '30' });
    expect(page.status).toBe(413);
    expect(page.text).toContain('too much at once');
  });

  it.each(['/documents', '/documents/totals'])(
    'refuse more lines than a record has before any is read: %s',
    async (to) => {
      const lines = Array.from({ length: 5_001 }, (_, line): [string, string] => [`lines[${line}][name]`, 'x']);
      const page = await dana.founder.post(to, [['kind', 'invoice'], ...lines]);
      expect(page.status).toBe(413);
      expect(page.text).toContain('5001 lines; a record has at most 5000');
    },
  );

  it('list so many problems and count the rest', async () => {
    const lines = Array.from({ length: 60 }, (_, line): [string, string] => [`lines[${line}][unitPrice]`, 'abc']);
    const { status, text } = await dana.founder.post('/documents', [
      ['kind', 'invoice'],
      ['party[name]', 'Elm'],
      ...lines,
    ]);
    expect(status).toBe(422);
    const list = /class="problems"[\s\S]*?<\/ul>/.exec(text)?.[0] ?? '';
    expect(list.match(/<a /g)).toHaveLength(50);
    expect(list).toMatch(/and \d+ more/);
  });

  it('take of a stranger no more than the usual, where a member may send more', async () => {
    const form = { notes: 'x'.repeat(100_000) };
    expect((await visitor(letterhead).post('/documents', form)).status).toBe(413);
    expect((await dana.founder.post('/documents', form)).status).toBe(422);
  });
});

it('no page makes a text or a number of a field without asking what it is: one with fields within has neither', async () => {
  const web = path.join(import.meta.dirname, '../../src/web');
  const files = (await readdir(web)).filter((file) => file.endsWith('.ts'));
  expect(files.length).toBeGreaterThan(50);
  for (const file of files.filter((each) => each !== 'form-body.ts'))
    expect(await readFile(path.join(web, file), 'utf8'), file).not.toMatch(/\b(String|Number|BigInt)\(req\.body/);
});
