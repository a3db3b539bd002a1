import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDeliverer } from '../../src/deliveries/deliver.ts';
import { holdWithdrawn } from '../../src/deliveries/withdrawn.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { colleague, letOnly } from '../support/colleague.ts';
import { type Company, company } from '../support/company.ts';
import { eventually } from '../support/eventually.ts';
import { anotherWorker, deliverNow } from '../support/hand-delivery.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { received } from '../support/received.ts';

let letterhead: TestLetterhead;
beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false });
});
afterAll(() => letterhead.close());

const within = <T>({ tenantId }: Company, work: Parameters<typeof inTenant<T>>[2]) =>
  inTenant(letterhead.database.db, tenantId, work);

/** How many transactions of this database wait for one another. */
async function waitingForLocks(): Promise<number> {
  const { rows } = await sql<{ count: number }>`select count(*)::int as count from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`.execute(letterhead.database.db);
  return rows[0]?.count ?? 0;
}

type Colleague = Awaited<ReturnType<typeof colleague>>;

/** What is held for these waits for a time. */
const timed = (...reasons: string[]) => Object.fromEntries(reasons.map((reason) => [reason, { held_reason: reason }]));

/** A company in which Tom has sent something that has not left yet. */
async function waitingOfTom() {
  const office = await company(letterhead);
  const tom = await colleague(letterhead, office, 'Tom');
  const id = await office.send({ memberId: tom.memberId });
  expect(await office.delivery(id)).toMatchObject({ state: 'queued' });
  return { office, tom, id };
}

