import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { PartyDetails } from '../../src/documents/document.ts';
import { findOrCreateParty, partiesNamed, similarParties } from '../../src/documents/find-party.ts';
import { importDocument } from '../../src/documents/import-document.ts';
import { createParty, getParty, listParties, updateParty } from '../../src/documents/parties.ts';
import { listMerges, mergeParties, undoMerge } from '../../src/documents/party-merges.ts';
import { readUbl } from '../../src/documents/read-ubl.ts';
import { createDocument, type DocumentRecord, getDocument } from '../../src/documents/store.ts';
import type { Database } from '../../src/platform/database.ts';
import { caseFile } from '../support/cases.ts';
import { invoice } from './content.ts';
import { startDatabase, type TenantDatabase } from './database.ts';

let database: TenantDatabase;
let tenantId: string;
beforeAll(async () => {
  database = await startDatabase();
});
afterAll(() => database.stop());
beforeEach(async () => {
  tenantId = await database.newTenant();
});

const within = <T>(work: (db: Database) => Promise<T>) => database.within(tenantId, work);
const find = (details: PartyDetails) => within((db) => findOrCreateParty(db, tenantId, details));
const add = (details: PartyDetails) => within((db) => createParty(db, tenantId, details));
const takeIn = (name: string): Promise<DocumentRecord> =>
  within((db) => importDocument(db, tenantId, null, readUbl(caseFile(`${name}.xml`), `${name}.xml`)));
const write = (party: PartyDetails) =>
  within((db) => createDocument(db, tenantId, { content: { ...invoice(), party, number: undefined } }));

describe('the party of a record', () => {
  it('is the one with its tax number, its email, or its name and address, also for two at once', async () => {
    const details = {
      name: 'Weber GmbH',
      taxId: 'DE111111111',
      email: 'ap@weber.example',
      street: 'Kai 1',
      city: 'Kiel',
    };
    const [first, second] = await Promise.all([find(details), find({ ...details, taxId: 'DE 111 111 111' })]);
    expect(second.id).toBe(first.id);
    expect((await find({ name: 'Weber', taxId: 'de111111111' })).id).toBe(first.id);
    expect((await find({ name: 'Weber', email: 'AP@weber.example' })).id).toBe(first.id);
    expect((await find({ name: 'WEBER GmbH', street: 'Kai 1', city: 'Kiel' })).id).toBe(first.id);
  });

  it('is a new one where only the name is the same', async () => {
    const maria = await add({ name: 'Maria Schmidt', email: 'maria@one.example' });
    const other = await find({ name: 'Maria Schmidt' });
    expect(other.id).not.toBe(maria.id);
    expect(other.email).toBeUndefined();
    expect((await find({ name: 'Maria Schmidt' })).id).not.toBe(other.id);
  });

  it('is another one for two imported companies of one name with different VAT numbers', async () => {
    const [a, b] = [await takeIn('same-name-A'), await takeIn('same-name-B')];
    expect(b.partyId).not.toBe(a.partyId);
    const second = await within((db) => getParty(db, tenantId, b.partyId));
    expect(second).toMatchObject({ name: 'WEBER GmbH', taxId: 'DE222222222', city: 'Passau', email: undefined });
    const first = await within((db) => getParty(db, tenantId, a.partyId));
    if (first) expect(await within((db) => similarParties(db, tenantId, first))).toEqual([]);
  });

  it('knows all email addresses of a file, and an electronic address that is one', async () => {
    const two = await takeIn('two-emails-semicolon');
    expect(two.content.party.email).toBe('ap@nordlicht.example, cfo@nordlicht.example');
    const one = await takeIn('endpoint-email-only');
    expect(one.content.party).toMatchObject({
      email: 'rechnung@nordlicht.example',
      endpoint: 'EM:rechnung@nordlicht.example',
    });
  });

  it('is offered by its name, however that is written', async () => {
    const cafe = await add({ name: 'Northgate Café' });
    expect((await within((db) => partiesNamed(db, tenantId, 'NORTHGATE CAFE'))).map(({ id }) => id)).toEqual([cafe.id]);
  });
});

