import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DocumentRecord } from '../../src/documents/store.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { createApp } from '../../src/web/app.ts';
import { type Colleague, colleague, letOnly } from '../support/colleague.ts';
import { type Company, company } from '../support/company.ts';
import { deliverNow } from '../support/hand-delivery.ts';
import { sharedLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { routesOf } from '../support/routes.ts';

let letterhead: TestLetterhead;
let office: Company;
let ada: Colleague;
let tom: Colleague;
let vera: Colleague;
/** A shared mailbox that only Ada, an admin, was given. */
let quiet: string;
let record: DocumentRecord;

/** Whatever names it: its address, its name, its alias. */
const named = /quiet@|hush@|Quiet Desk/i;

beforeAll(async () => {
  letterhead = await sharedLetterhead();
  office = await company(letterhead);
  ada = await colleague(letterhead, office, 'Ada', 'admin');
  tom = await colleague(letterhead, office, 'Tom');
  vera = await colleague(letterhead, office, 'Vera', 'viewer');
  const sendAs = [
    { email: 'hush@quiet.example', status: 'accepted' },
    { email: tom.account, status: 'accepted' },
  ] as const;
  record = await office.record();
  letterhead.google.accounts.add({ email: 'quiet@quiet.example', name: 'Quiet', sendAs: [...sendAs] });
  await office.founder.connect('quiet@quiet.example');
  quiet = await within(
    async (trx) =>
      (
        await trx
          .selectFrom('mailboxes')
          .select('id')
          .where('email', '=', 'quiet@quiet.example')
          .executeTakeFirstOrThrow()
      ).id,
  );
  await office.founder.permit('aliases', 'quiet@quiet.example');
  await office.founder.post(`/mailboxes/${quiet}/name`, { name: 'Quiet Desk', replyTo: '' });
});
afterAll(() => letterhead.close());

const within = <T>(work: Parameters<typeof inTenant<T>>[2]) => inTenant(letterhead.database.db, office.tenantId, work);
const saveRule = (form: Record<string, string>) => office.founder.post('/settings/email/sender-rule', form);

describe('a Gmail account that is newly connected to the company', () => {
  it('is for everybody, and its page says so', async () => {
    for (const person of [ada, tom, vera]) expect((await person.pages.get('/settings/email')).text).toMatch(named);
    const { text } = await office.founder.get(`/mailboxes/${quiet}/access`);
    expect(text).toMatch(/value="everybody" checked/);
    expect(text).toContain('A Gmail account that is newly connected starts like this.');
  });

  it('is narrowed by owners and admins, and by nobody else', async () => {
    for (const person of [tom, vera]) {
      expect((await person.pages.get(`/mailboxes/${quiet}/access`)).status).toBe(403);
      expect((await letOnly(person.pages, quiet, [tom])).status).toBe(403);
    }
    const saved = await letOnly(ada.pages, quiet, [ada], [office, tom, vera]);
    const { text } = await ada.pages.get(saved.location ?? '');
    expect(text).toContain('1 member may use quiet@quiet.example now.');
    expect(text).toMatch(/value="chosen" checked/);
  });
});

describe('whoever was not given it', () => {
  it.each([
    ['works', 'active', null],
    ['must be connected again', 'needs_reconnect', 'revoked'],
    ['is disconnected', 'disconnected', null],
  ] as const)('finds nothing of it on any page there is, while it %s', async (_what, state, reason) => {
    await saveRule({ mode: 'alias', alias: `${quiet} hush@quiet.example` });
    const move = (to: typeof state, why: string | null) =>
      within((trx) =>
        trx.updateTable('mailboxes').set({ state: to, state_reason: why }).where('id', '=', quiet).execute(),
      );
    await move(state, reason);
    const routes = routesOf(createApp(letterhead.context, letterhead.database.pool));
    const pages = routes.filter((route) => route.startsWith('GET ') && !route.includes('callback'));
    expect(pages.length).toBeGreaterThan(25);
    for (const person of [tom, vera]) {
      for (const route of pages) {
        const address = route.slice(4).replace(':id', route.includes('/documents/') ? record.id : quiet);
        const page = await person.pages.get(address.replace(/:\w+/, 'aliases'));
        expect(page.text, `${person.account} ${address}`).not.toMatch(named);
      }
    }
    // The same pages name it to whom it was given.
    await move('active', null);
    for (const address of ['/settings/email', '/settings/email/rules', `/documents/${record.id}/deliveries/new`]) {
      expect((await ada.pages.get(address)).text, address).toMatch(named);
    }
    await saveRule({ mode: 'default' });
  });

  it('is answered the same, whatever they try, as for a mailbox that does not exist', async () => {
    const routes = routesOf(createApp(letterhead.context, letterhead.database.pool));
    const ofMailboxes = routes.filter((route) => route.includes('/mailboxes/:id'));
    expect(ofMailboxes.length).toBeGreaterThan(10);
    const tried = ofMailboxes.map((route) => {
      const [method = '', path = ''] = route.split(' ');
      return [method, (id: string) => path.replace(':id', id).replace(/:\w+/, 'aliases'), () => ({})] as const;
    });
    const withForms = [
      ['POST', () => '/mailboxes/connection', (id: string) => ({ kind: 'shared', mailboxId: id })],
      ['POST', () => '/settings/email/own-default', (id: string) => ({ mailboxId: id })],
      [
        'POST',
        () => '/settings/email/sender-rule',
        (id: string) => ({ mode: 'alias', alias: `${id} hush@quiet.example` }),
      ],
      ['POST', () => '/settings/email/rules', (id: string) => ({ 'rule[quote]': `${id} hush@quiet.example` })],
    ] as const;
    for (const person of [tom, vera]) {
      for (const [method, path, form] of [...tried, ...withForms]) {
        const ask = (id: string) =>
          method === 'GET' ? person.pages.get(path(id)) : person.pages.post(path(id), form(id));
        const [real, unknown] = [await ask(quiet), await ask(randomUUID())];
        expect(real.status, path(quiet)).toBeGreaterThanOrEqual(400);
        expect([real.status, real.text], path(quiet)).toEqual([unknown.status, unknown.text]);
      }
    }
    const row = await within((trx) =>
      trx.selectFrom('mailboxes').selectAll().where('id', '=', quiet).executeTakeFirstOrThrow(),
    );
    expect(row).toMatchObject({ state: 'active', is_default: false, for_everybody: false, display_name: 'Quiet Desk' });
  });

  it('sends nothing through it: not by the company’s fixed address, not as themselves, not as a test', async () => {
    const send = () =>
      tom.pages.post(`/documents/${record.id}/deliveries`, {
        ...{ key: randomUUID(), version: String(record.version), to: 'mira@northgate.example' },
        ...{ subject: 'Invoice', message: 'Here it is' },
      });
    for (const [rule, words] of [
      [{ mode: 'alias', alias: `${quiet} hush@quiet.example` }, 'you may not use the Gmail account that it belongs to'],
      [{ mode: 'current_user' }, `${tom.account} is not connected`],
    ] as const) {
      await saveRule(rule);
      const refused = await send();
      expect(refused.status).toBe(409);
      expect(refused.text).toContain(words);
      const test = await tom.pages.post('/settings/email/test-deliveries', { key: randomUUID() });
      expect((await tom.pages.get(test.location ?? '')).text).toContain(words);
    }
    expect(await within((trx) => trx.selectFrom('deliveries').select('id').execute())).toEqual([]);

    await letOnly(ada.pages, quiet, [ada, tom]);
    expect((await tom.pages.get(`/documents/${record.id}/deliveries/new`)).text).toContain(
      'Gmail lets quiet@quiet.example send as you',
    );
    await letOnly(ada.pages, quiet, [ada], [tom]);
    await saveRule({ mode: 'default' });
  });

  it('sees nothing of what left through it but that a record was sent, so that nobody sends it twice', async () => {
    await saveRule({ mode: 'alias', alias: `${quiet} hush@quiet.example` });
    const document = { record, fileName: 'a.pdf', pdf: Buffer.from('%PDF-1.7') };
    const id = await office.send({ memberId: ada.memberId, document, subject: 'Between us' });
    await deliverNow(letterhead, office, id);
    const once = { memberId: ada.memberId, document, inSpiteOf: 'whichever' } as const;
    const failed = await office.send({ ...once, subject: 'Between us too' });
    await within((trx) => trx.updateTable('deliveries').set({ state: 'failed' }).where('id', '=', failed).execute());
    await saveRule({ mode: 'default' });

    for (const person of [tom, vera]) {
      for (const address of ['/activity', '/activity?show=attention', '/', '/documents?kind=invoice']) {
        const { text } = await person.pages.get(address);
        expect(text, address).not.toContain(id);
        expect(text, address).not.toMatch(named);
        expect(text, address).not.toContain('need attention');
      }
      for (const path of ['', '/progress', '/attachments/a.pdf']) {
        expect((await person.pages.get(`/deliveries/${id}${path}`)).status, path).toBe(404);
      }
      const shown = await person.pages.get(`/documents/${record.id}`);
      expect(shown.text).toContain('by <strong>Ada</strong>, through a Gmail that you may not see');
      expect(shown.text).not.toMatch(named);
    }
    expect((await tom.pages.post(`/deliveries/${failed}/decision`, { decision: 'cancel' })).status).toBe(404);
    const sending = await tom.pages.get(`/documents/${record.id}/deliveries/new`);
    expect(sending.text).toContain('by Ada, through a Gmail that you may not see');
    expect(sending.text).not.toMatch(named);

    for (const person of [ada.pages, office.founder]) {
      expect((await person.get(`/deliveries/${id}`)).text).toContain('hush@quiet.example');
      expect((await person.get('/activity')).text).toContain(id);
      expect((await person.get('/')).text).toContain('need attention');
    }
  });

  it('still sees what they themselves sent while they were', async () => {
    await letOnly(ada.pages, quiet, [ada, tom]);
    await saveRule({ mode: 'alias', alias: `${quiet} hush@quiet.example` });
    const id = await office.send({ memberId: tom.memberId });
    await letOnly(ada.pages, quiet, [ada], [tom]);
    await saveRule({ mode: 'default' });
    const page = await tom.pages.get(`/deliveries/${id}`);
    expect(page.text).toContain('Tom may no longer use the Gmail account');
    expect((await vera.pages.get(`/deliveries/${id}`)).status).toBe(404);
    expect((await tom.pages.post(`/deliveries/${id}/decision`, { decision: 'cancel' })).status).toBe(303);
    expect((await office.delivery(id)).state).toBe('cancelled');
  });
});

describe('a member’s own Gmail', () => {
  it('is nobody else’s to find, and what left through it is everybody’s to see and not to decide about', async () => {
    await tom.pages.connect(tom.account, { kind: 'personal' });
    await saveRule({ mode: 'current_user' });
    const id = await office.send({ memberId: tom.memberId });
    expect((await office.delivery(id)).fromEmail).toBe(tom.account);
    await within((trx) =>
      trx.updateTable('deliveries').set({ state: 'held', held_reason: 'operator' }).where('id', '=', id).execute(),
    );
    const una = await colleague(letterhead, office, 'Una');
    const { id: own } = await within((trx) =>
      trx.selectFrom('mailboxes').select('id').where('email', '=', tom.account).executeTakeFirstOrThrow(),
    );
    for (const person of [una.pages, office.founder]) {
      expect((await person.get(`/mailboxes/${own}`)).status).toBe(404);
      expect((await person.get(`/mailboxes/${own}/access`)).status).toBeGreaterThanOrEqual(403);
      expect((await person.get('/settings/email')).text).not.toContain(`mailbox-${own}`);
      expect((await person.get('/activity')).text).toContain(id);
    }
    const seen = await una.pages.get(`/deliveries/${id}`);
    expect(seen.text).toContain(tom.account);
    expect(seen.text).not.toContain('name="decision"');
    const refused = await una.pages.post(`/deliveries/${id}/decision`, { decision: 'send_now' });
    expect([refused.status, refused.text]).toEqual([403, expect.stringContaining('Not yours to decide')]);
    expect((await office.delivery(id)).state).toBe('held');
    expect((await office.founder.post(`/deliveries/${id}/decision`, { decision: 'cancel' })).status).toBe(303);
    expect((await office.delivery(id)).state).toBe('cancelled');
    await saveRule({ mode: 'default' });
  });
});

describe('an owner or admin who was not given it', () => {
  it('sees and manages it, and sends nothing through it', async () => {
    const settings = await office.founder.get('/settings/email');
    expect(settings.text).toContain('one member may use it, <strong>not you</strong>');
    await saveRule({ mode: 'alias', alias: `${quiet} hush@quiet.example` });
    expect(await office.ask()).toMatchObject({ kind: 'refused', resolution: { reason: 'not_given' } });
    const rules = await office.founder.get('/settings/email/rules');
    expect(rules.text).toMatch(/They may not use the Gmail account that it comes from\.|you may not use the Gmail/);
    expect(rules.text).toContain(`href="/mailboxes/${quiet}/access"`);
    await saveRule({ mode: 'default' });
  });

  it('cannot take off the last one: it needs somebody, or everybody', async () => {
    const refused = await letOnly(office.founder, quiet, [], [ada]);
    expect(refused.status).toBe(422);
    expect(refused.text).toContain('Tick at least one member, or choose everybody.');
    expect(refused.text).toContain('value="chosen" checked');
    const given = await within((trx) => trx.selectFrom('mailbox_members').select('member_id').execute());
    expect(given).toEqual([{ member_id: ada.memberId }]);
  });

  it('gives it to nobody of another company, and to no former member', async () => {
    const other = await company(letterhead);
    const left = await colleague(letterhead, office, 'Left');
    await office.founder.post(`/settings/members/${left.memberId}/removal`);
    await letOnly(office.founder, quiet, [ada, other, left]);
    const given = await within((trx) => trx.selectFrom('mailbox_members').select('member_id').execute());
    expect(given).toEqual([{ member_id: ada.memberId }]);
  });

  it('loses no tick on another page of members, or under another search', async () => {
    const found = await ada.pages.get(`/mailboxes/${quiet}/access?q=TOM`);
    expect(found.text).toContain(`name="given[${tom.memberId}]"`);
    expect(found.text).not.toContain(`name="given[${ada.memberId}]"`);
    await letOnly(office.founder, quiet, [tom]);
    const both = await ada.pages.get(`/mailboxes/${quiet}/access`);
    for (const { memberId } of [ada, tom])
      expect(both.text).toMatch(new RegExp(`given\\[${memberId}\\]" value="1" checked`));
    await letOnly(office.founder, quiet, [ada], [tom]);
  });

  it.each([
    ['nothing chosen', {}],
    ['a choice that is none', { access: 'friends' }],
    ['somebody who is no id', { access: 'chosen', 'given[tom]': '1' }],
    ['another shape', { access: 'chosen', given: 'tom' }],
  ])('is told in words about a form with %s', async (_what, form) => {
    const page = await office.founder.post(`/mailboxes/${quiet}/access`, form);
    expect(page.status).toBe(422);
    expect(page.text).toContain('Choose whether everybody may use it');
  });
});
