import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { listMailboxes } from '../../src/mailboxes/mailboxes.ts';
import type { Capability } from '../../src/platform/capability.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { colleague } from '../support/colleague.ts';
import { type Company, company } from '../support/company.ts';
import { sharedLetterhead, startTestLetterhead, type TestLetterhead, testClient } from '../support/letterhead.ts';
import type { Page } from '../support/visitor.ts';

let letterhead: TestLetterhead;

beforeAll(async () => {
  letterhead = await sharedLetterhead();
});
afterEach(() => letterhead.google.faults.clear());
afterAll(() => letterhead.close());

const titleOf = ({ text }: Page) => /<h1[^>]*>([^<]*)/.exec(text)?.[1]?.trim();
const noticeOf = ({ text }: Page) =>
  /<p class="notice \w+" role="\w+">[\s\S]*?<span>([\s\S]*?)<\/span>/.exec(text)?.[1];
const ladder = ({ mailboxId }: Company) => `/mailboxes/${mailboxId}/permissions`;
const revocations = () => letterhead.google.truth.calls('revoke');

/** The lines of the mailbox's page: how each permission stands. */
async function ticks(one: Company): Promise<string[]> {
  const { text } = await one.founder.get(`/mailboxes/${one.mailboxId}`);
  const list = /<ul class="permissions">([\s\S]*?)<\/ul>/.exec(text)?.[1] ?? '';
  return [...list.matchAll(/<li class="(\w+)">\s*<div><strong>([^<]*)/g)].map(([, state, name]) => `${name}: ${state}`);
}

/** What Google is asked for, by the last part of each scope. */
function asked({ location }: Page) {
  const { searchParams } = new URL(location ?? '');
  const scopes = searchParams.get('scope')?.split(' ') ?? [];
  return { searchParams, scopes: scopes.map((scope) => scope.replace(/.*auth\/(gmail\.)?/, '')) };
}

function mailboxOf({ tenantId, mailboxId }: Company) {
  return letterhead.database.system
    .selectFrom('mailboxes')
    .select(['state', 'wanted'])
    .where('tenant_id', '=', tenantId)
    .where('id', '=', mailboxId)
    .executeTakeFirstOrThrow();
}

const alias = (email: string) => ({ email, name: 'Accounts', status: 'accepted' as const });

describe('a mailbox that was just connected', () => {
  it('may send and nothing else, and shows what could be switched on', async () => {
    const one = await company(letterhead);
    expect(await ticks(one)).toEqual([
      'Send email: on',
      'Other addresses: off',
      'Safe retries: off',
      'Look into Sent: off',
    ]);
    expect((await one.founder.get('/settings/email')).text).toContain('· may send email');
  });

  it('says plainly that other addresses cannot be checked, and leads to the permission', async () => {
    const one = await company(letterhead);
    const { text } = await one.founder.get('/settings/email');
    expect(text).toContain('it cannot see which other addresses Gmail accepts');
    expect(text).toContain(`href="${ladder(one)}/aliases"`);
    expect(text).toMatch(/id="mode-alias"[^>]* disabled/);
  });
});

