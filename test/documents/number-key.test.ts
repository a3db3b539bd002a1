import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { importFile } from '../../src/documents/import-document.ts';
import { listDocuments } from '../../src/documents/listing.ts';
import { nextNumber } from '../../src/documents/numbering.ts';
import { readUbl } from '../../src/documents/read-ubl.ts';
import { createDocument, documentsWithNumber, updateDocument } from '../../src/documents/store.ts';
import { propertyRuns } from '../support/at-length.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { fixture, invoice } from './content.ts';
import { startDatabase, type TenantDatabase } from './database.ts';

let database: TenantDatabase;
let plain: TestDatabase;
beforeAll(async () => {
  database = await startDatabase();
  plain = await testDatabase();
});
afterAll(() => Promise.all([database.stop(), plain.close()]));

const keysOf = async (numbers: readonly string[]) => {
  const list = sql.join(numbers.map((number) => sql`${number}::text`));
  const { rows } = await sql<{ key: string }>`
    select number_key(number) as key from unnest(array[${list}]) with ordinality as all_of (number, place) order by place
  `.execute(plain.db);
  return rows.map(({ key }) => key);
};

/** One number, as people and programs write it. */
const ones = [
  ...['RE-2026-7', 're-2026-7', 'Re-2026-7', ' RE-2026-7', 'RE-2026-7\t', 'RE\u20112026\u20117', 'RE\u20102026\u20107'],
  ...[
    'RE\u20132026\u20137',
    'RE\u20142026\u20157',
    'RE\u22122026\u20127',
    'RE\uff0d2026\uff0d7',
    'RE\ufe632026\ufe587',
  ],
  ...[
    '\uff32\uff25-\uff12\uff10\uff12\uff16-\uff17',
    'RE\u200b-2026\u2060-7',
    'RE-\u00ad2026-7\ufeff',
    '\u202eRE-2026-7\u202c',
  ],
];
/** Others. */
const others = [
  'RE-2026-07',
  'RE-2026-70',
  'RE2026-7',
  'RE-2026-7a',
  'RE 2026 7',
  'RE/2026/7',
  'R\u00c9-2026-7',
  '-7',
  'RE-2026--7',
];

describe('a number', () => {
  it('is one however it is written, and no other', async () => {
    expect(new Set(await keysOf(ones))).toEqual(new Set(['re-2026-7']));
    const keys = await keysOf(others);
    expect(new Set([...keys, 're-2026-7']).size).toBe(others.length + 1);
  });

  it.each([
    ['blanks of any width', 'INV\u00a026\u2003 7', 'inv 26 7'],
    ['letters with accents in two ways', 'E\u0301-1', '\u00e9-1'],
    ['letters that are two when they are large', 'stra\u00dfe 1', 'STRASSE 1'],
    ['figures in circles and above', '\u2460\u00b2', '12'],
  ])('with %s is the same', async (_what, a, b) => {
    const [first, second] = await keysOf([a, b]);
    expect(first).toBe(second);
  });

  it('in any disguise is found under what it was, and under nothing else', async () => {
    const letter = fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-/. ');
    const number = fc
      .array(letter, { minLength: 1, maxLength: 20 })
      .map((letters) => letters.join('').replaceAll(/ +/g, ' ').trim())
      .filter((text) => text !== '');
    const disguise = fc.infiniteStream(fc.nat(5));
    const cases = fc.sample(fc.tuple(number, disguise, number), { numRuns: propertyRuns(3_000), seed: 20261201 });
    const dressed = cases.map(([text, how]) => dress(text, how));
    const [written, hidden, another] = await Promise.all(
      [cases.map(([text]) => text), dressed, cases.map(([, , text]) => text)].map(keysOf),
    );
    for (const [index, [text, , other]] of cases.entries()) {
      expect(hidden?.[index], JSON.stringify(dressed[index])).toBe(written?.[index]);
      expect(another?.[index] === written?.[index], `${text} | ${other}`).toBe(text === other);
    }
    // And a key is its own key.
    expect(await keysOf(hidden ?? [])).toEqual(hidden);
  });

  it('of any text at all has a key that is its own', async () => {
    const texts = fc.sample(fc.string({ unit: 'grapheme', maxLength: 12 }), { numRuns: propertyRuns(3_000), seed: 1 });
    const keys = await keysOf(texts.map((text) => text.replaceAll('\u0000', '')));
    expect(await keysOf(keys)).toEqual(keys);
  });
});