describe('what a member has sent, and may not send any more before it leaves,', () => {
  it('is held as soon as an admin takes the mailbox away from them, and says why', async () => {
    const { office, tom, id } = await waitingOfTom();
    const saved = await letOnly(office.founder, office.mailboxId, [office], [tom]);
    expect(saved.status).toBe(303);
    const held = await office.delivery(id);
    expect(held).toMatchObject({ state: 'held', heldReason: 'not_allowed', notBefore: null, attempts: [] });
    expect(held.lastDetail).toContain('Tom may no longer use the Gmail account');
    expect((await office.founder.get(saved.location ?? '')).text).toContain('1 waiting email is held');
    await deliverNow(letterhead, office, id);
    expect(office.accepted(id)).toEqual([]);
  });

  it('is held by the worker where it was written while access was being taken away', async () => {
    const { office, id } = await waitingOfTom();
    await within(office, (trx) => trx.updateTable('mailboxes').set({ for_everybody: false }).execute());
    await deliverNow(letterhead, office, id);
    expect(await office.delivery(id)).toMatchObject({ state: 'held', heldReason: 'not_allowed', attempts: [] });
    expect(office.accepted(id)).toEqual([]);
  });

  const workerHolds = ({ tenantId }: Company, ids: readonly string[]) =>
    Promise.all(
      createDeliverer(anotherWorker(letterhead)).deliverAll(ids.map((deliveryId) => ({ tenantId, deliveryId }))),
    );
  const adminHolds = ({ tenantId, mailboxId }: Company) =>
    holdWithdrawn({ db: letterhead.database.db, clock: letterhead.context.clock }, tenantId, { mailboxId });
  it.each([
    ['the worker', workerHolds],
    ['the admin’s request', adminHolds],
  ])('is locked by %s in the order of the ids, so that nobody waits for each other for ever', async (_who, hold) => {
    const { office, tom, id } = await waitingOfTom();
    const ids = [id];
    while (ids.length < 40) ids.push(await office.send({ memberId: tom.memberId }));
    await within(office, (trx) => trx.updateTable('mailboxes').set({ for_everybody: false }).execute());
    const [first = ''] = ids.toSorted();
    let holding: Promise<unknown> | undefined;
    await within(office, async (trx) => {
      const lock = (which: readonly string[]) =>
        trx.selectFrom('deliveries').select('id').where('id', 'in', which).forUpdate().noWait().execute();
      await lock([first]);
      holding = hold(office, ids);
      await eventually(waitingForLocks, (count) => count > 0);
      expect(await lock(ids)).toHaveLength(ids.length);
    });
    await holding;
    for (const each of ids) expect((await office.delivery(each)).heldReason).toBe('not_allowed');
  });

  it('stays held where somebody says “send now”, which is not offered, and they are told why', async () => {
    const { office, tom, id } = await waitingOfTom();
    await letOnly(office.founder, office.mailboxId, [office], [tom]);
    for (const person of [tom.pages, office.founder]) {
      const answer = await person.post(`/deliveries/${id}/decision`, { decision: 'send_now' });
      expect(answer.status).toBe(303);
      const page = await person.get(`/deliveries/${id}`);
      expect(page.text).toContain('Nothing was sent. It still waits: Tom may no longer use the Gmail account');
      expect(page.text).not.toContain('value="send_now"');
      expect(await office.delivery(id)).toMatchObject({ state: 'held', heldReason: 'not_allowed' });
    }
    expect(office.accepted(id)).toEqual([]);
  });

  it('goes out by itself once they may again, and only if it waited less long than the company says', async () => {
    const { office, tom, id } = await waitingOfTom();
    const old = await office.send({ memberId: tom.memberId });
    const other = await office.send();
    await letOnly(office.founder, office.mailboxId, [office], [tom]);
    const yesterday = new Date(letterhead.context.clock().getTime() - 25 * 3_600_000);
    await within(office, (trx) =>
      trx.updateTable('deliveries').set({ state_at: yesterday }).where('id', '=', old).execute(),
    );
    await letOnly(office.founder, office.mailboxId, [office, tom]);
    expect(await office.delivery(id)).toMatchObject({ state: 'queued', lastDetail: expect.stringContaining('again') });
    expect((await office.delivery(old)).state).toBe('held');
    expect((await office.delivery(other)).state).toBe('queued');
    await deliverNow(letterhead, office, id);
    expect(office.accepted(id)).toHaveLength(1);
  });

  it('is held where they may only look now, and goes on where they may send again', async () => {
    const { office, tom, id } = await waitingOfTom();
    await office.founder.post(`/settings/members/${tom.memberId}/role`, { role: 'viewer' });
    expect(await office.delivery(id)).toMatchObject({
      ...{ state: 'held', heldReason: 'not_allowed' },
      lastDetail: expect.stringContaining('Tom may only look now'),
    });
    const refused = await office.ask({ memberId: tom.memberId });
    expect(refused).toMatchObject({ kind: 'refused', resolution: { reason: 'may_not_send' } });
    await office.founder.post(`/settings/members/${tom.memberId}/role`, { role: 'member' });
    expect((await office.delivery(id)).state).toBe('queued');
  });

  it('is held where they were removed, keeps their name, and is never sent', async () => {
    const { office, tom, id } = await waitingOfTom();
    await office.founder.post(`/settings/members/${tom.memberId}/removal`);
    const held = await office.delivery(id);
    expect(held).toMatchObject({ state: 'held', heldReason: 'not_allowed', memberName: 'Tom', attempts: [] });
    expect(held.lastDetail).toContain('Tom was removed from the company');
    await office.founder.post(`/deliveries/${id}/decision`, { decision: 'send_now' });
    await deliverNow(letterhead, office, id);
    expect((await office.delivery(id)).state).toBe('held');
    expect(office.accepted(id)).toEqual([]);
    expect(await office.ask({ memberId: tom.memberId })).toMatchObject({ kind: 'refused' });
  });

  const tomorrow = () => new Date(letterhead.context.clock().getTime() + 26 * 3_600_000);
  const goes = {
    'left by themselves': {
      go: (_office: Company, tom: Colleague) => tom.pages.post('/settings/members/departure'),
      words: 'Tom left the company',
    },
    'were removed': {
      go: ({ founder }: Company, tom: Colleague) => founder.post(`/settings/members/${tom.memberId}/removal`),
      words: 'Tom was removed from the company',
    },
    'may only look': {
      go: ({ founder }: Company, tom: Colleague) =>
        founder.post(`/settings/members/${tom.memberId}/role`, { role: 'viewer' }),
      words: 'Tom may only look now',
    },
    'were not given the mailbox': {
      go: (office: Company, tom: Colleague) => letOnly(office.founder, office.mailboxId, [office], [tom]),
      words: 'Tom may no longer use the Gmail account',
    },
  };
  const waits = {
    queued: {},
    scheduled: { held_reason: 'scheduled' },
    ...timed('undo', 'outside_hours', 'sending_limit', 'operator'),
  };
  for (const [name, { go, words }] of Object.entries(goes)) {
    it(`is held at once where they ${name}, whatever it waited for, and says so`, async () => {
      const { office, tom, id: queued } = await waitingOfTom();
      const ids = [queued];
      for (const over of Object.values(waits).slice(1)) {
        const id = await office.send({ memberId: tom.memberId });
        const values = { state: 'held', not_before: tomorrow(), scheduled_for: tomorrow(), ...over } as const;
        await within(office, (trx) => trx.updateTable('deliveries').set(values).where('id', '=', id).execute());
        ids.push(id);
      }
      const { location } = await go(office, tom);
      for (const id of ids) {
        const held = await office.delivery(id);
        expect(held).toMatchObject({ state: 'held', heldReason: 'not_allowed', notBefore: null });
        expect(held.lastDetail).toContain(words);
      }
      if (name !== 'left by themselves') return;
      expect((await tom.pages.get(location ?? '')).text).toContain(`${ids.length} emails of yours were not sent yet`);
      const page = await office.founder.get(`/deliveries/${queued}`);
      expect(page.text).toContain('Tom left the company');
      expect(page.text).not.toContain('was removed');
    });
  }

  it('waits for its time again where they may send again before that', async () => {
    const { office, tom } = await waitingOfTom();
    const sendAt = tomorrow();
    const id = await office.send({ memberId: tom.memberId, sendAt });
    await letOnly(office.founder, office.mailboxId, [office], [tom]);
    expect(await office.delivery(id)).toMatchObject({ state: 'held', heldReason: 'not_allowed' });
    await letOnly(office.founder, office.mailboxId, [office, tom]);
    expect(await office.delivery(id)).toMatchObject({ state: 'held', heldReason: 'scheduled', notBefore: sendAt });
  });

  it('is held where it was to come from their own default, and that was taken away', async () => {
    const office = await company(letterhead);
    const tom = await colleague(letterhead, office, 'Tom');
    const second = office.account.replace('office', 'second');
    letterhead.google.accounts.add({ email: second, name: 'Second' });
    await office.founder.connect(second);
    const { id: secondId } = await within(office, (trx) =>
      trx.selectFrom('mailboxes').select('id').where('email', '=', second).executeTakeFirstOrThrow(),
    );
    await tom.pages.post('/settings/email/own-default', { mailboxId: secondId });
    const id = await office.send({ memberId: tom.memberId });
    expect((await office.delivery(id)).fromEmail).toBe(second);
    await letOnly(office.founder, secondId, [office], [tom]);
    expect(await office.delivery(id)).toMatchObject({ state: 'held', heldReason: 'not_allowed' });
    // And nothing new goes out from the company's default instead.
    const resolution = { reason: 'own_default_gone' };
    expect(await office.ask({ memberId: tom.memberId })).toMatchObject({ kind: 'refused', resolution });
  });
});

