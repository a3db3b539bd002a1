import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { deliver } from '../../src/deliveries/deliver.ts';
import { createPacer } from '../../src/deliveries/pacer.ts';
import { holdRestored, releaseRestored } from '../../src/deliveries/restored.ts';
import { schedule } from '../../src/deliveries/schedule.ts';
import type { HeldReason } from '../../src/deliveries/state.ts';
import type { Capability } from '../../src/platform/capability.ts';
import type { Database } from '../../src/platform/database.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import type { Sender } from '../support/company.ts';
import { passingUntil } from '../support/eventually.ts';
import { anotherWorker, deliverNow } from '../support/hand-delivery.ts';
import { startTestLetterhead, type TestLetterhead, testClient } from '../support/letterhead.ts';
import { permittedSender } from '../support/permitted.ts';
import { aDelivery, aPausedRun } from '../support/rows.ts';

const hour = 3_600_000;
const tracked: Capability[] = ['send', 'tracking'];
const sendOnly: Capability[] = ['send'];

let letterhead: TestLetterhead;
let worker: ReturnType<typeof anotherWorker>;
beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false, timeStands: true });
  worker = anotherWorker(letterhead);
});
// A worker has run in this database before.
beforeEach(() => holdRestored(worker));
afterAll(() => letterhead.close());

const within = <T>({ tenantId }: Sender, work: (trx: Database) => Promise<T>) =>
  inTenant(letterhead.database.db, tenantId, work);
const ahead = (ms: number) => new Date(letterhead.google.clock.now() + ms);
const tick = () => createPacer(worker).tick();
/** As PostgreSQL's own names are others after a restore. */
const becomeAnother = async () => {
  await letterhead.database.system.updateTable('database_identity').set({ identity: 'another' }).execute();
  worker.database.doubt();
};
/** Takes it to Gmail, and then the database back to before that: as if a backup of a moment ago had been restored. */
async function sentAfterBackup(sender: Sender): Promise<string> {
  const id = await sender.send();
  await deliverNow(letterhead, sender, id);
  expect((await sender.delivery(id)).state).toBe('sent');
  await within(sender, async (trx) => {
    const before = { state: 'queued', sent_at: null, provider_message_id: null, provider_thread_id: null } as const;
    await trx.updateTable('deliveries').set(before).where('id', '=', id).execute();
    await trx.deleteFrom('attempts').where('delivery_id', '=', id).execute();
    await trx.deleteFrom('delivery_events').where('delivery_id', '=', id).where('state', '<>', 'queued').execute();
  });
  return id;
}
const read = async (sender: Sender, id: string) => {
  const { state, heldReason, notBefore } = await sender.delivery(id);
  return { state, heldReason, notBefore };
};
/** What a worker of the database as it was may have handed to Google is settled. */
const settled = () => letterhead.google.clock.forward(worker.sendDeadlineMs + worker.settleMs);
const looked = async (sender: Sender, id: string) => {
  await tick();
  settled();
  await deliverNow(letterhead, sender, id);
  return read(sender, id);
};

