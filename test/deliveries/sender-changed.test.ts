import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DocumentRecord } from '../../src/documents/store.ts';
import { saveRule } from '../../src/mailboxes/sender-rules.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { type Company, company } from '../support/company.ts';
import { passingUntil } from '../support/eventually.ts';
import { deliverNow } from '../support/hand-delivery.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { runForm } from '../support/run-page.ts';
import { anInvoice, anotherKey, openSendPage } from '../support/send-page.ts';

let letterhead: TestLetterhead;
beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false, timeStands: true });
});
afterAll(() => letterhead.close());

const alias = 'accounts@alias.example';

/** A company that sends from an alias, and an email of it that has not left yet. */
async function waitingFromAlias() {
  const sender = await company(letterhead, { sendAs: [{ email: alias, status: 'accepted', name: 'Accounts' }] });
  await within(sender, (trx) =>
    saveRule(
      trx,
      sender.tenantId,
      null,
      { mode: 'alias', mailboxId: sender.mailboxId, email: alias },
      { memberId: null, at: new Date() },
    ),
  );
  const id = await sender.send();
  expect(await sender.delivery(id)).toMatchObject({ state: 'queued', fromEmail: alias });
  return { sender, id };
}
const within = <T>(sender: Company, work: Parameters<typeof inTenant<T>>[2]) =>
  inTenant(letterhead.database.db, sender.tenantId, work);
/** As if Gmail had been asked for its addresses that long ago. */
const listRead = (sender: Company, minutesAgo: number) =>
  within(sender, (trx) =>
    trx
      .updateTable('mailboxes')
      .set({ send_as_fetched_at: new Date(letterhead.google.clock.now() - minutesAgo * 60_000) })
      .execute(),
  );
const listCalls = () => letterhead.google.truth.calls('sendAs.list');

describe('just before an email leaves from an alias', () => {
  it('Gmail is asked again where its list is older than 15 minutes, and it leaves from the alias', async () => {
    const { sender, id } = await waitingFromAlias();
    await listRead(sender, 16);
    const before = listCalls();
    await deliverNow(letterhead, sender, id);
    expect(listCalls()).toBe(before + 1);
    expect(sender.accepted(id)).toMatchObject([{ from: { address: alias }, requestedFrom: `Accounts <${alias}>` }]);
  });

  it('Gmail is not asked again where the list is younger', async () => {
    const { sender, id } = await waitingFromAlias();
    await listRead(sender, 14);
    const before = listCalls();
    await deliverNow(letterhead, sender, id);
    expect(listCalls()).toBe(before);
    expect(sender.accepted(id)).toHaveLength(1);
  });

  it.each([
    ['is gone', (account: string) => letterhead.google.accounts.removeSendAs(account, alias), 'no longer lists it'],
    [
      'waits to be confirmed again',
      (account: string) => letterhead.google.accounts.addSendAs(account, { email: alias, status: 'pending' }),
      'still waits for that address to be confirmed',
    ],
  ])('it is held where the alias %s, and never leaves from elsewhere', async (_what, change, words) => {
    const { sender, id } = await waitingFromAlias();
    change(sender.account);
    await listRead(sender, 16);
    await deliverNow(letterhead, sender, id);
    const held = await sender.delivery(id);
    expect(held).toMatchObject({ state: 'held', heldReason: 'sender_changed', notBefore: null, attempts: [] });
    expect(held.lastDetail).toContain(words);
    expect(sender.accepted(id)).toEqual([]);
  });

  it('it leaves after all where the alias came back and somebody says “send now”', async () => {
    const { sender, id } = await waitingFromAlias();
    letterhead.google.accounts.removeSendAs(sender.account, alias);
    await listRead(sender, 16);
    await deliverNow(letterhead, sender, id);
    letterhead.google.accounts.addSendAs(sender.account, { email: alias, status: 'accepted' });
    await listRead(sender, 16);
    await sender.founder.post(`/deliveries/${id}/decision`, { decision: 'send_now' });
    await deliverNow(letterhead, sender, id);
    expect(sender.accepted(id)).toMatchObject([{ from: { address: alias } }]);
  });

  it('a token that Gmail no longer takes is renewed for the question as well', async () => {
    const { sender, id } = await waitingFromAlias();
    await listRead(sender, 16);
    letterhead.google.accounts.expireAccessTokens(sender.account);
    await deliverNow(letterhead, sender, id);
    expect((await sender.delivery(id)).state).toBe('sent');
    expect(sender.accepted(id)).toHaveLength(1);
  });

  it('a token that Gmail never takes ends in asking for a new connection', async () => {
    const { sender, id } = await waitingFromAlias();
    await listRead(sender, 16);
    letterhead.google.faults.add({
      ...{ method: 'sendAs.list', account: sender.account, times: 10 },
      effect: { kind: 'unauthorized' },
    });
    await deliverNow(letterhead, sender, id);
    expect(await sender.delivery(id)).toMatchObject({ state: 'held', heldReason: 'mailbox_needs_reconnect' });
    const [mailbox] = await within(sender, (trx) => trx.selectFrom('mailboxes').select('state').execute());
    expect(mailbox?.state).toBe('needs_reconnect');
  });

  it('waits where Gmail cannot be asked, because nobody can know', async () => {
    const { sender, id } = await waitingFromAlias();
    await listRead(sender, 16);
    letterhead.google.faults.add({
      ...{ method: 'sendAs.list', account: sender.account, times: 10 },
      effect: { kind: 'serverError', status: 503, when: 'before' },
    });
    await passingUntil(letterhead.time, deliverNow(letterhead, sender, id));
    const held = await sender.delivery(id);
    expect(held).toMatchObject({ state: 'held', attempts: [] });
    expect(held.notBefore?.getTime()).toBeGreaterThan(letterhead.google.clock.now());
    expect(sender.accepted(id)).toEqual([]);
  });
});

