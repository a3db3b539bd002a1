import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inTenant } from '../../src/tenants/scope.ts';
import { type Company, company } from '../support/company.ts';
import { startTestLetterhead, type TestLetterhead, testClient } from '../support/letterhead.ts';
import type { Page } from '../support/visitor.ts';

let letterhead: TestLetterhead;

beforeAll(async () => {
  // All of them wait at once, and each moves the clock on meanwhile.
  letterhead = await startTestLetterhead({ sendDeadlineMs: 3_600_000 });
});
afterAll(() => letterhead.close());

const hour = 3_600_000;
const titleOf = ({ text }: Page) => /<h1[^>]*>([^<]*)/.exec(text)?.[1]?.trim();
const noticeOf = ({ text }: Page) =>
  /<p class="notice \w+" role="\w+">[\s\S]*?<span>([\s\S]*?)<\/span>/.exec(text)?.[1];
const listOf = ({ mailboxId }: Company) => `/mailboxes/${mailboxId}/waiting`;
const reconnect = (one: Company) => one.founder.connect(one.account, { mailboxId: one.mailboxId });
const heldUntil = ({ text }: Page) => /name="heldUntil" value="([^"]+)"/.exec(text)?.[1] ?? '';

/** Emails that were held some hours ago, each by its own number of hours. */
async function heldFor(one: Company, ...hours: number[]): Promise<string[]> {
  letterhead.google.accounts.removeAccess(one.account, testClient.clientId);
  const ids: string[] = [];
  for (const _ of hours) ids.push(await one.send());
  for (const [index, id] of ids.entries()) {
    await one.reaches(id, 'held');
    const at = new Date(letterhead.google.clock.now() - (hours[index] ?? 0) * hour);
    await inTenant(letterhead.database.db, one.tenantId, (trx) =>
      trx.updateTable('deliveries').set({ state_at: at }).where('id', '=', id).execute(),
    );
  }
  return ids;
}

const stateOf = async (one: Company, id: string) => (await one.delivery(id)).state;

describe.concurrent('what waited until Gmail was connected again', () => {
  it('goes out by itself where it is young; the rest is listed, with what is to be decided', async () => {
    const one = await company(letterhead);
    const [young = '', old = '', older = ''] = await heldFor(one, 23, 25, 400);
    const page = await reconnect(one);
    expect(noticeOf(page)).toBe(
      `${one.account} is connected. 1 email is going out now. 2 waited for more than 24 hours: decide about them here.`,
    );
    expect(titleOf(page)).toBe('2 emails wait');
    expect(page.text).toContain('Send all 2 now');
    await one.reaches(young, 'sent');
    for (const id of [old, older]) {
      expect(page.text).toContain(id);
      expect(await one.delivery(id)).toMatchObject({ state: 'held', heldReason: 'waited_too_long' });
    }
    expect((await one.founder.get('/activity?show=attention')).text).toContain(
      `It waited too long for ${one.account} to go out by itself`,
    );
  });

  it('can be sent or discarded one by one', async () => {
    const one = await company(letterhead);
    const [first = '', second = ''] = await heldFor(one, 30, 30);
    const page = await reconnect(one);
    const form = { heldUntil: heldUntil(page) };
    await one.founder.post(listOf(one), { ...form, deliveryId: first, decision: 'send_now' });
    await one.reaches(first, 'sent');
    expect(one.accepted(first)).toHaveLength(1);
    expect(await stateOf(one, second)).toBe('held');
    const done = await one.founder.post(listOf(one), { ...form, deliveryId: second, decision: 'discard' });
    expect(done.location).toBe(`/mailboxes/${one.mailboxId}`);
    expect(noticeOf(await one.founder.get(done.location ?? ''))).toContain(
      '1 email is discarded, and stays in Activity as cancelled.',
    );
    const discarded = await one.delivery(second);
    expect(discarded.state).toBe('cancelled');
    expect(discarded.events[0]).toMatchObject({ state: 'cancelled', memberName: expect.any(String) });
    expect(one.accepted(second)).toEqual([]);
  });

  it('can be sent all at once, each of them once, however often the button was pressed', async () => {
    const one = await company(letterhead);
    const ids = await heldFor(one, 30, 31, 32, 33);
    const form = { heldUntil: heldUntil(await reconnect(one)), decision: 'send_now' };
    await Promise.all([1, 2, 3].map(() => one.founder.post(listOf(one), form)));
    for (const id of ids) {
      await one.reaches(id, 'sent');
      expect(one.accepted(id)).toHaveLength(1);
    }
    const page = await one.founder.get(listOf(one));
    expect([page.status, titleOf(page)]).toEqual([200, 'Nothing waits']);
  });

  it('is discarded all at once only as far as the page showed it', async () => {
    const one = await company(letterhead);
    const [seen = '', alsoSeen = ''] = await heldFor(one, 30, 30);
    const page = await one.founder.get(listOf(one));
    const later = await one.send();
    await one.reaches(later, 'held');
    await one.founder.post(listOf(one), { heldUntil: heldUntil(page), decision: 'discard' });
    expect([await stateOf(one, seen), await stateOf(one, alsoSeen)]).toEqual(['cancelled', 'cancelled']);
    expect(await stateOf(one, later)).toBe('held');
  });

  it('cannot be sent while Gmail is not connected, and says so', async () => {
    const one = await company(letterhead);
    const [id = ''] = await heldFor(one, 1);
    const page = await one.founder.get(listOf(one));
    expect(page.text).not.toContain('Send now');
    const done = await one.founder.post(listOf(one), { heldUntil: heldUntil(page), decision: 'send_now' });
    expect(noticeOf(await one.founder.get(done.location ?? ''))).toContain(
      `Nothing was sent. ${one.account} must be connected to Gmail again.`,
    );
    expect(await stateOf(one, id)).toBe('held');
  });

  it('is decided about by a form of ours only', async () => {
    const one = await company(letterhead);
    const later = '2100-01-01T00:00:00Z';
    for (const form of [{}, { decision: 'discard' }, { decision: 'burn', heldUntil: later }, { heldUntil: 'later' }])
      expect((await one.founder.post(listOf(one), form as Record<string, string>)).status).toBe(404);
  });
});

