import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { endMailbox } from '../../src/mailboxes/health.ts';
import type { EndingSource } from '../../src/mailboxes/outweighs.ts';
import type { EndedReason } from '../../src/mailboxes/why-ended.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { colleague } from '../support/colleague.ts';
import { type Company, company } from '../support/company.ts';
import { eventually, passingUntil } from '../support/eventually.ts';
import { startTestLetterhead, type TestLetterhead, testClient } from '../support/letterhead.ts';

let letterhead: TestLetterhead;
beforeAll(async () => {
  letterhead = await startTestLetterhead();
});
afterEach(() => letterhead.google.faults.clear());
afterAll(() => letterhead.close());

const end = (one: Company, reason: EndedReason, sure = true, from: EndingSource = 'connection') =>
  inTenant(letterhead.database.db, one.tenantId, (trx) =>
    endMailbox(trx, one.tenantId, one.mailboxId, { reason, sure, from, at: letterhead.context.clock() }),
  );
const stateOf = (one: Company) =>
  inTenant(letterhead.database.db, one.tenantId, (trx) =>
    trx
      .selectFrom('mailboxes')
      .select(['state', 'state_reason as reason'])
      .where('id', '=', one.mailboxId)
      .executeTakeFirst(),
  );
const act = (one: Company, what: string) => one.founder.post(`/mailboxes/${one.mailboxId}/${what}`);
const banner = (text: string) => /<aside class="notice fail"[\s\S]*?<\/aside>/.exec(text)?.[0];
/** What the page says, without markup. */
const words = (text: string) => text.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ');

describe('a connection that ended', () => {
  it('is told on every page to whoever can mend it, and to nobody else, until it is connected again', async () => {
    const one = await company(letterhead);
    const { pages: member } = await colleague(letterhead, one, 'Mo');
    const { pages: admin } = await colleague(letterhead, one, 'Ada', 'admin');
    const pages = ['/', '/documents?kind=invoice', '/parties', '/activity', '/activity/mailboxes', '/settings/members'];
    for (const path of pages) expect(banner((await one.founder.get(path)).text), path).toBeUndefined();
    await end(one, 'password_changed');
    for (const path of pages) {
      for (const who of [one.founder, admin]) {
        const told = banner((await who.get(path)).text) ?? '';
        expect(words(told), path).toContain(`${one.account} must be connected to Gmail again.`);
        expect(words(told), path).toContain('The password of');
        expect(told).toContain(`href="/mailboxes/${one.mailboxId}"`);
      }
      expect(banner((await member.get(path)).text), path).toBeUndefined();
    }
    // Who cannot mend it learns of it at the start.
    expect(words((await member.get('/')).text)).toContain(`${one.account} must be connected to Gmail again.`);
    await one.founder.connect(one.account, { mailboxId: one.mailboxId });
    for (const path of pages) expect(banner((await admin.get(path)).text), path).toBeUndefined();
  });

  it('is told once where several are told together, and the page that tells it does not tell it twice', async () => {
    const one = await company(letterhead);
    const second = one.account.replace('office', 'sales');
    letterhead.google.accounts.add({ email: second, name: 'Sales' });
    await one.founder.connect(second);
    const { id } = await inTenant(letterhead.database.db, one.tenantId, (trx) =>
      trx.selectFrom('mailboxes').select('id').where('email', '=', second).executeTakeFirstOrThrow(),
    );
    await end(one, 'revoked', false);
    await end({ ...one, mailboxId: id }, 'unused');
    const told = words(banner((await one.founder.get('/')).text) ?? '');
    expect(told).toContain(`2 accounts must be connected to Gmail again: ${one.account} and ${second}.`);
    expect(banner((await one.founder.get('/settings/email')).text)).toBeUndefined();
    // The page of the one still tells of the other.
    const page = (await one.founder.get(`/mailboxes/${one.mailboxId}`)).text;
    expect(words(banner(page) ?? '')).toContain(`${second} must be connected to Gmail again.`);
  });

  it.each([
    ['revoked', false, 'Most likely somebody removed Letterhead’s access', 'Connect it again.'],
    ['testing_week', false, 'Most likely the app', 'publishing the app'],
    ['account_deleted', true, 'was deleted', 'If it can be restored'],
    ['admin_policy', true, 'does not let Letterhead into Gmail', 'Ask your Google Workspace administrator'],
    ['app_changed', true, 'registered it anew with Google', 'Connect it again, once.'],
  ] as const)('says why and what to do, on both its pages: %s', async (reason, sure, what, fix) => {
    const one = await company(letterhead);
    await end(one, reason, sure);
    for (const path of ['/settings/email', `/mailboxes/${one.mailboxId}`]) {
      const said = words((await one.founder.get(path)).text);
      for (const sentence of [what, fix, 'nothing is lost']) expect(said, path).toContain(sentence);
    }
  });

  it('stands in the history and in Activity, with who connected it again', async () => {
    const one = await company(letterhead);
    await end(one, 'revoked', false);
    await end(one, 'password_changed');
    await one.founder.connect(one.account, { mailboxId: one.mailboxId });
    const everywhere = words((await one.founder.get('/activity/mailboxes')).text);
    expect(everywhere).toContain(`${one.account} : must be connected again`);
    const own = words((await one.founder.get(`/activity/mailboxes?mailbox=${one.mailboxId}`)).text);
    const order = ['Connected to Gmail by', 'More is known of why', 'Must be connected again', 'Connected to Gmail by'];
    let from = 0;
    for (const title of order) {
      const at = own.indexOf(title, from);
      expect(at, title).toBeGreaterThan(-1);
      from = at + title.length;
    }
  });

  it('of somebody’s own Gmail is nobody else’s business', async () => {
    const one = await company(letterhead);
    const { pages: member, account } = await colleague(letterhead, one, 'Mo');
    await member.connect(account, { kind: 'personal' });
    const { id } = await inTenant(letterhead.database.db, one.tenantId, (trx) =>
      trx.selectFrom('mailboxes').select('id').where('kind', '=', 'personal').executeTakeFirstOrThrow(),
    );
    await end({ ...one, mailboxId: id }, 'revoked', false);
    expect(banner((await member.get('/')).text)).toContain(account);
    expect(banner((await one.founder.get('/')).text)).toBeUndefined();
    expect((await one.founder.get('/activity/mailboxes')).text).not.toContain(account);
  });
});

