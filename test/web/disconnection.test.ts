import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Stopping, stopWords } from '../../src/web/disconnect-words.ts';
import { colleague } from '../support/colleague.ts';
import { type Company, company } from '../support/company.ts';
import { sharedLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import type { Page } from '../support/visitor.ts';

let letterhead: TestLetterhead;

beforeAll(async () => {
  letterhead = await sharedLetterhead();
});
afterAll(() => letterhead.close());

const titleOf = ({ text }: Page) => /<h1[^>]*>([^<]*)/.exec(text)?.[1]?.trim();
const noticeOf = ({ text }: Page) =>
  /<p class="notice \w+" role="\w+">[\s\S]*?<span>([\s\S]*?)<\/span>/.exec(text)?.[1];
const points = ({ text }: Page) =>
  [...(/<ul class="points">([\s\S]*?)<\/ul>/.exec(text)?.[1] ?? '').matchAll(/<li>([^<]*)/g)].map(([, word]) => word);
const pageOf = ({ mailboxId }: Company) => `/mailboxes/${mailboxId}/disconnection`;

describe('before a mailbox is disconnected', () => {
  it('its page says which rules use it, how many emails wait, and what Google is told', async () => {
    const one = await company(letterhead);
    await one.send();
    await one.send();
    const page = await one.founder.get(pageOf(one));
    expect([page.status, titleOf(page)]).toEqual([200, 'Disconnect this account?']);
    expect(page.text).toContain(`Nothing more is sent from <b>${one.account}</b>.`);
    expect(points(page)).toEqual([
      'Every kind: they come from the company’s default Gmail, which is this one. They are refused until another one is made the default.',
      '2 emails about to leave are held until it is connected again.',
      'Google is told to end the permission. Whatever else this Google account uses Letterhead for, such as signing in, asks again next time.',
    ]);
    // Looking changes nothing.
    expect((await one.founder.get(`/mailboxes/${one.mailboxId}`)).text).toContain('>Connected<');
  });

  it('its page names the address that is chosen through it, and that Google keeps a permission that others need', async () => {
    const alias = 'bills@one.example';
    const one = await company(letterhead, { sendAs: [{ email: alias, status: 'accepted' }] });
    await one.founder.post('/settings/email/rules', { 'rule[invoice]': `${one.mailboxId} ${alias}` });
    const other = await company(letterhead);
    await other.founder.connect(one.account);
    const page = await one.founder.get(pageOf(one));
    expect(points(page)).toContain(
      `Invoices: they come from ${alias}, through this account. They are refused until another sender is chosen.`,
    );
    expect(points(page).at(-1)).toMatch(/^Google keeps the permission, because another mailbox here/);
  });

  it('its page is for those who may do it', async () => {
    const one = await company(letterhead);
    const { account: email, pages: member } = await colleague(letterhead, one, 'Member');
    expect((await member.get(pageOf(one))).status).toBe(403);
    expect((await member.post(pageOf(one))).status).toBe(403);
    await member.connect(email, { kind: 'personal' });
    const own = /id="mailbox-([\w-]+)">member@/.exec((await member.get('/settings/email')).text)?.[1];
    expect((await member.get(`/mailboxes/${own}/disconnection`)).status).toBe(200);
  });
});

describe('disconnecting', () => {
  it('holds what was queued, with the reason, in the same moment', async () => {
    const one = await company(letterhead);
    const ids = [await one.send(), await one.send()];
    const done = await one.founder.post(pageOf(one));
    expect(noticeOf(await one.founder.get(done.location ?? ''))).toBe(
      `${one.account} is disconnected, and Google has been told. 2 emails wait until it is connected again.`,
    );
    for (const id of ids) {
      const delivery = await one.delivery(id);
      expect(delivery).toMatchObject({ state: 'held', heldReason: 'mailbox_disconnected' });
      expect(delivery.events[0]?.detail).toBe(
        'The Gmail account was disconnected. It waits until that is connected again.',
      );
    }
    const mailbox = await one.founder.get(`/mailboxes/${one.mailboxId}`);
    expect(mailbox.text).toContain('2 emails wait');
    expect(mailbox.text).not.toContain('What Letterhead may do here');
  });

  it('twice does nothing the second time, and its page leads back', async () => {
    const one = await company(letterhead);
    await one.founder.post(pageOf(one));
    letterhead.google.truth.resetCalls();
    const again = await one.founder.post(pageOf(one));
    expect(noticeOf(await one.founder.get(again.location ?? ''))).toBe(`${one.account} was disconnected already.`);
    expect(letterhead.google.truth.calls('revoke')).toBe(0);
    expect((await one.founder.get(pageOf(one))).location).toBe(`/mailboxes/${one.mailboxId}`);
  });

  it('keeps what was switched on: connecting again asks for it, and everything is as it was', async () => {
    const alias = 'bills@again.example';
    const one = await company(letterhead, { sendAs: [{ email: alias, status: 'accepted' }] });
    await one.founder.post('/settings/email/sender-rule', { mode: 'alias', alias: `${one.mailboxId} ${alias}` });
    await one.founder.post(pageOf(one));
    expect(await one.ask()).toMatchObject({ kind: 'refused', resolution: { reason: 'alias_mailbox_gone' } });
    await one.founder.connect(one.account, { mailboxId: one.mailboxId });
    expect(await one.ask()).toMatchObject({ kind: 'created' });
  });
});

describe('what stops, in words', () => {
  const nobody = { names: [], more: false };
  const quiet: Stopping = {
    mailbox: { id: 'a', email: 'a@x.example', isDefault: false },
    columns: [],
    waiting: { queued: 0, forMailbox: 0, otherwise: 0 },
    others: 0,
    locale: 'en-IE',
  };
  const column = (
    rule: Stopping['columns'][number]['rule'],
    members: Stopping['columns'][number]['members'] = nobody,
  ) => ({
    ...{ label: 'Invoices', rule, members },
  });
  const alias = { mode: 'alias', email: 'b@x.example' } as const;

  it.each<[string, Partial<Stopping>, string[]]>([
    ['nothing uses it', { columns: [column({ mode: 'default' }), column({ mode: 'current_user' })] }, []],
    ['another’s address', { columns: [column({ ...alias, mailboxId: 'b' })] }, []],
    ['its address', { columns: [column({ ...alias, mailboxId: 'a' })] }, ['Invoices: they come from b@x.example']],
    [
      'members through it',
      { columns: [column({ mode: 'current_user' }, { names: ['Dana', 'Tom'], more: true })] },
      ['Invoices: for Dana, Tom and others they come through this account.'],
    ],
    [
      'somebody’s own default',
      { columns: [column({ mode: 'default' }, { names: ['Tom'], more: false })] },
      ['Invoices: for Tom they come from this account, chosen as their own default.'],
    ],
    ['one email', { waiting: { queued: 1, forMailbox: 0, otherwise: 0 } }, ['1 email about to leave is held']],
    ['held ones', { waiting: { queued: 0, forMailbox: 2, otherwise: 1 } }, ['3 emails already held stay held.']],
  ])('%s', (_what, over, begins) => {
    const words = stopWords({ ...quiet, ...over });
    expect(words.slice(0, -1)).toEqual(begins.map((begin) => expect.stringMatching(new RegExp(`^${begin}`))));
    expect(words.at(-1)).toMatch(/^Google/);
  });
});