describe('a permission', () => {
  it.each([
    ['aliases', ['settings.basic'], 'Other addresses', 'It cannot read any email.'],
    ['safe_retry', ['compose'], 'Safe retries', 'It cannot read emails that you received or sent.'],
    ['tracking', ['metadata'], 'Look into Sent', 'It cannot read what an email says'],
  ] as const)(
    'has a page in front of Google’s, and asks for its one scope: %s',
    async (permission, scope, name, never) => {
      const one = await company(letterhead);
      const page = await one.founder.get(`${ladder(one)}/${permission}`);
      expect([page.status, titleOf(page)]).toEqual([200, name]);
      expect(page.text).toContain(never);
      expect(page.text).toContain('Continue to Google');

      const start = await one.founder.post(`${ladder(one)}/${permission}`, { switch: 'on' });
      const { scopes, searchParams } = asked(start);
      expect(scopes).toEqual(['openid', 'email', 'send', ...scope]);
      expect(searchParams.has('include_granted_scopes')).toBe(false);
      expect([searchParams.get('login_hint'), searchParams.get('prompt')]).toEqual([one.account, 'consent']);
    },
  );

  it('is switched on by a consent for all that the mailbox wants; the replaced token is dropped, never revoked', async () => {
    const one = await company(letterhead, { permissions: ['aliases', 'safe_retry'] });
    letterhead.google.truth.resetCalls();
    const start = await one.founder.post(`${ladder(one)}/tracking`, { switch: 'on' });
    expect(asked(start).scopes).toEqual(['openid', 'email', 'send', 'compose', 'settings.basic', 'metadata']);
    const back = await one.founder.get(await letterhead.google.approve(start.location ?? '', { account: one.account }));
    expect(back.location).toBe(`/mailboxes/${one.mailboxId}`);
    const page = await one.founder.get(back.location ?? '');
    expect(noticeOf(page)).toBe(`“Look into Sent”: switched on for ${one.account}.`);
    expect(await ticks(one)).toEqual([
      'Send email: on',
      'Other addresses: on',
      'Safe retries: on',
      'Look into Sent: on',
    ]);
    expect(revocations()).toBe(0);
  });

  it('to see other addresses leads back to where one is chosen, with the list', async () => {
    const email = 'accounts@chosen.example';
    const one = await company(letterhead, { sendAs: [alias(email)], permissions: [] });
    const page = await one.founder.permit('aliases', one.account);
    expect(noticeOf(page)).toBe(`“Other addresses”: switched on for ${one.account}.`);
    expect(page.text).toContain(`value="${one.mailboxId} ${email}"`);
    expect(page.text).not.toContain('it cannot see which other addresses');
  });

  it('whose box was left empty stays off, says so, and takes nothing from what worked', async () => {
    const one = await company(letterhead, { permissions: ['aliases'] });
    const page = await one.founder.permit('safe_retry', one.account, { tick: ['gmail.send', 'gmail.settings.basic'] });
    expect(noticeOf(page)).toContain(
      'the box “Manage drafts and send emails” was left empty, so “Safe retries” stays off. Everything else works.',
    );
    expect(await ticks(one)).toEqual([
      'Send email: on',
      'Other addresses: on',
      'Safe retries: off',
      'Look into Sent: off',
    ]);
  });

  it('is not bought with another one: a box that was ticked before and is empty now changes nothing at all', async () => {
    const one = await company(letterhead, { sendAs: [alias('accounts@kept.example')] });
    const page = await one.founder.permit('safe_retry', one.account, { tick: ['gmail.send', 'gmail.compose'] });
    expect(noticeOf(page)).toMatch(/^Nothing has changed: on Google’s page the box “See, edit[^”]*” was left empty\./);
    expect(await ticks(one)).toEqual([
      'Send email: on',
      'Other addresses: on',
      'Safe retries: off',
      'Look into Sent: off',
    ]);
    expect(await letterhead.context.tokens.of(one.tenantId, one.mailboxId)).toBeTruthy();
  });

  it('that allows less than a connection which had ended unnoticed is taken all the same', async () => {
    const one = await company(letterhead, { sendAs: [alias('accounts@ended.example')] });
    letterhead.google.accounts.removeAccess(one.account, testClient.clientId);
    expect((await mailboxOf(one)).state).toBe('active');
    const page = await one.founder.permit('safe_retry', one.account, { tick: ['gmail.send', 'gmail.compose'] });
    expect(noticeOf(page)).toContain('“Safe retries”: switched on');
    expect(await ticks(one)).toEqual([
      'Send email: on',
      'Other addresses: missing',
      'Safe retries: on',
      'Look into Sent: off',
    ]);
    await letterhead.context.tokens.of(one.tenantId, one.mailboxId);
    expect((await mailboxOf(one)).state).toBe('active');
  });

  it('is not switched on by a box to send that was left empty; the mailbox works as before', async () => {
    const one = await company(letterhead);
    const page = await one.founder.permit('safe_retry', one.account, { tick: ['gmail.settings.basic'] });
    expect([page.status, titleOf(page)]).toEqual([409, 'Nothing was switched on: one box was left empty']);
    expect(page.text).toContain(`${one.account} stays connected and works as before.`);
    expect(await ticks(one)).toContain('Send email: on');
  });

  it('refused at Google says that nothing was switched on, and that the mailbox stays connected', async () => {
    const one = await company(letterhead);
    const page = await one.founder.permit('tracking', one.account, { refuse: true });
    expect([page.status, titleOf(page)]).toEqual([403, 'Nothing was switched on: you said no at Google']);
    expect(page.text).toContain(`${one.account} stays connected and works as before.`);
    expect((await mailboxOf(one)).wanted).toEqual(['send']);
  });

  it('is kept while Google cannot be reached to finish a further one', async () => {
    const one = await company(letterhead, { permissions: ['aliases'] });
    letterhead.google.faults.add({ method: 'token', effect: { kind: 'drop', when: 'before' } });
    const page = await one.founder.permit('tracking', one.account);
    expect([page.status, titleOf(page)]).toEqual([502, 'Nothing was switched on: Google could not be reached']);
    expect(await ticks(one)).toContain('Other addresses: on');
  });
});