describe('the default mailbox standing in for somebody', () => {
  it('is what the email comes from, with replies to them; switched off before it leaves, it is held', async () => {
    const office = await company(letterhead);
    const tom = await colleague(letterhead, office, 'Tom');
    await office.founder.post('/settings/email/sender-rule', { mode: 'current_user' });
    expect(await office.ask({ memberId: tom.memberId })).toMatchObject({ kind: 'refused' });
    await office.founder.post('/settings/email/stand-in', { standsIn: 'yes' });
    const [first, second] = [
      await office.send({ memberId: tom.memberId }),
      await office.send({ memberId: tom.memberId }),
    ];
    await deliverNow(letterhead, office, first);
    expect(office.accepted(first)).toMatchObject([{ from: { address: office.account } }]);
    const [mail] = await received(letterhead.google, 'mira@northgate.example', first);
    expect(mail?.replyTo).toMatchObject([{ address: tom.account }]);

    await office.founder.post('/settings/email/stand-in', { standsIn: 'no' });
    await deliverNow(letterhead, office, second);
    expect(await office.delivery(second)).toMatchObject({ state: 'held', heldReason: 'sender_changed' });
    expect(office.accepted(second)).toEqual([]);
  });
});

it('while workers send, nothing begins to leave any more once the answer to the admin is there', async () => {
  const busy = await startTestLetterhead({
    worker: false,
    pace: { unitsPerMinute: null, projectUnitsPerMinute: null, inFlight: 20 },
  });
  try {
    const office = await company(busy);
    const tom = await colleague(busy, office, 'Tom');
    // Every other one stays under way until the faults are taken away. So, however fast the worker is, its 20 places
    // are taken after some 40 emails, and the rest still waits when the admin's answer comes.
    busy.google.faults.add({ method: 'messages.send', every: 2, effect: { kind: 'slow', ms: 600_000 } });
    for (let number = 0; number < 100; number += 1) await office.send({ memberId: tom.memberId });
    await busy.startWorker();
    await eventually(
      () => busy.google.truth.accepted().length,
      (count) => count >= 10,
    );
    await letOnly(office.founder, office.mailboxId, [office], [tom]);
    const answered = busy.context.clock();
    busy.google.faults.clear();
    const read = () =>
      inTenant(busy.database.db, office.tenantId, (trx) =>
        trx.selectFrom('deliveries').select(['id', 'state', 'held_reason']).execute(),
      );
    const rows = await eventually(read, (all) => all.every(({ state }) => state === 'sent' || state === 'held'));
    const held = rows.filter(({ state }) => state === 'held');
    expect(new Set(held.map(({ held_reason }) => held_reason))).toEqual(new Set(['not_allowed']));
    expect(held.length).toBeGreaterThan(0);
    expect(busy.google.truth.accepted()).toHaveLength(rows.length - held.length);
    const begun = await inTenant(busy.database.db, office.tenantId, (trx) =>
      trx.selectFrom('attempts').select('started_at').where('started_at', '>', answered).execute(),
    );
    expect(begun).toEqual([]);
  } finally {
    await busy.close();
  }
});
