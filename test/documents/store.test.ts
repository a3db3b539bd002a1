import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DocumentKind } from '../../src/documents/document.ts';
import { importDocument } from '../../src/documents/import-document.ts';
import { countDocuments, listDocuments } from '../../src/documents/listing.ts';
import { nextNumber } from '../../src/documents/numbering.ts';
import { createParty, getParty, listParties, updateParty } from '../../src/documents/parties.ts';
import { readUbl } from '../../src/documents/read-ubl.ts';
import { deleteDraft, setDocumentStatus } from '../../src/documents/status.ts';
import { createDocument, documentsWithNumber, getDocument, updateDocument } from '../../src/documents/store.ts';
import { fixture, fixtures, invoice } from './content.ts';
import { startDatabase, type TenantDatabase } from './database.ts';

let database: TenantDatabase;
let tenantId: string;
beforeAll(async () => {
  database = await startDatabase();
});
afterAll(() => database?.stop());
const within: TenantDatabase['within'] = (id, work) => database.within(id, work);
const newTenant = async (timeZone?: string) => {
  tenantId = await database.newTenant(timeZone);
  return tenantId;
};
const unnumbered = () => ({ ...invoice(), number: undefined });
const year = 2026;
const at = new Date('2026-11-21T09:00:00Z');

describe('a record', () => {
  it('is stored whole, with its number, its party and what it comes to', async () => {
    await newTenant();
    const made = await within(tenantId, (db) => createDocument(db, tenantId, { content: unnumbered(), at }));
    expect(made).toMatchObject({
      number: `INV-${year}-0001`,
      status: 'open',
      version: 1,
      partyName: 'Northgate Café',
      issueDate: '2026-11-21',
      dueDate: '2026-12-05',
      payable: '1205.40',
      imported: false,
    });
    expect(made.content).toEqual({ ...invoice(), number: `INV-${year}-0001` });
    const party = await within(tenantId, (db) => getParty(db, tenantId, made.partyId));
    expect(party).toMatchObject({ name: 'Northgate Café', email: 'mira@northgate.example' });
    expect(await within(tenantId, (db) => getDocument(db, tenantId, made.id))).toEqual(made);
  });

  it('is another tenant’s secret', async () => {
    const [mine, other] = [await newTenant(), await newTenant()];
    const made = await within(mine, (db) => createDocument(db, mine, { content: invoice() }));
    expect(await within(other, (db) => getDocument(db, mine, made.id))).toBeUndefined();
    expect((await within(other, (db) => listDocuments(db, mine))).rows).toEqual([]);
    expect((await within(other, (db) => listParties(db, mine))).rows).toEqual([]);
    expect(await within(mine, (db) => getDocument(db, mine, 'not-an-id'))).toBeUndefined();
  });

  it('cannot have a number that another one has, and names that one', async () => {
    await newTenant();
    const first = await within(tenantId, (db) => createDocument(db, tenantId, { content: invoice() }));
    const second = within(tenantId, (db) => createDocument(db, tenantId, { content: invoice() }));
    await expect(second).rejects.toMatchObject({ name: 'DocumentError', code: 'number_taken', documentId: first.id });
    const quote = await within(tenantId, (db) => createDocument(db, tenantId, { content: invoice({ kind: 'quote' }) }));
    expect(quote.number).toBe(first.number);
  });

  it('is changed by who read its latest version, and by nobody else', async () => {
    await newTenant();
    const made = await within(tenantId, (db) => createDocument(db, tenantId, { content: invoice() }));
    const change = (notes: string[], version = 1) =>
      within(tenantId, (db) => updateDocument(db, tenantId, made.id, { version, content: invoice({ notes }) }));
    const outcomes = await Promise.allSettled([change(['one']), change(['two'])]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    await expect(change(['three'])).rejects.toMatchObject({ code: 'changed_meanwhile' });
    expect(await change(['four'], 2)).toMatchObject({ version: 3, content: { notes: ['four'] } });
  });

  it('moves to another status, counts, and is gone for who asks for another', async () => {
    await newTenant();
    const made = await within(tenantId, (db) => createDocument(db, tenantId, { content: invoice(), status: 'draft' }));
    expect(await within(tenantId, (db) => setDocumentStatus(db, tenantId, made.id, 'paid'))).toMatchObject({
      status: 'paid',
      version: 2,
    });
    expect(await within(tenantId, (db) => countDocuments(db, tenantId))).toEqual({
      invoice: 1,
      credit_note: 0,
      quote: 0,
      purchase_order: 0,
    });
    await expect(within(tenantId, (db) => setDocumentStatus(db, tenantId, tenantId, 'paid'))).rejects.toMatchObject({
      code: 'not_found',
    });
  });
});

describe('numbers', () => {
  it('have no gap and no double under forty at once', async () => {
    await newTenant();
    const made = await Promise.all(
      Array.from({ length: 40 }, () =>
        within(tenantId, (db) => createDocument(db, tenantId, { content: unnumbered(), at })),
      ),
    );
    const expected = Array.from({ length: 40 }, (_, index) => `INV-${year}-${String(index + 1).padStart(4, '0')}`);
    expect(made.map((record) => record.number).sort()).toEqual(expected);
  });

  it('are given back when the transaction fails', async () => {
    await newTenant();
    const failed = within(tenantId, async (db) => {
      await nextNumber(db, tenantId, 'quote', at);
      throw new Error('changed my mind');
    });
    await expect(failed).rejects.toThrow('changed my mind');
    expect(await within(tenantId, (db) => nextNumber(db, tenantId, 'quote', at))).toBe(`Q-${year}-0001`);
  });

  it('are of the year that it is where the tenant is, by the time that is given', async () => {
    await newTenant('Pacific/Kiritimati');
    // Fourteen hours ahead of UTC.
    const of = (at: string) =>
      within(tenantId, (db) => createDocument(db, tenantId, { content: unnumbered(), at: new Date(at) }));
    expect((await of('2031-12-31T09:59:00Z')).number).toBe('INV-2031-0001');
    expect((await of('2031-12-31T10:00:00Z')).number).toBe('INV-2032-0001');
  });

  it('step over one that was typed by hand', async () => {
    await newTenant();
    await within(tenantId, (db) => createDocument(db, tenantId, { content: invoice({ number: `INV-${year}-0001` }) }));
    expect(await within(tenantId, (db) => nextNumber(db, tenantId, 'invoice', at))).toBe(`INV-${year}-0002`);
  });

  it.each<[DocumentKind, string]>([
    ['invoice', 'INV'],
    ['credit_note', 'CN'],
    ['quote', 'Q'],
    ['purchase_order', 'PO'],
  ])('of a %s begin with %s', async (kind, prefix) => {
    await newTenant('Pacific/Kiritimati');
    expect(await within(tenantId, (db) => nextNumber(db, tenantId, kind, new Date()))).toMatch(
      new RegExp(`^${prefix}-\\d{4}-0001$`),
    );
  });
});

describe('a list', () => {
  it('pages through everything once, newest day first, and each day in the order of its numbers: 9 before 10', async () => {
    await newTenant();
    await within(tenantId, async (db) => {
      for (let i = 0; i < 25; i += 1)
        await createDocument(db, tenantId, {
          content: invoice({
            number: `N${i}`,
            issueDate: `2026-11-${String(1 + (i % 5)).padStart(2, '0')}`,
            dueDate: undefined,
          }),
        });
    });
    const seen: string[] = [];
    let after: string | undefined;
    do {
      const page = await within(tenantId, (db) => listDocuments(db, tenantId, { limit: 7, after }));
      seen.push(...page.rows.map((row) => `${row.issueDate} ${row.number}`));
      after = page.next;
    } while (after !== undefined);
    const days = ['2026-11-05', '2026-11-04', '2026-11-03', '2026-11-02', '2026-11-01'];
    expect(seen).toEqual(days.flatMap((day, index) => [0, 5, 10, 15, 20].map((n) => `${day} N${n + 4 - index}`)));
  });

  it('finds by kind, status, number and name, with LIKE’s own signs taken as text', async () => {
    await newTenant();
    const names = ['Ødegård 100%', 'Northgate Café'];
    await within(tenantId, async (db) => {
      for (const [index, name] of names.entries())
        await createDocument(db, tenantId, { content: invoice({ number: `A_${index}`, party: { name } }) });
    });
    const found = async (filter: Parameters<typeof listDocuments>[2]) =>
      (await within(tenantId, (db) => listDocuments(db, tenantId, filter))).rows.map((row) => row.partyName);
    expect(await found({ search: 'ødegård' })).toEqual(['Ødegård 100%']);
    expect(await found({ search: '0%' })).toEqual(['Ødegård 100%']);
    expect(await found({ search: 'a_1' })).toEqual(['Northgate Café']);
    expect(await found({ search: '%' })).toEqual(['Ødegård 100%']);
    expect(await found({ kind: 'quote' })).toEqual([]);
    expect(await found({ status: 'open', after: 'broken cursor' })).toHaveLength(2);
  });

  it('shows parties by name, page by page', async () => {
    await newTenant();
    await within(tenantId, async (db) => {
      for (const name of ['b', 'A', 'İ', 'c', 'Ä', 'B']) await createParty(db, tenantId, { name });
    });
    const seen: string[] = [];
    let after: string | undefined;
    do {
      const page = await within(tenantId, (db) => listParties(db, tenantId, { limit: 2, after }));
      seen.push(...page.rows.map((row) => row.name));
      after = page.next;
    } while (after !== undefined);
    expect(seen.toSorted()).toEqual(['b', 'A', 'İ', 'c', 'Ä', 'B'].toSorted());
    expect(seen[0]).toBe('A');
  });
});

describe('parties', () => {
  it('change without changing what was printed', async () => {
    await newTenant();
    const made = await within(tenantId, (db) => createDocument(db, tenantId, { content: invoice() }));
    await within(tenantId, (db) => updateParty(db, tenantId, made.partyId, { name: 'New name' }));
    expect(await within(tenantId, (db) => getDocument(db, tenantId, made.id))).toMatchObject({
      partyName: 'Northgate Café',
      content: { party: { name: 'Northgate Café' } },
    });
  });
});

describe('an import', () => {
  it('stores every published file, with its source', async () => {
    await newTenant();
    for (const { name, bytes } of fixtures) {
      const record = await within(tenantId, (db) =>
        importDocument(db, tenantId, null, readUbl(bytes, name), { numberRepeats: true }),
      );
      expect(record).toMatchObject({ imported: true, source: { fileName: name } });
      expect(record.content.extras.length).toBeGreaterThan(0);
    }
    const counts = await within(tenantId, (db) => countDocuments(db, tenantId));
    expect(counts).toEqual({ invoice: 9, credit_note: 1, quote: 0, purchase_order: 3 });
    // Two of the published orders are both number 1.
    expect(await within(tenantId, (db) => documentsWithNumber(db, tenantId, 'purchase_order', '1'))).toHaveLength(2);
  });

  it('refuses the same file twice, and names the first', async () => {
    await newTenant();
    const bytes = Buffer.from(fixture('peppol-base-example.xml'));
    const load = () => within(tenantId, (db) => importDocument(db, tenantId, null, readUbl(bytes, 'again.xml')));
    const outcomes = await Promise.allSettled([load(), load()]);
    const [first] = (await within(tenantId, (db) => listDocuments(db, tenantId))).rows;
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    await expect(load()).rejects.toMatchObject({
      code: 'already_imported',
      documentId: first?.id,
      message: expect.stringContaining('again.xml'),
    });
  });

  it('stores nothing of a broken file', async () => {
    await newTenant();
    const broken = Buffer.from(
      fixture('peppol-base-example.xml').replace('1656.25</cbc:PayableAmount>', '1</cbc:PayableAmount>'),
    );
    await expect(
      within(tenantId, (db) => importDocument(db, tenantId, null, readUbl(broken, 'a.xml'))),
    ).rejects.toMatchObject({
      code: 'totals_differ',
    });
    expect((await within(tenantId, (db) => listDocuments(db, tenantId))).rows).toEqual([]);
    expect((await within(tenantId, (db) => listParties(db, tenantId))).rows).toEqual([]);
  });
});

describe('a draft', () => {
  const draft = () =>
    within(tenantId, (db) => createDocument(db, tenantId, { content: unnumbered(), status: 'draft', at }));

  it('takes its number when it is finalised, so that one that was deleted leaves no gap', async () => {
    await newTenant();
    const [first, second, third] = [await draft(), await draft(), await draft()];
    expect([first, second, third].map(({ number }) => number)).toEqual(['Draft', 'Draft', 'Draft']);
    await within(tenantId, (db) => deleteDraft(db, tenantId, first.id));
    const { number } = await within(tenantId, (db) => setDocumentStatus(db, tenantId, third.id, 'open', at));
    expect(number).toBe(`INV-${year}-0001`);
    const { content, version } = await within(tenantId, (db) =>
      updateDocument(db, tenantId, second.id, { version: second.version, content: second.content, status: 'open', at }),
    );
    expect(content.number).toBe(`INV-${year}-0002`);
    expect(version).toBe(second.version + 1);
  });

  it('keeps a number that somebody typed', async () => {
    await newTenant();
    const typed = await within(tenantId, (db) =>
      createDocument(db, tenantId, { content: invoice({ number: 'X-7' }), status: 'draft' }),
    );
    expect((await within(tenantId, (db) => setDocumentStatus(db, tenantId, typed.id, 'open'))).number).toBe('X-7');
  });

  it('of before, which holds a number taken in order, gives it to the next record when it is deleted: no gap, no twin', async () => {
    await newTenant();
    const make = () => within(tenantId, (db) => createDocument(db, tenantId, { content: unnumbered(), at }));
    const made = [await make(), await make(), await make()];
    await within(tenantId, (db) =>
      db.updateTable('documents').set({ status: 'draft' }).where('number', '<>', `INV-${year}-0003`).execute(),
    );
    for (const { id, number } of made.slice(0, 2)) {
      await within(tenantId, (db) => deleteDraft(db, tenantId, id));
      expect(number).not.toBe(`INV-${year}-0003`);
    }
    // Somebody types one of them meanwhile: it is not given out again.
    await within(tenantId, (db) => createDocument(db, tenantId, { content: invoice({ number: `INV-${year}-0001` }) }));
    const next = [await make(), await make()].map(({ number }) => number);
    expect(next).toEqual([`INV-${year}-0002`, `INV-${year}-0004`]);
    const typed = await within(tenantId, (db) =>
      createDocument(db, tenantId, { content: invoice({ number: `INV-${year}-0900` }), status: 'draft' }),
    );
    await within(tenantId, (db) => deleteDraft(db, tenantId, typed.id));
    expect((await make()).number).toBe(`INV-${year}-0005`);
  });

  it('is the only record that can be deleted', async () => {
    await newTenant();
    const { id } = await draft();
    await within(tenantId, (db) => setDocumentStatus(db, tenantId, id, 'open', at));
    await expect(within(tenantId, (db) => deleteDraft(db, tenantId, id))).rejects.toMatchObject({
      code: 'not_a_draft',
    });
    expect(await within(tenantId, (db) => getDocument(db, tenantId, id))).toBeDefined();
  });
});