describe('switching a permission off', () => {
  it('says what stops, stops it at once, and asks nothing of Google, either way', async () => {
    const email = 'accounts@off.example';
    const one = await company(letterhead, { sendAs: [alias(email)] });
    await one.founder.post('/settings/email/sender-rule', { mode: 'alias', alias: `${one.mailboxId} ${email}` });
    letterhead.google.truth.resetCalls();
    expect((await one.founder.get(`${ladder(one)}/aliases`)).text).toContain('nothing is sent from them');
    await one.founder.post(`${ladder(one)}/aliases`, { switch: 'off' });
    expect(await ticks(one)).toContain('Other addresses: off');
    expect(await one.ask()).toMatchObject({ kind: 'refused', resolution: { reason: 'aliases_unreadable' } });

    expect((await one.founder.get(`${ladder(one)}/aliases`)).text).toContain(
      'Google has allowed it for this connection',
    );
    const back = await one.founder.post(`${ladder(one)}/aliases`, { switch: 'on' });
    expect(back.location).toBe('/settings/email');
    expect(await one.ask()).toMatchObject({ kind: 'created' });
    expect([letterhead.google.truth.calls('authorize'), revocations()]).toEqual([0, 0]);
  });

  it('leaves it out of the next consent', async () => {
    const one = await company(letterhead, { permissions: ['aliases', 'tracking'] });
    await one.founder.post(`${ladder(one)}/aliases`, { switch: 'off' });
    const start = await one.founder.post('/mailboxes/connection', { kind: 'shared', mailboxId: one.mailboxId });
    expect(asked(start).scopes).toEqual(['openid', 'email', 'send', 'metadata']);
  });
});

describe('connecting again', () => {
  const off = (one: Company) => letterhead.google.accounts.removeAccess(one.account, testClient.clientId);

  it('names the whole wanted set, and shows what is missing when a box was left empty', async () => {
    const one = await company(letterhead, { permissions: ['aliases', 'safe_retry'] });
    off(one);
    await expect(renewed(one)).rejects.toThrow('reconnected');
    // Nothing is ticked that does not work.
    expect(await ticks(one)).toEqual([
      'Send email: missing',
      'Other addresses: missing',
      'Safe retries: missing',
      'Look into Sent: off',
    ]);
    const start = await one.founder.post('/mailboxes/connection', { kind: 'shared', mailboxId: one.mailboxId });
    expect(asked(start).scopes).toEqual(['openid', 'email', 'send', 'compose', 'settings.basic']);
    const page = await one.founder.connect(one.account, {
      mailboxId: one.mailboxId,
      tick: ['gmail.send', 'gmail.compose'],
    });
    expect(noticeOf(page)).toContain(`${one.account} is connected. On Google’s page the box`);
    expect(await ticks(one)).toEqual([
      'Send email: on',
      'Other addresses: missing',
      'Safe retries: on',
      'Look into Sent: off',
    ]);
    const again = await one.founder.get(`${ladder(one)}/aliases`);
    expect(again.text).toContain('its box was left empty on Google’s page');
    await one.founder.permit('aliases', one.account);
    expect(await ticks(one)).toContain('Other addresses: on');
  });

  it('through “Connect another Gmail” takes nothing from a mailbox that has more', async () => {
    const one = await company(letterhead, { permissions: ['aliases'] });
    const page = await one.founder.connect(one.account);
    expect(noticeOf(page)).toBe(`${one.account} was connected already, and stays as it was.`);
    expect(await ticks(one)).toContain('Other addresses: on');
  });

  async function renewed({ tenantId, mailboxId }: Company): Promise<void> {
    await inTenant(letterhead.database.db, tenantId, (trx) =>
      trx.updateTable('grants').set({ access_token_expires_at: new Date() }).execute(),
    );
    await letterhead.context.tokens.of(tenantId, mailboxId);
  }
});