describe.concurrent('for how long an email may wait', () => {
  it('is set by the company, in hours', async () => {
    const one = await company(letterhead);
    expect((await one.founder.get('/settings/email')).text).toMatch(/name="hours"[^>]* value="24"/);
    await one.founder.post('/settings/email/release-hours', { hours: '2' });
    expect((await one.founder.get('/settings/email')).text).toMatch(/name="hours"[^>]* value="2"/);
    const [young = '', old = ''] = await heldFor(one, 1, 3);
    expect(noticeOf(await reconnect(one))).toContain('1 waited for more than 2 hours: decide about it here.');
    await one.reaches(young, 'sent');
    expect(await stateOf(one, old)).toBe('held');
  });

  it('may be not at all: then nothing goes out unasked', async () => {
    const one = await company(letterhead);
    await one.founder.post('/settings/email/release-hours', { hours: '0' });
    const [id = ''] = await heldFor(one, 0);
    const page = await reconnect(one);
    expect(noticeOf(page)).toBe(`${one.account} is connected. 1 waited: decide about it here.`);
    expect(page.text).toContain('They do not go out by themselves');
    expect(await stateOf(one, id)).toBe('held');
  });

  it.each(['', '-1', '1.5', '721', 'a day'])('cannot be “%s”', async (hours) => {
    const one = await company(letterhead);
    const page = await one.founder.post('/settings/email/release-hours', { hours });
    expect([page.status, titleOf(page)]).toEqual([422, 'Not saved']);
  });
});

describe('thousands that waited', () => {
  it('are let go in a moment, and the old ones kept', async () => {
    const quiet = await startTestLetterhead({ worker: false });
    try {
      const one = await company(quiet);
      const at = (hoursAgo: number) => new Date(quiet.google.clock.now() - hoursAgo * hour);
      const model = await one.send();
      await inTenant(quiet.database.db, one.tenantId, async (trx) => {
        const { mailbox_id, account } = await trx
          .selectFrom('deliveries')
          .select(['mailbox_id', 'account'])
          .where('id', '=', model)
          .executeTakeFirstOrThrow();
        const row = (index: number) => ({
          ...{ tenant_id: one.tenantId, member_id: one.memberId, mailbox_id, account, purpose: 'test' as const },
          ...{ rule_mode: 'default' as const, from_email: one.account, from_name: 'x', subject: 's', message: 'm' },
          recipients: JSON.stringify({ to: [{ name: '', email: 'mira@northgate.example' }], cc: [], bcc: [] }),
          ...{
            state: 'held' as const,
            held_reason: 'mailbox_needs_reconnect',
            state_at: at(index % 10 === 0 ? 30 : 1),
          },
          ...{ idempotency_key: `many-${index}`, request_hash: 'x' },
        });
        for (let first = 0; first < 5_000; first += 1_000)
          await trx
            .insertInto('deliveries')
            .values(Array.from({ length: 1_000 }, (_, index) => row(first + index)))
            .execute();
      });
      const begun = performance.now();
      const page = await one.founder.connect(one.account, { mailboxId: one.mailboxId });
      expect(performance.now() - begun).toBeLessThan(60_000);
      expect(noticeOf(page)).toContain('1,999 emails are going out now. 2,501 leave from ');
      const counts = await inTenant(quiet.database.db, one.tenantId, (trx) =>
        trx
          .selectFrom('deliveries')
          .select((eb) => ['state', eb.fn.countAll<string>().as('count')])
          .where('idempotency_key', 'like', 'many-%')
          .groupBy('state')
          .orderBy('state')
          .execute(),
      );
      expect(counts).toEqual([
        { state: 'queued', count: '4500' },
        { state: 'held', count: '500' },
      ]);
      // The list is paged.
      expect(page.text).toContain('Next page');
    } finally {
      await quiet.close();
    }
  });
});