describe('two contacts that are one', () => {
  const merge = (kept: string, gone: string) =>
    within((db) => mergeParties(db, tenantId, kept, gone, { memberId: null, at: new Date() }));

  it('are said to be perhaps the same, and become one with all records', async () => {
    const kept = await add({ name: 'Weber GmbH', email: 'ap@weber.example', city: 'Kiel' });
    const record = await write({ name: 'WEBER GmbH', taxId: 'DE1', street: 'Hof 2', city: 'Passau' });
    const gone = record.partyId;
    expect((await within((db) => similarParties(db, tenantId, kept))).map(({ id }) => id)).toEqual([gone]);
    await merge(kept.id, gone);
    expect((await within((db) => getDocument(db, tenantId, record.id)))?.partyId).toBe(kept.id);
    // What the other one knew is taken over; an address is not put together from two.
    expect(await within((db) => getParty(db, tenantId, kept.id))).toMatchObject({
      taxId: 'DE1',
      city: 'Kiel',
      street: undefined,
    });
    expect((await within((db) => listParties(db, tenantId))).rows.map(({ id }) => id)).toEqual([kept.id]);
    expect((await find({ name: 'Weber', taxId: 'de 1' })).id).toBe(kept.id);
    expect(await within((db) => similarParties(db, tenantId, kept))).toEqual([]);
  });

  it('are taken apart again, with what each knew and what was changed meanwhile', async () => {
    const kept = await add({ name: 'Weber GmbH' });
    const record = await write({ name: 'WEBER GmbH', taxId: 'DE1', email: 'a@weber.example' });
    await merge(kept.id, record.partyId);
    const later = await write({ name: 'Weber', taxId: 'DE1' });
    const changed = await within((db) => getParty(db, tenantId, kept.id));
    if (changed) {
      const { id: _, updatedAt: __, mergedInto: ___, ...details } = changed;
      await within((db) => updateParty(db, tenantId, kept.id, { ...details, email: 'new@weber.example' }));
    }
    const [done] = await within((db) => listMerges(db, tenantId, kept.id));
    expect(done).toMatchObject({ goneName: 'WEBER GmbH', records: 1, memberName: null });
    await within((db) => undoMerge(db, tenantId, done?.id ?? '', new Date()));
    expect((await within((db) => getDocument(db, tenantId, record.id)))?.partyId).toBe(record.partyId);
    expect((await within((db) => getDocument(db, tenantId, later.id)))?.partyId).toBe(kept.id);
    expect(await within((db) => getParty(db, tenantId, kept.id))).toMatchObject({
      taxId: undefined,
      email: 'new@weber.example',
    });
    expect(await within((db) => getParty(db, tenantId, record.partyId))).toMatchObject({
      taxId: 'DE1',
      mergedInto: undefined,
    });
    await expect(within((db) => undoMerge(db, tenantId, done?.id ?? '', new Date()))).rejects.toMatchObject({
      code: 'party_not_found',
    });
  });

  it('of three, in any order of undoing, go back where they were', async () => {
    const [a, b, c] = [
      await write({ name: 'A', taxId: 'X1' }),
      await write({ name: 'B', email: 'b@x.example' }),
      await write({ name: 'C', email: 'c@x.example' }),
    ];
    await merge(b.partyId, c.partyId);
    await merge(a.partyId, b.partyId);
    expect((await find({ name: 'C', email: 'c@x.example' })).id).toBe(a.partyId);
    const inner = (await within((db) => listMerges(db, tenantId, b.partyId)))[0];
    await within((db) => undoMerge(db, tenantId, inner?.id ?? '', new Date()));
    const outer = (await within((db) => listMerges(db, tenantId, a.partyId)))[0];
    await within((db) => undoMerge(db, tenantId, outer?.id ?? '', new Date()));
    for (const record of [a, b, c])
      expect((await within((db) => getDocument(db, tenantId, record.id)))?.partyId).toBe(record.partyId);
  });

  it('are refused where they are two: other tax numbers, itself, one that is gone, one of another company', async () => {
    const [one, two] = [await add({ name: 'A', taxId: 'DE1' }), await add({ name: 'A', taxId: 'DE2' })];
    for (const [kept, gone] of [
      [one.id, two.id],
      [one.id, one.id],
      [one.id, crypto.randomUUID()],
    ] as const)
      await expect(merge(kept, gone)).rejects.toMatchObject({ code: 'party_not_found' });
    const ours = tenantId;
    tenantId = await database.newTenant();
    await expect(merge((await add({ name: 'A' })).id, one.id)).rejects.toMatchObject({ code: 'party_not_found' });
    tenantId = ours;
  });
});
