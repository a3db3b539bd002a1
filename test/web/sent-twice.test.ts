import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { idOfForm } from '../../src/platform/form-id.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { type Company, company } from '../support/company.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { founder, type Page, said, visitor } from '../support/visitor.ts';

let letterhead: TestLetterhead;
let office: Company;
beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false });
  office = await company(letterhead);
});
afterAll(() => letterhead.close());

const keyOf = ({ text }: Page) => /name="key" value="([\da-f-]{36})"/.exec(text)?.[1] ?? '';
const count = async (table: 'parties' | 'invitations' | 'deliveries', tenantId = office.tenantId) => {
  const rows = await inTenant(letterhead.database.db, tenantId, (trx) => trx.selectFrom(table).select('id').execute());
  return rows.length;
};

describe('a form that is sent twice', () => {
  it('makes one contact, and another where it says something else by then', async () => {
    const key = keyOf(await office.founder.get('/parties/new'));
    const contact = { key, 'party[name]': 'Elm', 'party[email]': 'elm@elm.example' };
    const before = await count('parties');
    const answers = await Promise.all([1, 2, 3].map(() => office.founder.post('/parties', contact)));
    expect(new Set(answers.map(({ status, location }) => `${status} ${location}`)).size).toBe(1);
    expect(await count('parties')).toBe(before + 1);
    const other = await office.founder.post('/parties', { ...contact, 'party[name]': 'Elm Ltd' });
    expect(other.location).not.toBe(answers[0]?.location);
    expect(await count('parties')).toBe(before + 2);
    // Of a page that was refused, the same form goes on.
    const refused = await office.founder.post('/parties', { ...contact, 'party[email]': 'elm' });
    expect([refused.status, keyOf(refused)]).toEqual([422, key]);
    // A program that sends no key makes one each time.
    for (const _ of [1, 2]) await office.founder.post('/parties', { 'party[name]': 'Elm' });
    expect(await count('parties')).toBe(before + 4);
  });

  it('makes one record for a new customer, who is asked about no second time', async () => {
    const record = {
      ...{ kind: 'invoice', issueDate: '2026-12-01', currency: 'EUR', 'party[name]': 'Oak & Sons', do: 'save' },
      ...{ 'lines[0][name]': 'Chair', 'lines[0][quantity]': '1', 'lines[0][unitPrice]': '5' },
    };
    for (const partyId of ['', 'new']) {
      const form = { ...record, partyId, key: keyOf(await office.founder.get('/documents/new?kind=invoice')) };
      const first = await office.founder.post('/documents', form);
      const again = await office.founder.post('/documents', form);
      expect([first.status, again.status, again.location]).toEqual([303, 303, first.location]);
    }
  });

  it('mails one invitation, whose link works', async () => {
    const key = keyOf(await office.founder.get('/settings/members'));
    const invitation = { key, email: 'twice@elm.example', role: 'member' };
    const before = await count('deliveries');
    const answers = await Promise.all(
      [1, 2, 3].map(() => office.founder.post('/settings/members/invitations', invitation)),
    );
    expect(answers.map(({ status }) => status)).toEqual([303, 303, 303]);
    expect([await count('deliveries'), await count('invitations')]).toEqual([before + 1, 1]);
    const next = { ...invitation, key: keyOf(await office.founder.get('/settings/members')) };
    await office.founder.post('/settings/members/invitations', next);
    expect([await count('deliveries'), await count('invitations')]).toEqual([before + 2, 1]);
  });

  it('shows a link to hand over that works, each time', async () => {
    letterhead.google.accounts.add({ email: 'a@bare.example', name: 'Ann' });
    const bare = await founder(letterhead, 'a@bare.example', 'Bare Ltd');
    const invitation = { key: keyOf(await bare.get('/settings/members')), email: 'b@bare.example', role: 'member' };
    for (const _ of [1, 2]) {
      const page = await bare.post('/settings/members/invitations', invitation);
      const [, link = ''] = /value="http:\/\/[^/"]+(\/invitation\?token=[\w-]+)"/.exec(page.text) ?? [];
      expect(said(await visitor(letterhead).get(link))).toContain('Bare Ltd');
    }
  });

  it('founds one company, and another under another name', async () => {
    letterhead.google.accounts.add({ email: 'a@new.example', name: 'Ann' });
    const ann = visitor(letterhead);
    await ann.signIn('a@new.example');
    const form = { name: 'New Ltd', country: 'IE', currency: 'EUR', timeZone: 'Europe/Dublin' };
    const key = keyOf(await ann.get('/welcome'));
    const answers = await Promise.all([1, 2].map(() => ann.post('/welcome', { ...form, key })));
    expect(answers.map(({ status }) => status)).toEqual([303, 303]);
    const companies = async () => (await ann.get('/companies')).text.match(/<strong>New/g)?.length;
    expect(await companies()).toBe(1);
    await ann.post('/welcome', { ...form, key, name: 'Newer Ltd' });
    expect(await companies()).toBe(2);
    // Another one of the same name is told apart in the menu, on the page that lists them and on their own.
    await ann.post('/welcome', { ...form, key: keyOf(await ann.get('/welcome')) });
    const words = 'owner a@new.example, created';
    expect(said(await ann.get('/')).split(words).length - 1).toBe(3);
    expect(said(await ann.get('/companies'))).toMatch(/New Ltd created .* number 1 of 2/);
    // Somebody else with the same key and words founds their own.
    letterhead.google.accounts.add({ email: 'b@new.example', name: 'Bob' });
    const bob = visitor(letterhead);
    await bob.signIn('b@new.example');
    await bob.post('/welcome', { ...form, key });
    expect(said(await bob.get('/companies'))).not.toContain('a@new.example');
  });
});

it.each([undefined, '', 'x', ['a'], {}, '00000000-0000-0000-0000-00000000000g'])('%j is no key of a form', (key) => {
  expect(idOfForm(key, 'x')).toBeUndefined();
});