describe('when the database turns out to be another', () => {
  it('what had not left is held, whatever it waited for, and the rest is left alone', async () => {
    const sender = await permittedSender(letterhead, sendOnly);
    const { tenantId, memberId, mailboxId } = sender;
    const states = ['queued', 'sending', 'held', 'unconfirmed', 'sent', 'failed', 'cancelled'] as const;
    const ids = await within(sender, async (trx) => {
      const made: string[] = [];
      for (const state of states) made.push(await aDelivery(trx, tenantId, memberId, state, mailboxId));
      return made;
    });
    const later = await sender.send({ sendAt: ahead(5 * hour) });
    await becomeAnother();
    expect(await tick()).toMatchObject({ released: 0 });
    const now = await Promise.all(ids.map(async (id) => read(sender, id)));
    expect(now.map(({ state, heldReason }) => heldReason ?? state)).toEqual([
      ...['restored', 'sending', 'restored', 'unconfirmed', 'sent', 'failed', 'cancelled'],
    ]);
    expect(await read(sender, later)).toEqual({ state: 'held', heldReason: 'restored', notBefore: null });
    const [event] = (await sender.delivery(later)).events;
    expect(event).toMatchObject({
      detail: 'The database was restored from a backup. It may have been sent since then.',
    });
  });

  it('nothing leaves before that is done: neither what is queued nor what has a job', async () => {
    const sender = await permittedSender(letterhead, sendOnly);
    const id = await sentAfterBackup(sender);
    await tick();
    await becomeAnother();
    await deliver(worker, { tenantId: sender.tenantId, deliveryId: id });
    expect((await read(sender, id)).state).toBe('queued');
    await tick();
    await tick();
    await deliver(worker, { tenantId: sender.tenantId, deliveryId: id });
    expect(await read(sender, id)).toMatchObject({ heldReason: 'restored' });
    letterhead.google.clock.forward(2 * hour);
    await tick();
    expect(await read(sender, id)).toMatchObject({ heldReason: 'restored', notBefore: null });
    expect(sender.accepted(id)).toHaveLength(1);
  });

  it('what is written after that leaves as ever', async () => {
    const sender = await permittedSender(letterhead, sendOnly);
    await becomeAnother();
    await tick();
    const id = await sender.send();
    await tick();
    await deliverNow(letterhead, sender, id);
    expect((await read(sender, id)).state).toBe('sent');
  });

  it('two processes that notice it at once hold each once', async () => {
    const sender = await permittedSender(letterhead, sendOnly);
    for (let made = 0; made < 20; made += 1) await sender.send();
    await becomeAnother();
    const held = await Promise.all([holdRestored(worker), holdRestored(anotherWorker(letterhead))]);
    const counts = held.map((each) => each.held);
    expect(counts.filter((count) => count > 0)).toHaveLength(1);
    expect(Math.max(...counts)).toBeGreaterThanOrEqual(20);
  });
});

describe('an operator', () => {
  it('says that it was restored, where nothing shows it', async () => {
    const sender = await permittedSender(letterhead, sendOnly);
    const id = await sender.send();
    expect(await holdRestored(worker)).toEqual({ held: 0, inDoubt: 0 });
    expect((await holdRestored(worker, true)).held).toBeGreaterThan(0);
    expect(await read(sender, id)).toMatchObject({ heldReason: 'restored' });
    // Once said, it is over: a restart holds nothing more.
    const next = await sender.send();
    expect((await holdRestored(worker)).held).toBe(0);
    expect((await read(sender, next)).state).toBe('queued');
  });

  it('says that nothing was lost, and everything goes on as it was', async () => {
    const sender = await permittedSender(letterhead, sendOnly);
    const at = ahead(5 * hour);
    const [now, later] = [await sender.send(), await sender.send({ sendAt: at })];
    await becomeAnother();
    await tick();
    expect(await releaseRestored(worker)).toBeGreaterThanOrEqual(2);
    expect(await read(sender, now)).toEqual({ state: 'queued', heldReason: null, notBefore: null });
    expect(await read(sender, later)).toEqual({ state: 'held', heldReason: 'scheduled', notBefore: at });
    await tick();
    await deliverNow(letterhead, sender, now);
    expect((await read(sender, now)).state).toBe('sent');
  });
});

/** Every reason to be held but the restore itself, and whether it is held until a moment. */
const reasons: Record<Exclude<HeldReason, 'restored'>, 'until' | 'for ever'> = {
  mailbox_needs_reconnect: 'for ever',
  mailbox_paused: 'for ever',
  mailbox_disconnected: 'for ever',
  waited_too_long: 'for ever',
  sender_changed: 'for ever',
  from_changed: 'for ever',
  not_allowed: 'for ever',
  sending_limit: 'until',
  operator: 'until',
  draft_edited: 'for ever',
  draft_deleted: 'for ever',
  not_sent: 'for ever',
  scheduled: 'until',
  outside_hours: 'until',
  undo: 'until',
  found: 'until',
  not_found: 'until',
  not_found_new: 'until',
  not_found_over: 'until',
  record_paid: 'for ever',
  stuck: 'for ever',
  run_paused: 'for ever',
};