describe('surplus scopes of a token', () => {
  it('are not used, though the token still holds them', async () => {
    const one = await company(letterhead, { permissions: ['aliases', 'safe_retry', 'tracking'] });
    for (const permission of ['safe_retry', 'tracking'])
      await one.founder.post(`${ladder(one)}/${permission}`, { switch: 'off' });
    const [mailbox] = await inTenant(letterhead.database.db, one.tenantId, (trx) =>
      listMailboxes(trx, one.tenantId, one.memberId),
    );
    expect(mailbox?.scopes).toContain('https://www.googleapis.com/auth/gmail.metadata');
    expect(mailbox?.capabilities).toEqual(['send', 'aliases']);
  });
});

describe('who may decide', () => {
  it('is each member about their own Gmail, and nobody else', async () => {
    const one = await company(letterhead);
    const { account: email, pages: member } = await colleague(letterhead, one, 'Own');
    await member.connect(email, { kind: 'personal' });
    expect(noticeOf(await member.permit('safe_retry', email))).toBe(`“Safe retries”: switched on for ${email}.`);
    const own = /id="mailbox-([\w-]+)">own@/.exec((await member.get('/settings/email')).text)?.[1];
    expect((await member.get(`/mailboxes/${own}/permissions/tracking`)).status).toBe(200);
    expect((await one.founder.get(`/mailboxes/${own}/permissions/tracking`)).status).toBe(404);
    expect((await one.founder.post(`/mailboxes/${own}/permissions/tracking`, { switch: 'on' })).status).toBe(404);
  });

  it('is looked at again when they come back from Google: who is no admin any more connects nothing', async () => {
    const one = await company(letterhead);
    const { account: email, pages: admin } = await colleague(letterhead, one, 'Admin', 'admin');
    const start = await admin.post(`${ladder(one)}/tracking`, { switch: 'on' });
    const callback = await letterhead.google.approve(start.location ?? '', { account: one.account });
    await inTenant(letterhead.database.db, one.tenantId, (trx) =>
      trx.updateTable('members').set({ role: 'member' }).where('email', '=', email).execute(),
    );
    const page = await admin.bring(callback);
    expect([page.status, titleOf(page)]).toEqual([403, 'Not with your role']);
    expect((await mailboxOf(one)).wanted).toEqual(['send']);
  });

  it('is an owner or admin about the company’s Gmail', async () => {
    const one = await company(letterhead);
    const { pages: member } = await colleague(letterhead, one, 'Member');
    expect((await member.get(`${ladder(one)}/aliases`)).status).toBe(403);
    expect((await member.post(`${ladder(one)}/aliases`, { switch: 'on' })).status).toBe(403);
    const page = await member.get(`/mailboxes/${one.mailboxId}`);
    expect(page.status).toBe(200);
    expect(page.text).not.toMatch(/Switch on|Disconnect|Reconnect/);
  });
});

describe('what the operator does not offer', () => {
  it('is on no page and asked for by no consent', async () => {
    const offered: Capability[] = ['send', 'safe_retry'];
    const other = await startTestLetterhead({ worker: false, offered });
    try {
      const one = await company(other);
      const { text } = await one.founder.get(`/mailboxes/${one.mailboxId}`);
      expect(text).toContain('Safe retries');
      expect(text).not.toMatch(/Other addresses|Look into Sent/);
      expect((await one.founder.get('/settings/email')).text).toContain('does not offer to check them');
      for (const permission of ['aliases', 'tracking', 'inbox', 'send', 'toString']) {
        expect((await one.founder.get(`/mailboxes/${one.mailboxId}/permissions/${permission}`)).status).toBe(404);
        const post = await one.founder.post(`/mailboxes/${one.mailboxId}/permissions/${permission}`, { switch: 'on' });
        expect(post.status).toBe(404);
      }
      expect((await one.founder.get(`/mailboxes/${one.mailboxId}/permissions/safe_retry`)).status).toBe(200);
    } finally {
      await other.close();
    }
  });
});
