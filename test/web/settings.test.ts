import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { founder, type Visitor } from '../support/visitor.ts';

let letterhead: TestLetterhead;
let dana: Visitor;

beforeAll(async () => {
  letterhead = await startTestLetterhead();
  dana = await founder(letterhead);
  await dana.connect('office@brightwater.example');
  await dana.permit('aliases', 'office@brightwater.example');
});
afterAll(() => letterhead.close());

describe('the company’s default Gmail', () => {
  it('can be another one, once that is connected', async () => {
    await dana.connect('mira@northgate.example');
    const settings = await dana.get('/settings/email');
    expect(settings.text).toContain('comes from <strong>Brightwater Joinery &lt;office@brightwater.example&gt;');
    const other = /\/mailboxes\/([\w-]+)\/default/.exec(settings.text)?.[1];
    await dana.post(`/mailboxes/${other}/default`);
    const changed = await dana.get('/settings/email');
    expect(changed.text).toContain('mira@northgate.example is the company’s default now.');
    expect(changed.text).toContain('comes from <strong>Brightwater Joinery &lt;mira@northgate.example&gt;');
  });

  it('is asked for in words when it is disconnected while another is there', async () => {
    const settings = await dana.get('/settings/email');
    const mira = /id="mailbox-([\w-]+)">mira@northgate/.exec(settings.text)?.[1];
    await dana.post(`/mailboxes/${mira}/disconnection`);
    const left = await dana.get('/settings/email');
    expect(left.text).toContain('The Gmail account that is the company’s default is not connected.');
    const office = /\/mailboxes\/([\w-]+)\/default/.exec(left.text)?.[1];
    await dana.post(`/mailboxes/${office}/default`);
    expect((await dana.get('/settings/email')).text).toContain('&lt;office@brightwater.example&gt;');
  });
});

describe('a fixed address', () => {
  it('is saved in words, and refused once Gmail’s list may not be read any more', async () => {
    const settings = await dana.get('/settings/email');
    const alias = /value="([\w-]+ accounts@brightwater\.example)"/.exec(settings.text)?.[1] ?? '';
    await dana.post('/settings/email/sender-rule', { mode: 'alias', alias });
    expect((await dana.get('/settings/email')).text).toContain(
      'from now on emails come from accounts@brightwater.example.',
    );

    const [office] = alias.split(' ');
    await dana.post(`/mailboxes/${office}/permissions/aliases`, { switch: 'off' });
    const narrower = await dana.get('/settings/email');
    expect(narrower.text).toContain('Nothing can be sent by you now.');
    expect(narrower.text).toContain('switch on “Other addresses”');
    expect(narrower.text).not.toContain('Accepted in Gmail');
    await dana.post('/settings/email/sender-rule', { mode: 'default' });
  });
});

describe('a test email', () => {
  it('is one email, however often its button was pressed', async () => {
    const key = randomUUID();
    const before = letterhead.google.truth.accepted().length;
    const answers = await Promise.all([1, 2, 3].map(() => dana.post('/settings/email/test-deliveries', { key })));
    expect(new Set(answers.map(({ location }) => location)).size).toBe(1);
    const shown = () => dana.get(answers[0]?.location ?? '');
    await eventually(shown, ({ text }) => text.includes('data-state="sent"'));
    expect(letterhead.google.truth.accepted().length - before).toBe(1);
  });
});

describe('pages of a company', () => {
  it('are not kept by the browser, so that nothing comes back after signing out', async () => {
    for (const path of ['/', '/activity', '/settings/email', '/documents']) {
      expect((await dana.get(path)).headers.get('cache-control'), path).toBe('private, no-store');
    }
  });

  it.each([
    ['/settings/members/invitations', { email: 'a\u0000@x.example', role: 'member' }],
    ['/settings/company', { name: 'x\u0000' }],
    ['/settings/email/test-deliveries', { key: '\u0000' }],
  ])('refuse a character that no text can have: %s', async (path, form) => {
    const page = await dana.post(path, form);
    expect(page.status).toBe(400);
    expect(page.text).toContain('This could not be understood');
  });

  it('take a form of another shape than their own for a mistake, not for a fault of ours', async () => {
    const shapes = { 'email[toString]': '1', 'role[toString]': 'x' };
    expect((await dana.post('/settings/members/invitations', shapes)).status).toBe(422);
    expect((await dana.get('/deliveries/%00/attachments/%00')).status).toBe(400);
    const company = await dana.post('/settings/company', { name: 'Only a name' });
    expect(company.status).toBe(422);
    expect(company.text).not.toContain('Invalid input');
  });
});
