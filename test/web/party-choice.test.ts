import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { caseFile } from '../support/cases.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { founder, type Page, type Visitor } from '../support/visitor.ts';

let letterhead: TestLetterhead;
let dana: Visitor;

beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false });
  dana = await founder(letterhead);
});
afterAll(() => letterhead.close());

const lines = {
  kind: 'invoice',
  issueDate: '2026-11-21',
  currency: 'EUR',
  'lines[0][name]': 'Counter',
  'lines[0][unitPrice]': '1',
};
const northgate = {
  'party[name]': 'Northgate Café',
  'party[email]': 'mira@northgate.example',
  'party[street]': 'Quay 1',
  'party[city]': 'Galway',
  'party[country]': 'IE',
};
const idIn = ({ location }: Page) => location?.split('/').at(-1) ?? '';
const partyOf = async (page: Page) => /href="\/parties\/([^"]+)"/.exec((await dana.get(page.location ?? '')).text)?.[1];
const write = (over: Record<string, string>) => dana.post('/documents', { ...lines, ...over });

describe('a new name over a customer', () => {
  it('does not keep their address and email, and is asked about', async () => {
    const how = 'picked';
    const contact = idIn(await dana.post('/parties', { ...northgate, 'party[name]': `Northgate ${how}` }));
    const typed = { ...northgate, 'party[name]': `Elm & Sons ${how}`, partyId: contact };
    const asked = await write(typed);
    expect(asked.status).toBe(422);
    expect(asked.text).toContain('written over Northgate');
    expect(asked.text).not.toContain('value="mira@northgate.example"');
    expect(asked.text).not.toContain('value="Quay 1"');
    const saved = await write({
      'party[name]': `Elm & Sons ${how}`,
      'party[email]': `elm${how}@elm.example`,
      'party[country]': 'IE',
    });
    expect(await partyOf(saved)).not.toBe(contact);
    expect((await dana.get(saved.location ?? '')).text).not.toContain('mira@northgate.example');
    const same = await write({ 'party[name]': `Northgate Ltd ${how}`, partyId: `same:${contact}` });
    expect(await partyOf(same)).toBe(contact);
    expect((await dana.get(same.location ?? '')).text).toContain('Quay 1');
  });

  it('with an email that another customer has is a new contact, which may be the same', async () => {
    await write({ 'party[name]': 'Shared One', 'party[email]': 'both@shared.example' });
    const second = await write({ 'party[name]': 'Shared Two', 'party[email]': 'both@shared.example' });
    const page = await dana.get(`/parties/${await partyOf(second)}`);
    expect(page.text).toContain('<h1>Shared Two</h1>');
    expect(page.text).toContain('May be the same');
    expect(page.text).toContain('Shared One');
  });

  it('is taken out while it is typed, too; a known name fills in its own', async () => {
    const [a, b] = [
      idIn(await dana.post('/parties', { ...northgate, 'party[name]': 'Typed One', 'party[email]': 'one@x.example' })),
      idIn(await dana.post('/parties', { 'party[name]': 'Typed Two', 'party[email]': 'two@x.example' })),
    ];
    const ask = (fields: Record<string, string>) => dana.get(`/documents/party?${new URLSearchParams(fields)}`);
    const one = { ...northgate, 'party[email]': 'one@x.example', partyId: a };
    const fresh = await ask({ ...one, 'party[name]': 'Nobody yet' });
    expect(fresh.text).not.toContain('one@x.example');
    expect(fresh.text).toContain(`value="same:${a}"`);
    const other = await ask({ ...one, 'party[name]': 'typed two' });
    expect(other.text).toContain('two@x.example');
    expect(other.text).toMatch(new RegExp(`name="partyId"[^>]* value="${b}"`));
    expect((await ask({ ...one, 'party[name]': 'Typed One' })).status).toBe(204);
    expect((await ask({ 'party[name]': 'Nobody', 'party[email]': 'n@x.example' })).status).toBe(204);
  });

  it('on a record that is there already is asked about as well', async () => {
    const record = await write({ ...northgate, 'party[name]': 'Edited Ltd', 'party[email]': 'ed@edited.example' });
    const path = record.location ?? '';
    const contact = await partyOf(record);
    const form = {
      ...lines,
      ...northgate,
      number: 'E-1',
      version: '1',
      partyId: contact ?? '',
      'party[email]': 'ed@edited.example',
    };
    const asked = await dana.post(path, { ...form, 'party[name]': 'Somebody Else' });
    expect(asked.status).toBe(422);
    expect(asked.text).not.toContain('value="ed@edited.example"');
    const corrected = await dana.post(path, { ...form, 'party[name]': 'EDITED, Ltd.' });
    expect(corrected.status).toBe(303);
    expect(await partyOf(corrected)).toBe(contact);
  });
});