/** The same number in other letters: each by the next of the numbers. */
function dress(text: string, how: Iterable<number>): string {
  const ways = how[Symbol.iterator]();
  const letters = [...text].map((letter) => {
    const way: number = ways.next().value ?? 0;
    if (way === 1) return letter.toLowerCase();
    if (way === 2 && /[!-~]/.test(letter)) return String.fromCharCode(letter.charCodeAt(0) + 0xfee0);
    if (way === 3) return `\u200b${letter}\u2060`;
    if (letter === '-') return ['-', '\u2010', '\u2011', '\u2013', '\u2212', '\u2014'][way] ?? '-';
    return letter === ' ' ? (['\u00a0', '  ', '\u2003', ' ', '\u3000', '\t'][way] ?? ' ') : letter;
  });
  return ` ${letters.join('')}\u00a0`;
}

describe('a number that is taken', () => {
  const written = { ...invoice(), number: 'INV-A-7' };
  const asIn = { ...invoice(), number: 'inv\u2011a\u20117' };

  it('is taken however it is written, and the record says how the other one writes it', async () => {
    const tenantId = await database.newTenant();
    await database.within(tenantId, (db) => createDocument(db, tenantId, { content: written }));
    const again = database.within(tenantId, (db) => createDocument(db, tenantId, { content: asIn }));
    await expect(again).rejects.toThrow(/used by another record, written INV-A-7\./);
    const other = await database.within(tenantId, (db) =>
      createDocument(db, tenantId, { content: { ...written, number: 'INV-A-07' } }),
    );
    const change = { version: other.version, content: asIn };
    await expect(
      database.within(tenantId, (db) => updateDocument(db, tenantId, other.id, change)),
    ).rejects.toMatchObject({ code: 'number_taken' });
  });

  it('may be written in another way on its own record', async () => {
    const tenantId = await database.newTenant();
    const { id, version } = await database.within(tenantId, (db) => createDocument(db, tenantId, { content: written }));
    const saved = await database.within(tenantId, (db) =>
      updateDocument(db, tenantId, id, { version, content: { ...written, number: 'inv-a-7' } }),
    );
    expect(saved.number).toBe('inv-a-7');
  });

  it('is found by searching and as a twin, however it is typed', async () => {
    const tenantId = await database.newTenant();
    const { id } = await database.within(tenantId, (db) => createDocument(db, tenantId, { content: written }));
    for (const search of ['INV-A-7', 'inv\u2010a', '\uff29\uff2e\uff36', ' a\u22127 '])
      expect((await database.within(tenantId, (db) => listDocuments(db, tenantId, { search }))).rows).toMatchObject([
        { id },
      ]);
    for (const search of ['INV_A', '%', '\\', 'INV-A-70'])
      expect((await database.within(tenantId, (db) => listDocuments(db, tenantId, { search }))).rows).toEqual([]);
    const twins = await database.within(tenantId, (db) => documentsWithNumber(db, tenantId, 'invoice', asIn.number));
    expect(twins).toMatchObject([{ id }]);
  });

  it('is stepped over by the next number in order', async () => {
    const tenantId = await database.newTenant();
    const content = { ...invoice(), number: 'inv\u20132026\u20130001' };
    await database.within(tenantId, (db) => createDocument(db, tenantId, { content }));
    const next = await database.within(tenantId, (db) =>
      nextNumber(db, tenantId, 'invoice', new Date('2026-06-01T00:00:00Z')),
    );
    expect(next).toBe('INV-2026-0002');
  });

  it('asks about a file that was exported again', async () => {
    const { tenantId } = await plain.tenant();
    const xml = fixture('peppol-base-example.xml').toString();
    const number = /<cbc:ID>([^<]+)</.exec(xml)?.[1] ?? '';
    const ubl = { read: async (bytes: Uint8Array, name: string) => readUbl(bytes, name), close: async () => {} };
    const bring = (text: string, anyway: boolean) =>
      importFile(
        { db: plain.db, ubl },
        tenantId,
        null,
        { bytes: Buffer.from(text), name: 'a.xml' },
        { anyway, at: new Date() },
      );
    expect(await bring(xml, true)).toMatchObject({ result: 'imported' });
    const again = xml.replace(`<cbc:ID>${number}<`, `<cbc:ID>\u00a0${number.toLowerCase()}\u200b<`);
    const asked = await bring(again, false);
    expect(asked.result === 'asks' && asked.questions).toContainEqual(
      expect.objectContaining({ code: 'number_taken', same: true }),
    );
  });
});
