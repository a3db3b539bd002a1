import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inTenant } from '../../src/tenants/scope.ts';
import { type Colleague, colleague } from '../support/colleague.ts';
import { type Company, company } from '../support/company.ts';
import { deliverNow } from '../support/hand-delivery.ts';
import { sharedLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { received } from '../support/received.ts';

let letterhead: TestLetterhead;
let office: Company;
let tom: Colleague;
let path: string;

beforeAll(async () => {
  letterhead = await sharedLetterhead();
  office = await company(letterhead);
  tom = await colleague(letterhead, office, 'Tom');
  path = `/mailboxes/${office.mailboxId}/name`;
});
afterAll(() => letterhead.close());

const arrived = async (deliveryId: string) => {
  const [mail] = await received(letterhead.google, 'mira@northgate.example', deliveryId);
  return mail;
};

describe('the name of a mailbox, and where replies go,', () => {
  it('are in the sentence before sending, and in the email', async () => {
    const earlier = await office.send();
    const saved = await office.founder.post(path, {
      name: 'Brightwater “Joinery” & Söhne',
      replyTo: ' hello@northgate.example ',
    });
    expect(saved.location).toBe(`/mailboxes/${office.mailboxId}`);
    const page = await office.founder.get(saved.location ?? '');
    expect(page.text).toContain('replies go to hello@northgate.example');
    const record = await office.record();
    const sending = await office.founder.get(`/documents/${record.id}/deliveries/new`);
    expect(sending.text).toContain(`Brightwater “Joinery” &amp; Söhne &lt;${office.account}&gt;`);
    expect(sending.text).toContain('Replies go to hello@northgate.example.');

    const id = await office.send();
    await deliverNow(letterhead, office, id);
    expect(await arrived(id)).toMatchObject({
      from: { name: 'Brightwater “Joinery” & Söhne', address: office.account },
      replyTo: [{ address: 'hello@northgate.example' }],
    });
    // What was written before keeps what it had.
    await deliverNow(letterhead, office, earlier);
    const old = await arrived(earlier);
    expect(old?.from?.name).toMatch(/^Company/);
    expect(old?.replyTo).toBeUndefined();
  });

  it.each([
    ['no name', { name: '  ', replyTo: '' }, 'Write the name that people see.'],
    ['a name with a header behind it', { name: 'Office\r\nBcc: all@x.example', replyTo: '' }, 'holds an address'],
    ['nothing that can be seen', { name: '\u202E\u200B', replyTo: '' }, 'Write the name that people see.'],
    ['a name without end', { name: 'x'.repeat(101), replyTo: '' }, 'longer than 100'],
    ['two addresses', { name: 'Office', replyTo: 'a@x.example, b@x.example' }, 'Write one email address'],
    ['no address', { name: 'Office', replyTo: 'hello' }, '“hello” is not an email address.'],
    ['two in one', { name: 'Office', replyTo: 'a@x.example b@x.example' }, 'is not one email address'],
    ['another shape', { 'name[x]': 'Office', replyTo: '' }, 'Write the name that people see.'],
  ])('are refused for %s, with what was typed left in place', async (_what, form, words) => {
    const before = await row();
    const page = await office.founder.post(path, form);
    expect(page.status).toBe(422);
    expect(page.text).toContain(words);
    expect(await row()).toEqual(before);
  });

  it('lose what nobody can see', async () => {
    const form = { name: ' Office\u202E \u200BQuay\r\nSouth ', replyTo: '\u200Bhello@northgate.example' };
    expect((await office.founder.post(path, form)).status).toBe(303);
    expect(await row()).toEqual([{ display_name: 'Office Quay South', reply_to: 'hello@northgate.example' }]);
  });

  it('are for an admin to change; of one’s own Gmail for oneself, and for nobody else', async () => {
    expect((await tom.pages.get(path)).status).toBe(403);
    expect((await tom.pages.post(path, { name: 'Tom’s', replyTo: '' })).status).toBe(403);
    await tom.pages.connect(tom.account, { kind: 'personal' });
    const { id } = await inTenant(letterhead.database.db, office.tenantId, (trx) =>
      trx.selectFrom('mailboxes').select('id').where('email', '=', tom.account).executeTakeFirstOrThrow(),
    );
    expect((await tom.pages.post(`/mailboxes/${id}/name`, { name: 'Tom at work', replyTo: '' })).status).toBe(303);
    expect((await office.founder.get(`/mailboxes/${id}/name`)).status).toBe(404);
    expect((await office.founder.post(`/mailboxes/${id}/name`, { name: 'x', replyTo: '' })).status).toBe(404);
    await office.founder.post('/settings/email/sender-rule', { mode: 'current_user' });
    expect((await tom.pages.get('/settings/email')).text).toContain(`Tom at work &lt;${tom.account}&gt;`);
    await office.founder.post('/settings/email/sender-rule', { mode: 'default' });
  });
});

const row = () =>
  inTenant(letterhead.database.db, office.tenantId, (trx) =>
    trx.selectFrom('mailboxes').select(['display_name', 'reply_to']).where('id', '=', office.mailboxId).execute(),
  );

describe('a member’s own default', () => {
  it('is chosen among those they may use, shown in the sentence before sending, and given up again', async () => {
    const second = office.account.replace('office', 'second');
    letterhead.google.accounts.add({ email: second, name: 'Second' });
    await office.founder.connect(second);
    const page = await tom.pages.get('/settings/email');
    const [, id] = new RegExp(`<option value="([\\w-]+)">[^<]*${second}`).exec(page.text) ?? [];
    await tom.pages.post('/settings/email/own-default', { mailboxId: id ?? '' });
    const chosen = await tom.pages.get('/settings/email');
    expect(chosen.text).toContain(
      `&lt;${second}&gt;</strong>, because you chose this Gmail account as your own default`,
    );
    expect((await office.founder.get('/settings/email')).text).toContain(`&lt;${office.account}&gt;</strong>, because`);
    // An admin sees it in the overview.
    expect((await office.founder.get('/settings/email/rules')).text).toMatch(new RegExp(`${tom.account}[^]*${second}`));
    await tom.pages.post('/settings/email/own-default', { mailboxId: '' });
    expect((await tom.pages.get('/settings/email')).text).toContain(`&lt;${office.account}&gt;</strong>, because`);
  });

  it.each([
    ['an id of nothing', crypto.randomUUID()],
    ['no id', 'x'],
    ['somebody else’s own Gmail', 'toms'],
  ])('is refused in words for %s', async (_what, asked) => {
    const mailboxes = await inTenant(letterhead.database.db, office.tenantId, (trx) =>
      trx.selectFrom('mailboxes').select(['id', 'email']).execute(),
    );
    const mailboxId = asked === 'toms' ? (mailboxes.find(({ email }) => email === tom.account)?.id ?? '') : asked;
    const answer = await office.founder.post('/settings/email/own-default', { mailboxId });
    expect(answer.status).toBe(422);
    expect(answer.text).toContain('Choose one of the connected Gmail accounts that you may use.');
  });

  it('says on the settings page that it is gone, once it is disconnected', async () => {
    const { id } = await inTenant(letterhead.database.db, office.tenantId, (trx) =>
      trx.selectFrom('mailboxes').select('id').where('email', 'like', 'second@%').executeTakeFirstOrThrow(),
    );
    await tom.pages.post('/settings/email/own-default', { mailboxId: id });
    await office.founder.post(`/mailboxes/${id}/disconnection`);
    const page = await tom.pages.get('/settings/email');
    expect(page.text).toContain('Nothing can be sent by you now.');
    expect(page.text).toContain('Choose again: until then you cannot send');
    await tom.pages.post('/settings/email/own-default', { mailboxId: '' });
  });
});

describe('the default Gmail standing in', () => {
  it('is switched on by an admin, and said on the page before anything is sent', async () => {
    const { id } = await firstRecord();
    const una = await colleague(letterhead, office, 'Una');
    await office.founder.post('/settings/email/sender-rule', { mode: 'current_user' });
    expect((await una.pages.get(`/documents/${id}/deliveries/new`)).text).toContain('It cannot be sent yet.');
    expect((await una.pages.post('/settings/email/stand-in', { standsIn: 'yes' })).status).toBe(403);
    await office.founder.post('/settings/email/stand-in', { standsIn: 'yes' });
    const sending = (await una.pages.get(`/documents/${id}/deliveries/new`)).text;
    expect(sending).toContain(`${office.account} stands in for you.`);
    expect(sending).toContain(`Replies go to ${una.account}.`);
    expect((await office.founder.get('/settings/email/rules')).text).toContain('Stands in');
    // Whoever has a Gmail of their own here sends from that.
    expect((await tom.pages.get(`/documents/${id}/deliveries/new`)).text).not.toContain('stands in for you');
  });
});

const firstRecord = () =>
  inTenant(letterhead.database.db, office.tenantId, (trx) =>
    trx.selectFrom('documents').select('id').executeTakeFirstOrThrow(),
  );