describe('two of one name', () => {
  it('are both offered, and a name alone chooses neither', async () => {
    const first = idIn(
      await dana.post('/parties', { 'party[name]': 'Maria Schmidt', 'party[email]': 'maria@one.example' }),
    );
    const second = idIn(await dana.post('/parties', { 'party[name]': 'maria schmidt', 'party[city]': 'Passau' }));
    const asked = await write({ 'party[name]': 'Maria Schmidt', 'party[country]': 'IE' });
    expect(asked.text).toContain('You have 2 contacts called Maria Schmidt. Say who it is.');
    for (const id of [first, second, 'new']) expect(asked.text).toContain(`name="partyId" value="${id}"`);
    const suggested = await dana.get(`/documents/party?${new URLSearchParams({ 'party[name]': 'maria schmidt' })}`);
    expect(suggested.text).toContain(`name="partyId" value="${second}"`);
    expect(suggested.text).not.toContain('value="maria@one.example"');
    const chosen = await write({ 'party[name]': 'Maria Schmidt', partyId: second });
    expect(await partyOf(chosen)).toBe(second);
    expect((await dana.get(chosen.location ?? '')).text).toContain('Passau');
  });

  it('without an address is left out of a run, and its send page names nobody', async () => {
    const [a, b] = await dana
      .upload(
        '/imports',
        'files',
        ['same-name-A.xml', 'same-name-B.xml'].map((name) => ({ name, bytes: caseFile(name) })),
      )
      .then(({ text }) => [...text.matchAll(/href="\/documents\/([0-9a-f-]{36})"/g)].map(([, id = '']) => id));
    const run = await dana.post('/runs/new', { kind: 'invoice', ids: [a, b].join(',') });
    const page = run.status === 303 ? await dana.get(run.location ?? '') : run;
    expect(page.text).not.toContain('WEBER GmbH &lt;buchhaltung');
    const single = await dana.get(`/documents/${b}/deliveries/new`);
    expect(/id="to" name="to" value="([^"]*)"/.exec(single.text)?.[1]).toBe('');
    const known = await dana.get(`/documents/${a}/deliveries/new`);
    expect(known.text).toContain('buchhaltung@weber-kiel.example');
  });

  it('can be merged on the contact’s page, and taken apart again', async () => {
    const kept = idIn(
      await dana.post('/parties', { 'party[name]': 'Harbour Hotel', 'party[email]': 'desk@harbour.example' }),
    );
    const record = await write({ 'party[name]': 'HARBOUR HOTEL', 'party[taxId]': 'IE7' });
    const gone = (await partyOf(record)) ?? '';
    const page = await dana.get(`/parties/${kept}`);
    expect(page.text).toContain('May be the same');
    expect(page.text).toContain(`value="${gone}"`);
    const merged = await dana.post(`/parties/${kept}/merges`, { other: gone });
    const after = await dana.get(merged.location ?? '');
    expect(after.text).toContain('is part of this contact now');
    expect(after.text).toContain('IE7');
    expect(await partyOf(record)).toBe(kept);
    expect((await dana.get(`/parties/${gone}`)).location).toBe(`/parties/${kept}`);
    const [, undo = ''] = /action="(\/parties\/[^"]+\/undo)"/.exec(after.text) ?? [];
    const apart = await dana.post(undo, {});
    expect(apart.location).toBe(`/parties/${gone}`);
    expect(await partyOf(record)).toBe(gone);
    expect((await dana.get(`/parties/${kept}`)).text).not.toContain('<dt>Tax number</dt>');
    expect((await dana.post(undo, {})).status).toBe(303);
  });
});

describe('a contact that changes', () => {
  it('says what that means for the records that are there', async () => {
    const record = await write({ ...northgate, 'party[name]': 'Changing Ltd', 'party[email]': 'old@changing.example' });
    const contact = (await partyOf(record)) ?? '';
    await write({
      'party[name]': 'Changing Ltd',
      'party[street]': 'Quay 1',
      'party[city]': 'Galway',
      'party[country]': 'IE',
    });
    const form = { ...northgate, 'party[name]': 'Changing Ltd', 'party[email]': 'new@changing.example' };
    const saved = await dana.get((await dana.post(`/parties/${contact}`, form)).location ?? '');
    expect(saved.text).toContain('1 open record still goes to another email: the one written on it.');
    expect(saved.text).toContain('1 open record has no email of its own');
    const old = await dana.get(`${record.location}/deliveries/new`);
    expect(old.text).toContain('old@changing.example');
  });
});