describe('the history', () => {
  it('is shown in pages, and a broken address shows the first', async () => {
    const one = await company(letterhead);
    await inTenant(letterhead.database.db, one.tenantId, (trx) =>
      trx
        .insertInto('mailbox_events')
        .values(
          Array.from({ length: 119 }, (_, number) => ({
            ...({
              tenant_id: one.tenantId,
              mailbox_id: one.mailboxId,
              kind: number % 2 ? 'paused' : 'resumed',
            } as const),
            at: letterhead.context.clock(),
          })),
        )
        .execute(),
    );
    const counts: number[] = [];
    let address: string | undefined = '/activity/mailboxes';
    while (address) {
      const { text } = await one.founder.get(address);
      counts.push(text.match(/<li class="(?:ok|held|fail|)">/g)?.length ?? 0);
      address = /href="(\/activity\/mailboxes\?before=\d+)"/.exec(text)?.[1];
    }
    expect(counts).toEqual([50, 50, 20]);
    for (const broken of ['before=x', 'before=99999999999999999999', 'before=-1'])
      expect((await one.founder.get(`/activity/mailboxes?${broken}`)).status).toBe(200);
    expect((await one.founder.get('/activity/mailboxes?mailbox=x')).status).toBe(404);
  });
});

describe('a pause', () => {
  it('holds what is sent, says so beforehand, and lets it go when resumed', async () => {
    const one = await company(letterhead);
    const before = await one.send();
    await one.reaches(before, 'sent');
    expect((await act(one, 'pause')).location).toBe(`/mailboxes/${one.mailboxId}`);
    const record = await one.record();
    expect(words((await one.founder.get(`/documents/${record.id}/deliveries/new`)).text)).toContain(
      `${one.account} is paused.`,
    );
    const id = await one.send();
    expect(await one.delivery(id)).toMatchObject({ state: 'held', heldReason: 'mailbox_paused' });
    const settings = words((await one.founder.get('/settings/email')).text);
    expect(settings).toContain('Emails from this account wait until somebody resumes it.');
    expect(settings).toMatch(/Paused by \S/);
    expect(words((await one.founder.get('/activity')).text)).toMatch(
      /Held [^·]+ was paused by Company \d+ at \d\d:\d\d · Resume/,
    );
    await act(one, 'resumption');
    expect(words((await one.founder.get(`/mailboxes/${one.mailboxId}`)).text)).toContain('1 email is going out now.');
    await one.reaches(id, 'sent');
    expect(one.accepted(id)).toHaveLength(1);
  });

  it('catches what was written before it and had not left', async () => {
    const one = await company(letterhead);
    letterhead.google.faults.add({
      ...{ method: 'messages.send', account: one.account },
      effect: {
        kind: 'tooMany',
        limit: 'rate',
        retryAt: new Date(letterhead.google.clock.now() + 600_000).toISOString(),
      },
    });
    const id = await one.send();
    await eventually(
      () => one.delivery(id),
      ({ attempts, state }) => state === 'queued' && attempts[0]?.outcome === 'refused_retry',
    );
    await act(one, 'pause');
    letterhead.google.clock.forward(600_000);
    expect((await one.reaches(id, 'held')).heldReason).toBe('mailbox_paused');
    expect(one.accepted(id)).toEqual([]);
  });

  it('says who was first, and when, where two press at the same time', async () => {
    const one = await company(letterhead);
    const own = `/mailboxes/${one.mailboxId}`;
    await act(one, 'resumption');
    expect(words((await one.founder.get(own)).text)).toContain(`${one.account} was not paused any more.`);
    await act(one, 'pause');
    await act(one, 'pause');
    expect(words((await one.founder.get(own)).text)).toMatch(/was paused already\. Paused by [^:]+: .*\d\d:\d\d\./);
    await act(one, 'resumption');
    await act(one, 'resumption');
    expect(words((await one.founder.get(own)).text)).toMatch(
      /was not paused any more\. Resumed by [^:]+: .*\d\d:\d\d\./,
    );
  });

  it('is not for everybody, and not for what is disconnected', async () => {
    const one = await company(letterhead);
    const { pages: member } = await colleague(letterhead, one, 'Mo');
    for (const what of ['pause', 'resumption', 'recheck'])
      expect((await member.post(`/mailboxes/${one.mailboxId}/${what}`)).status, what).toBe(403);
    expect(await stateOf(one)).toMatchObject({ state: 'active' });
    await act(one, 'disconnection');
    await act(one, 'pause');
    expect(await stateOf(one)).toMatchObject({ state: 'disconnected' });
  });

  it('stays when it is connected again, and tells what ended meanwhile when it is over', async () => {
    const one = await company(letterhead);
    await act(one, 'pause');
    await one.founder.connect(one.account, { mailboxId: one.mailboxId });
    expect(await stateOf(one)).toMatchObject({ state: 'paused' });
    await end(one, 'reauth');
    expect(words((await one.founder.get('/settings/email')).text)).toContain('it must be connected again, too');
    await act(one, 'resumption');
    expect(await stateOf(one)).toEqual({ state: 'needs_reconnect', reason: 'reauth' });
    expect(words((await one.founder.get(`/mailboxes/${one.mailboxId}`)).text)).toContain(
      'its connection ended meanwhile',
    );
  });
});