describe('what waited for something before the restore', () => {
  const since = () => ahead(-20 * hour);
  const heldFor = async (sender: Sender) => {
    const { tenantId, memberId, mailboxId } = sender;
    const account = await within(sender, (trx) =>
      trx.selectFrom('mailboxes').select('account').where('id', '=', mailboxId).executeTakeFirstOrThrow(),
    );
    return within(sender, async (trx) => {
      const made = new Map<string, string>();
      const runId = await aPausedRun(trx, sender);
      for (const [reason, end] of Object.entries(reasons)) {
        const id = await aDelivery(trx, tenantId, memberId, 'held', mailboxId);
        const not_before = end === 'until' ? ahead(2 * hour) : null;
        await trx
          .updateTable('deliveries')
          .set({ held_reason: reason, not_before, state_at: since(), account: account.account })
          .set({ created_at: ahead(-30 * hour), run_id: reason === 'run_paused' ? runId : null })
          .where('id', '=', id)
          .execute();
        made.set(reason, id);
      }
      await trx
        .insertInto('from_swaps')
        .values({
          ...{ tenant_id: tenantId, mailbox_id: mailboxId, delivery_id: made.get('stuck') ?? '', at: since() },
          ...{ email: 'office@brightwater.example', sent_from: 'other@brightwater.example' },
        })
        .execute();
      // Held for good reason: the address was swapped, and the member may only look.
      await trx.updateTable('members').set({ role: 'viewer' }).where('id', '=', memberId).execute();
      return made;
    });
  };
  const waiting = async (sender: Sender, made: ReadonlyMap<string, string>) => {
    const now = await Promise.all([...made].map(async ([reason, id]) => [reason, await sender.delivery(id)] as const));
    return Object.fromEntries(
      now.map(([reason, { heldReason, notBefore, stateAt }]) => [reason, { heldReason, notBefore, stateAt }]),
    );
  };
  const asBefore = (made: ReadonlyMap<string, string>) =>
    Object.fromEntries(
      [...made.keys()].map((reason) => {
        const until = Object.entries(reasons).some(([each, end]) => each === reason && end === 'until');
        return [reason, { heldReason: reason, notBefore: until ? ahead(2 * hour) : null, stateAt: since() }];
      }),
    );

  it('waits for the same again where nothing was lost, since when and until when it did', async () => {
    const sender = await permittedSender(letterhead, sendOnly);
    const made = await heldFor(sender);
    await becomeAnother();
    await tick();
    expect(Object.values(await waiting(sender, made)).every(({ heldReason }) => heldReason === 'restored')).toBe(true);
    expect(await releaseRestored(worker)).toBeGreaterThanOrEqual(made.size);
    expect(await waiting(sender, made)).toEqual(asBefore(made));
  });

  it('waits for the same again where Gmail shows that it was not sent', async () => {
    const sender = await permittedSender(letterhead, tracked);
    const made = await heldFor(sender);
    await becomeAnother();
    await tick();
    const wanted = asBefore(made);
    const look = () => Promise.all([...made.values()].map((id) => deliverNow(letterhead, sender, id)));
    // A worker of the database as it was may have handed one to Google a moment ago: nobody looks yet.
    await look();
    const soon = Object.values(await waiting(sender, made));
    expect(new Set(soon.map(({ heldReason }) => heldReason))).toEqual(new Set(['restored']));
    settled();
    await look();
    expect(await waiting(sender, made)).toEqual(wanted);
  });

  it('leaves as its run does, where that was resumed meanwhile', async () => {
    const sender = await permittedSender(letterhead, sendOnly);
    const made = await heldFor(sender);
    await becomeAnother();
    await tick();
    await within(sender, (trx) => trx.updateTable('runs').set({ state: 'running' }).execute());
    await releaseRestored(worker);
    expect((await read(sender, made.get('run_paused') ?? '')).state).toBe('queued');
  });

  it('is not let go with a later restore that lost nothing', async () => {
    const sender = await permittedSender(letterhead, sendOnly);
    const id = await sender.send();
    await becomeAnother();
    await tick();
    letterhead.google.clock.forward(hour);
    const later = await sender.send();
    await becomeAnother();
    await tick();
    await releaseRestored(worker);
    expect((await read(sender, id)).heldReason).toBe('restored');
    expect((await read(sender, later)).state).toBe('queued');
  });
});

