import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inTenant } from '../../src/tenants/scope.ts';
import { getTenant } from '../../src/tenants/tenants.ts';
import { colleague } from '../support/colleague.ts';
import { type Company, company } from '../support/company.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { founder, said, type Visitor, visitor } from '../support/visitor.ts';

let letterhead: TestLetterhead;
let office: Company;
beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false });
  office = await company(letterhead);
});
afterAll(() => letterhead.close());

const form = {
  ...{ name: 'Company 1 Ltd', country: 'IE', currency: 'EUR', timeZone: 'Europe/Dublin', street: '1 Quay' },
  ...{ extraStreet: '', postalCode: '', city: '', region: '', taxId: '', email: '', phone: '', website: '' },
  paymentDetails: 'IBAN IE29 AIBK\r\nBIC AIBKIE2D',
};
const notices = () =>
  inTenant(letterhead.database.db, office.tenantId, (trx) =>
    trx.selectFrom('deliveries').selectAll().where('purpose', '=', 'notice').orderBy('created_at').execute(),
  );
const changes = async () => said(await office.founder.get('/settings/changes'));
const lines = async () => (await changes()).match(/Changed the/g)?.length;

describe('what the company says on paper', () => {
  it('is written down with before and after, and told to every owner, whoever changed it', async () => {
    const ada = await colleague(letterhead, office, 'Ada', 'admin');
    expect((await office.founder.post('/settings/company', form)).status).toBe(303);
    expect(await changes()).toContain('Changed the bank details of the company');
    expect(await changes()).toContain('Bank details: now “IBAN IE29 AIBK BIC AIBKIE2D”, before empty.');

    const changed = { ...form, name: 'Evil Ltd', taxId: 'IE9', paymentDetails: 'IBAN EVIL' };
    expect((await ada.pages.post('/settings/company', changed)).status).toBe(303);
    const words = await changes();
    expect(words).toContain('Ada');
    expect(words).toContain('Changed the name, the VAT or tax number and the bank details of the company');
    expect(words).toContain('Name: now “Evil Ltd”, before “Company 1 Ltd”.');
    expect(words).toContain('now “IBAN EVIL”, before “IBAN IE29 AIBK BIC AIBKIE2D”.');
    const [, last] = await notices();
    expect(last).toMatchObject({ from_email: office.account, document_id: null });
    expect(last?.recipients).toMatchObject({ to: [{ email: office.account }] });
    expect(last?.message).toContain(`Ada (${ada.account}) changed`);
    expect(last?.message).toContain('Now: IBAN EVIL\nBefore: IBAN IE29 AIBK');
    expect(last?.message).toContain(`${letterhead.url}/settings/company?company=${office.tenantId}`);
  });

  it.each([
    ['an address for a name', { name: 'accounts@bank.example' }, 'The name holds an email address.'],
    ['a name that nobody can see', { name: '\u200B\u202E' }, 'Write the name of your company.'],
    ['no address', { email: 'office' }, '“office” is not an email address.'],
    ['two addresses in one', { email: 'a@x.example b@x.example' }, 'is not one email address'],
    ['two addresses', { email: 'a@x.example, b@x.example' }, 'Write one email address'],
    ['a long street', { street: 'x'.repeat(201) }, 'This is longer than 200 characters. Shorten it.'],
  ])('is refused for %s, and what was typed stays', async (_what, over, words) => {
    const before = await office.founder.get('/settings/company');
    const page = await office.founder.post('/settings/company', { ...form, ...over });
    expect(page.status).toBe(422);
    expect(said(page)).toContain(words);
    expect(said(await office.founder.get('/settings/company'))).toBe(said(before));
  });

  it('that is saved as it was, or in another street, is told to nobody', async () => {
    const form2 = { ...form, name: 'Evil Ltd', taxId: 'IE9', paymentDetails: 'IBAN EVIL', street: '2 Quay' };
    const before = [(await notices()).length, await lines()];
    for (const street of ['2 Quay', '3 Quay'])
      expect((await office.founder.post('/settings/company', { ...form2, street })).status).toBe(303);
    expect([(await notices()).length, await lines()]).toEqual(before);
  });

  it('loses what nobody can see, and keeps its lines', async () => {
    const over = {
      name: 'Company\u202E  1 Ltd',
      email: ' Office <office@\u200Bquay.example> ',
      street: '1\u0007 Quay',
    };
    expect((await office.founder.post('/settings/company', { ...form, ...over })).status).toBe(303);
    const tenant = await inTenant(letterhead.database.db, office.tenantId, (trx) => getTenant(trx, office.tenantId));
    expect(tenant).toMatchObject({ name: 'Company 1 Ltd', email: 'office@quay.example', street: '1 Quay' });
    expect(tenant.paymentDetails).toBe('IBAN IE29 AIBK\nBIC AIBKIE2D');
  });

  it('is saved where there is no mailbox to tell it through, too, and written down', async () => {
    letterhead.google.accounts.add({ email: 'a@bare.example', name: 'Bare' });
    const bare = await founder(letterhead, 'a@bare.example', 'Bare Ltd');
    expect((await bare.post('/settings/company', { ...form, name: 'Barer Ltd' })).status).toBe(303);
    expect(said(await bare.get('/settings/changes'))).toContain('Name: now “Barer Ltd”, before “Bare Ltd”.');
    // Nobody could be mailed: Home tells it, with or without Gmail.
    expect(said(await bare.get('/'))).toContain('Name: now “Barer Ltd”, before “Bare Ltd”.');
  });

  it('stays on the Home of each owner until they say that it is right, and of nobody else', async () => {
    letterhead.google.accounts.add({ email: 'a@seen.example', name: 'Ann' });
    const ann = await founder(letterhead, 'a@seen.example', 'Seen Ltd');
    expect((await ann.get('/')).text).not.toContain('company-changes');
    letterhead.google.accounts.add({ email: 'b@seen.example', name: 'Bob' });
    await ann.post('/settings/members/invitations', { email: 'b@seen.example', role: 'admin' });
    const bob = visitor(letterhead);
    await bob.join('b@seen.example');
    const bank = (paymentDetails: string) => ({ ...form, name: 'Seen Ltd', taxId: 'IE9', paymentDetails });
    const shown = async (pages: Visitor) => said(await pages.get('/')).includes('Bank details: now “IBAN ONE”');

    expect((await bob.post('/settings/company', bank('IBAN ONE'))).status).toBe(303);
    expect(said(await ann.get('/'))).toContain('Bob (b@seen.example)');
    expect([await shown(ann), await shown(bob)]).toEqual([true, false]);
    const [, first = ''] = /name="upTo" value="(\d+)"/.exec((await ann.get('/')).text) ?? [];
    // What is changed after the page was shown is not seen by it.
    await bob.post('/settings/company', bank('IBAN TWO'));
    expect((await bob.post('/company-changes/seen', { upTo: first })).status).toBe(403);
    expect((await ann.post('/company-changes/seen', { upTo: first })).status).toBe(303);
    expect(await shown(ann)).toBe(false);
    expect(said(await ann.get('/'))).toContain('now “IBAN TWO”, before “IBAN ONE”');
    for (const upTo of ['', 'x', '-1', '999999999999999999999']) {
      expect((await ann.post('/company-changes/seen', { upTo })).status).toBe(404);
      expect(said(await ann.get('/'))).toContain('now “IBAN TWO”');
    }
    // A number that nobody has been shown yet hides nothing that comes later.
    expect((await ann.post('/company-changes/seen', { upTo: '999999999999999999' })).status).toBe(303);
    expect((await ann.get('/')).text).not.toContain('company-changes');
    await bob.post('/settings/company', bank('IBAN THREE'));
    expect(said(await ann.get('/'))).toContain('now “IBAN THREE”');
    // Whoever changed it is an owner, too: it may have been somebody else with their session.
    await ann.post('/settings/company', bank('IBAN FOUR'));
    expect(said(await ann.get('/'))).toContain('now “IBAN FOUR”, before “IBAN THREE”');
  });
});