describe('just before an email leaves from the default mailbox', () => {
  it('it is held where another mailbox became the default, and is never re-routed', async () => {
    const sender = await company(letterhead);
    const id = await sender.send();
    const second = sender.account.replace('office', 'second');
    letterhead.google.accounts.add({ email: second, name: 'Second' });
    await sender.founder.connect(second);
    await within(sender, async (trx) => {
      await trx.updateTable('mailboxes').set({ is_default: false }).execute();
      await trx.updateTable('mailboxes').set({ is_default: true }).where('email', '=', second).execute();
    });
    await deliverNow(letterhead, sender, id);
    expect(await sender.delivery(id)).toMatchObject({ state: 'held', heldReason: 'sender_changed' });
    expect(sender.accepted(id)).toEqual([]);
  });

  it('the administrator’s word against Gmail apps ends the connection, as at a send', async () => {
    const { sender, id } = await waitingFromAlias();
    await listRead(sender, 16);
    letterhead.google.faults.add({
      ...{ method: 'sendAs.list', account: sender.account },
      effect: { kind: 'forbidden', reason: 'domainPolicy' },
    });
    await deliverNow(letterhead, sender, id);
    expect(await sender.delivery(id)).toMatchObject({ state: 'held', heldReason: 'mailbox_needs_reconnect' });
    const mailbox = await within(sender, (trx) =>
      trx.selectFrom('mailboxes').select(['state', 'state_reason']).executeTakeFirstOrThrow(),
    );
    expect(mailbox).toEqual({ state: 'needs_reconnect', state_reason: 'admin_policy' });
  });

  it.each([
    [
      'Google has a problem of its own',
      { kind: 'serverError', status: 503, when: 'before' },
      30,
      'a problem of its own',
    ],
    [
      'the Gmail API is switched off',
      { kind: 'forbidden', reason: 'accessNotConfigured' },
      300,
      'own access to Google',
    ],
  ] as const)('it waits, and says for what: %s', async (_what, effect, seconds, words) => {
    const { sender, id } = await waitingFromAlias();
    await listRead(sender, 16);
    letterhead.google.faults.add({ method: 'sendAs.list', account: sender.account, times: 10, effect });
    await passingUntil(letterhead.time, deliverNow(letterhead, sender, id));
    letterhead.google.faults.clear();
    const held = await sender.delivery(id);
    expect(held).toMatchObject({ state: 'held', heldReason: 'operator', lastDetail: expect.stringContaining(words) });
    const waits = (held.notBefore?.getTime() ?? 0) - held.stateAt.getTime();
    expect(Math.round(waits / 10_000) * 10).toBe(seconds);
  });
});

describe('somebody who would be refused by a list', () => {
  /** A place where that would be; what is opened there beforehand leads to a second look, which says whether it went. */
  type Place = (sender: Company, record: DocumentRecord) => Promise<() => Promise<boolean>>;
  const shows =
    (path: (record: DocumentRecord) => string, refusal: string): Place =>
    async ({ founder }, record) =>
    async () =>
      !(await founder.get(path(record))).text.includes(refusal);
  const goes =
    (
      path: string,
      form: (sender: Company, record: DocumentRecord) => Promise<Record<string, string>>,
      to: RegExp,
    ): Place =>
    async (sender, record) => {
      const opened = await form(sender, record);
      return async () => to.test((await sender.founder.post(path.replace(':id', record.id), opened)).location ?? '');
    };

  const places: readonly [string, Place][] = [
    ['at the page that sends', shows(({ id }) => `/documents/${id}/deliveries/new`, 'It cannot be sent yet.')],
    ['at the page that starts a run', shows(({ id }) => `/runs/new?kind=invoice&id=${id}`, 'They cannot be sent yet.')],
    [
      'at the email settings, where the test email is',
      shows(() => '/settings/email', 'Nothing can be sent by you now.'),
    ],
    [
      'pressing Send, the page open since before',
      goes('/documents/:id/deliveries', ({ founder }, record) => openSendPage(founder, record), /^\/deliveries\//),
    ],
    [
      'starting a run, the page open since before',
      goes('/runs', ({ founder }, { id }) => runForm(founder, `kind=invoice&id=${id}`), /^\/runs\//),
    ],
    ['sending a test email', goes('/settings/email/test-deliveries', async () => anotherKey(), /^\/deliveries\//)],
  ];

  it.each(places)(
    '%s: Gmail is asked again where it is older than 15 minutes, and not where it is younger',
    async (_what, place) => {
      const { sender } = await waitingFromAlias();
      const look = await place(sender, await anInvoice(letterhead, sender));
      letterhead.google.accounts.addSendAs(sender.account, { email: alias, name: 'Accounts', status: 'pending' });
      await sender.founder.post(`/mailboxes/${sender.mailboxId}/send-as-refresh`);
      letterhead.google.accounts.addSendAs(sender.account, { email: alias, name: 'Accounts', status: 'accepted' });
      const asked = async () => {
        const before = listCalls();
        return [(await look()) ? 'goes' : 'refused', listCalls() - before];
      };
      await listRead(sender, 14);
      expect(await asked()).toEqual(['refused', 0]);
      await listRead(sender, 16);
      expect(await asked()).toEqual(['goes', 1]);
      expect(await asked()).toEqual(['goes', 0]);
    },
  );
});