describe('where Gmail’s Sent folder can be looked into', () => {
  it('what was sent since the backup is found there, and is sent', async () => {
    const sender = await permittedSender(letterhead, tracked);
    const id = await sentAfterBackup(sender);
    await becomeAnother();
    await tick();
    expect(await read(sender, id)).toMatchObject({ heldReason: 'restored', notBefore: expect.any(Date) });
    expect(await looked(sender, id)).toMatchObject({ state: 'sent' });
    const { providerMessageId, events } = await sender.delivery(id);
    expect(providerMessageId).not.toBeNull();
    expect(events[0]).toMatchObject({ detail: 'Found in Gmail’s Sent folder: it was sent.' });
    expect(sender.accepted(id)).toHaveLength(1);
  });

  it('it is found there, too, where whoever wrote it had a clock that was hours fast', async () => {
    const sender = await permittedSender(letterhead, tracked);
    const id = await sentAfterBackup(sender);
    const written = { created_at: ahead(14 * hour) };
    await within(sender, (trx) => trx.updateTable('deliveries').set(written).where('id', '=', id).execute());
    // The newest in Sent is another email, of which the backup knows as little.
    await sentAfterBackup(sender);
    await becomeAnother();
    await tick();
    expect(await looked(sender, id)).toMatchObject({ state: 'sent' });
    expect(sender.accepted(id)).toHaveLength(1);
  });

  it('what was not sent goes on, once', async () => {
    const sender = await permittedSender(letterhead, tracked);
    const known = await sender.send();
    await deliverNow(letterhead, sender, known);
    const id = await sender.send();
    await becomeAnother();
    await tick();
    expect(await looked(sender, id)).toMatchObject({ state: 'queued' });
    await looked(sender, id);
    expect((await read(sender, id)).state).toBe('sent');
    expect(sender.accepted(id)).toHaveLength(1);
  });

  it('what was not sent, and was to leave later, leaves then', async () => {
    const sender = await permittedSender(letterhead, tracked);
    const at = ahead(5 * hour);
    const id = await sender.send({ sendAt: at });
    await becomeAnother();
    await tick();
    expect(await looked(sender, id)).toEqual({ state: 'held', heldReason: 'scheduled', notBefore: at });
  });

  it('what was not sent and is long overdue waits for somebody', async () => {
    const sender = await permittedSender(letterhead, tracked);
    const id = await sender.send();
    await within(sender, (trx) =>
      trx
        .updateTable('deliveries')
        .set({ created_at: ahead(-25 * hour) })
        .where('id', '=', id)
        .execute(),
    );
    await becomeAnother();
    await tick();
    expect(await looked(sender, id)).toEqual({ state: 'held', heldReason: 'not_sent', notBefore: null });
  });

  it('and Gmail is not there, it is asked again, for an hour', async () => {
    const sender = await permittedSender(letterhead, tracked);
    const id = await sender.send();
    const { account } = sender;
    const broken = {
      method: 'messages.list',
      account,
      effect: { kind: 'serverError', status: 503, when: 'before' },
    } as const;
    letterhead.google.faults.add({ ...broken, times: 50 });
    await becomeAnother();
    await tick();
    const patiently = () => passingUntil(letterhead.time, looked(sender, id));
    expect(await patiently()).toMatchObject({ heldReason: 'restored', notBefore: expect.any(Date) });
    letterhead.google.clock.forward(hour);
    // Now somebody is asked.
    expect(await patiently()).toEqual({ state: 'held', heldReason: 'restored', notBefore: null });
    await tick();
    expect(sender.accepted(id)).toEqual([]);
  });

  it('and it is cut off, somebody is asked', async () => {
    const sender = await permittedSender(letterhead, tracked);
    const id = await sentAfterBackup(sender);
    letterhead.google.accounts.removeAccess(sender.account, testClient.clientId);
    await within(sender, (trx) => trx.updateTable('grants').set({ access_token: null }).execute());
    await becomeAnother();
    await tick();
    expect(await looked(sender, id)).toEqual({ state: 'held', heldReason: 'restored', notBefore: null });
  });

  it('whoever gave it another time meanwhile is not overruled: there is none to give', async () => {
    const sender = await permittedSender(letterhead, tracked);
    const id = await sender.send({ sendAt: ahead(5 * hour) });
    await becomeAnother();
    await tick();
    const choice = { sendAt: ahead(9 * hour), timeZone: 'UTC', anyTime: false, memberId: sender.memberId };
    expect(await within(sender, (trx) => schedule(worker, trx, sender.tenantId, id, choice))).toBe(false);
  });
});
