import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { founder, type Visitor } from '../support/visitor.ts';

let letterhead: TestLetterhead;
let dana: Visitor;

beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false });
  dana = await founder(letterhead);
});
afterAll(() => letterhead.close());

describe('contacts', () => {
  it('begin empty, with what to do', async () => {
    expect((await dana.get('/parties')).text).toContain('No contacts yet');
  });

  it('are written, changed and found', async () => {
    const answer = await dana.post('/parties', {
      'party[name]': 'Northgate <Café>',
      'party[email]': 'mira@northgate.example',
    });
    const path = answer.location ?? '';
    expect((await dana.get(path)).text).toContain('Northgate &lt;Café&gt;');
    await dana.post(path, { 'party[name]': 'Northgate Café', 'party[city]': 'Galway' });
    const page = await dana.get('/parties?q=northg');
    expect(page.text).toContain('Northgate Café');
    expect(page.text).toContain('Galway');
    expect(page.text).not.toContain('mira@');
  });

  it('are refused with words beside the field, and nothing typed is lost', async () => {
    const page = await dana.post('/parties', { 'party[name]': ' ', 'party[email]': 'mira', 'party[city]': 'Galway' });
    expect(page.status).toBe(422);
    expect(page.text).toContain('Name is missing.');
    expect(page.text).toContain('“mira” is not an email address');
    expect(page.text).toContain('value="Galway"');
  });

  it('show the records that are for them', async () => {
    const record = await dana.post('/documents', {
      kind: 'quote',
      issueDate: '2026-11-21',
      currency: 'EUR',
      'party[name]': 'Harbour Hotel',
      'lines[0][name]': 'Oak counter',
      'lines[0][unitPrice]': '980',
    });
    const page = await dana.get(record.location ?? '');
    const party = /href="(\/parties\/[^"]+)"/.exec(page.text)?.[1] ?? '';
    expect((await dana.get(party)).text).toContain(record.location ?? 'none');
    const form = await dana.get(`/documents/new?kind=invoice&party=${party.slice('/parties/'.length)}`);
    expect(form.text).toContain('value="Harbour Hotel"');
  });

  it('show how many of their records go elsewhere, and what was merged into them, whatever the counts', async () => {
    const contact = async (street: string) => {
      const form = { 'party[name]': 'Two Of A Kind', 'party[street]': street };
      return (await dana.post('/parties', form)).location?.replace('/parties/', '') ?? '';
    };
    const [first, second, third] = [await contact('1 Quay'), await contact('2 Quay'), await contact('3 Quay')];
    const line = { 'lines[0][name]': 'Shelf', 'lines[0][unitPrice]': '1' };
    for (const email of ['a@x.example', 'b@x.example']) {
      const party = {
        partyId: second,
        'party[name]': 'Two Of A Kind',
        'party[street]': '2 Quay',
        'party[email]': email,
      };
      const form = { kind: 'invoice', issueDate: '2026-11-21', currency: 'EUR', ...line, ...party };
      expect((await dana.post('/documents', form)).status).toBe(303);
    }
    expect((await dana.get(`/parties/${second}`)).text).toContain('2 open records go to another email');
    for (const other of [second, third]) await dana.post(`/parties/${first}/merges`, { other });
    const { status, text } = await dana.get(`/parties/${first}`);
    expect(status).toBe(200);
    expect(text).toContain('2 records, ');
    expect(text).toContain('0 records, ');
  });

  it('of another company are not there', async () => {
    const { location } = await dana.post('/parties', { 'party[name]': 'Ours' });
    const rival = await founder(letterhead, 'mira@northgate.example', 'Northgate Café');
    for (const path of [location ?? '', '/parties/no-uuid']) {
      expect((await rival.get(path)).status).toBe(404);
      expect((await rival.get(`${path}/edit`)).status).toBe(404);
      expect((await rival.post(path, { 'party[name]': 'Theirs' })).status).toBe(404);
    }
    expect((await rival.get('/parties')).text).not.toContain('Ours');
  });
});