describe('another look at a connection', () => {
  it('finds that it works after all, and lets go what waited', async () => {
    const one = await company(letterhead);
    await end(one, 'revoked', false);
    const id = await one.send();
    expect((await one.delivery(id)).state).toBe('held');
    await act(one, 'recheck');
    const page = words((await one.founder.get(`/mailboxes/${one.mailboxId}`)).text);
    expect(page).toContain(`${one.account} works again. 1 email is going out now.`);
    await one.reaches(id, 'sent');
    expect(await stateOf(one)).toEqual({ state: 'active', reason: null });
  });

  it('finds that it does not, and knows better why', async () => {
    const one = await company(letterhead);
    await end(one, 'revoked', false);
    letterhead.google.accounts.requireReauth(one.account);
    await act(one, 'recheck');
    expect(await stateOf(one)).toEqual({ state: 'needs_reconnect', reason: 'reauth' });
    const page = words((await one.founder.get(`/mailboxes/${one.mailboxId}`)).text);
    expect(page).toContain('does not work yet');
    expect(page).toContain('to sign in again before apps go on');
  });

  it.each(['admin_policy', 'refused', 'no_gmail'] as const)(
    'asks Gmail, too, where Gmail had refused: %s',
    async (reason) => {
      const one = await company(letterhead);
      await end(one, reason);
      letterhead.google.faults.add({
        ...{ method: 'messages.send', account: one.account },
        effect: (
          {
            admin_policy: { kind: 'forbidden', reason: 'domainPolicy' },
            refused: { kind: 'unauthorized' },
            no_gmail: { kind: 'mailNotEnabled' },
          } as const
        )[reason],
      });
      await act(one, 'recheck');
      expect(await stateOf(one)).toEqual({ state: 'needs_reconnect', reason });
      // It is asked to send, and given nothing that it could send.
      await act(one, 'recheck');
      expect(await stateOf(one)).toEqual({ state: 'active', reason: null });
      expect(letterhead.google.truth.accepted().filter(({ account }) => account === one.account)).toEqual([]);
    },
  );

  it('says what ended the connection since, though Gmail had refused before, and forgets it when that is over', async () => {
    const one = await company(letterhead);
    const { founder, account, mailboxId } = one;
    letterhead.google.accounts.setMailEnabled(account, false);
    await end(one, 'no_gmail', true, 'gmail');
    await act(one, 'recheck');
    expect(await stateOf(one)).toEqual({ state: 'needs_reconnect', reason: 'no_gmail' });
    letterhead.google.accounts.removeAccess(account, testClient.clientId);
    await act(one, 'recheck');
    expect(await stateOf(one)).toEqual({ state: 'needs_reconnect', reason: 'revoked' });
    await founder.post(`/mailboxes/${mailboxId}/check-up`);
    for (const path of ['/', `/mailboxes/${mailboxId}`, `/mailboxes/${mailboxId}/check-up`, '/settings/email']) {
      const page = words((await founder.get(path)).text);
      expect(page, path).toContain('somebody removed Letterhead’s access in the Google account');
      expect(page, path).not.toContain('has no Gmail');
    }
    letterhead.google.accounts.setMailEnabled(account, true);
    await founder.connect(account, { mailboxId });
    expect(await stateOf(one)).toEqual({ state: 'active', reason: null });
  });

  it('says at connecting that a Google account has no Gmail, and sends nothing to find out', async () => {
    const one = await company(letterhead);
    const account = one.account.replace('office', 'drive');
    letterhead.google.accounts.add({ email: account, name: 'Drive' });
    letterhead.google.faults.add({ method: 'messages.send', account, times: 9, effect: { kind: 'mailNotEnabled' } });
    const page = words((await one.founder.connect(account)).text);
    expect(page).toContain(`${account} is connected, but cannot send. The Google account ${account} has no Gmail`);
    const { state } = await inTenant(letterhead.database.db, one.tenantId, (trx) =>
      trx.selectFrom('mailboxes').select('state').where('email', '=', account).executeTakeFirstOrThrow(),
    );
    expect(state).toBe('needs_reconnect');
  });

  it('says when Google could not be asked', async () => {
    const one = await company(letterhead);
    await end(one, 'revoked', false);
    letterhead.google.faults.add({
      method: 'token',
      account: one.account,
      times: 9,
      effect: { kind: 'serverError', status: 503, when: 'before' },
    });
    await passingUntil(letterhead.time, act(one, 'recheck'));
    expect(words((await one.founder.get('/')).text)).toContain('Google could not be asked just now.');
    expect(await stateOf(one)).toMatchObject({ state: 'needs_reconnect' });
  });
});

describe('a dead mailbox', () => {
  it('keeps no page waiting, and no other mailbox, however slowly Google says so', async () => {
    const patient = await startTestLetterhead({ googleTimeoutMs: 600_000 });
    try {
      const { accounts, faults } = patient.google;
      const dead = await company(patient);
      const well = await company(patient);
      accounts.expireAccessTokens(dead.account);
      // Until the rule is taken away.
      const slow = faults.add({
        ...{ method: 'token', account: dead.account, every: 1, effect: { kind: 'slow', ms: 600_000 } },
      });
      const ids = await Promise.all(Array.from({ length: 60 }, () => dead.send()));
      await eventually(
        () => slow.fired,
        (fired) => fired > 0,
      );
      const id = await well.send();
      await well.reaches(id, 'sent');
      for (const path of ['/', '/activity', '/settings/email', `/mailboxes/${dead.mailboxId}`])
        expect((await dead.founder.get(path)).status).toBe(200);
      expect(await Promise.all(ids.map(async (one) => (await dead.delivery(one)).state))).toContain('queued');
      accounts.removeAccess(dead.account, testClient.clientId);
      faults.clear();
      for (const one of ids) await dead.reaches(one, 'held');
    } finally {
      await patient.close();
    }
  });
});
