import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { beginAttempts } from '../../src/deliveries/attempt.ts';
import { createDelivery } from '../../src/deliveries/create.ts';
import { deliver } from '../../src/deliveries/deliver.ts';
import { loadForSending } from '../../src/deliveries/load.ts';
import { settleAttempt } from '../../src/deliveries/settle.ts';
import { moveDelivery } from '../../src/deliveries/state.ts';
import { takeBackAttempts } from '../../src/deliveries/take-back.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { type Company, company, type Sender, testEmail } from '../support/company.ts';
import { databaseLine } from '../support/database-line.ts';
import { eventually } from '../support/eventually.ts';
import { anotherWorker, deliverNow } from '../support/hand-delivery.ts';
import { startTestLetterhead, type TestLetterhead, testClient } from '../support/letterhead.ts';
import { permittedSender } from '../support/permitted.ts';

let letterhead: TestLetterhead;
beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false, settleMs: 0, googleTimeoutMs: 60_000 });
});
afterAll(() => letterhead.close());

const within = <T>(sender: Sender, work: Parameters<typeof inTenant<T>>[2]) =>
  inTenant(letterhead.database.db, sender.tenantId, work);
const reconnect = (sender: Company) => sender.founder.connect(sender.account, { mailboxId: sender.mailboxId });
const mailboxState = async (sender: Company) =>
  (await within(sender, (trx) => trx.selectFrom('mailboxes').select('state').executeTakeFirstOrThrow())).state;
/** Begins something, and waits until Google is asked for this; Google answers when it is let to. */
const heldAt = async (sender: Sender, method: string, work: () => Promise<unknown>) => {
  const { faults } = letterhead.google;
  const slow = faults.add({ method, account: sender.account, effect: { kind: 'slow', ms: 600_000 } });
  const done = work();
  await eventually(
    () => slow.fired,
    (fired) => fired === 1,
  );
  return () => {
    faults.remove(slow.id);
    return done;
  };
};

describe('somebody reconnects the mailbox just then', () => {
  it('and what was about to be held goes on instead', async () => {
    const sender = await company(letterhead);
    await within(sender, (trx) =>
      trx.updateTable('grants').set({ access_token: null, access_token_expires_at: null }).execute(),
    );
    const id = await sender.send();
    // The old token is being renewed; it dies meanwhile, and a new one takes its place.
    const goOn = await heldAt(sender, 'token', () => deliverNow(letterhead, sender, id));
    letterhead.google.accounts.removeAccess(sender.account, testClient.clientId);
    await reconnect(sender);
    await goOn();
    expect((await sender.delivery(id)).state).not.toBe('held');
    await deliverNow(letterhead, sender, id);
    expect(sender.accepted(id)).toHaveLength(1);
  });

  it('and the refusal of the old permission does not cut off the new one', async () => {
    const sender = await company(letterhead);
    const id = await sender.send();
    const claimed = await begun(sender, id);
    await reconnect(sender);
    const failure = { kind: 'answered', status: 403, reason: 'insufficientPermissions', message: '' } as const;
    const words = 'The permission to send is missing.';
    const hold = { kind: 'hold', reason: 'mailbox_needs_reconnect', until: null, words } as const;
    await settleAttempt(anotherWorker(letterhead), sender.tenantId, claimed, {
      ...{ kind: 'failed', failure, outcome: { ...hold, reconnect: 'missing_permission' } },
    });
    expect(await mailboxState(sender)).toBe('active');
    expect((await sender.delivery(id)).state).toBe('queued');
    await deliverNow(letterhead, sender, id);
    expect((await sender.delivery(id)).state).toBe('sent');
  });

  it('and what was being written as held is released, or never held', async () => {
    const sender = await company(letterhead);
    await within(sender, (trx) => trx.updateTable('mailboxes').set({ state: 'needs_reconnect' }).execute());
    const { request, reconnecting } = await within(sender, async (trx) => {
      const result = await createDelivery(trx, letterhead.context.clock, testEmail(sender.tenantId, sender.memberId));
      // It waits for our transaction to end, and must then find what we wrote.
      const connecting = reconnect(sender);
      await eventually(
        () =>
          letterhead.database.pool.query(
            `select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
          ),
        ({ rowCount }) => rowCount !== null && rowCount > 0,
      );
      return { request: result, reconnecting: connecting };
    });
    const page = await reconnecting;
    expect(page.text).toContain('1 email is going out now.');
    if (request.kind !== 'created') throw new Error(request.kind);
    expect((await sender.delivery(request.deliveryId)).state).toBe('queued');
  });
});

describe('Gmail’s answer comes after a person was asked already', () => {
  it('and counts: what Gmail accepted is sent, with its ids', async () => {
    const sender = await company(letterhead);
    const id = await sender.send();
    const claimed = await begun(sender, id, -1_000);
    await deliverNow(letterhead, sender, id);
    expect((await sender.delivery(id)).state).toBe('unconfirmed');
    await settleAttempt(anotherWorker(letterhead), sender.tenantId, claimed, {
      ...{ kind: 'sent', sent: { messageId: 'm-late', threadId: 't-late' } },
    });
    const sent = await sender.delivery(id);
    expect(sent).toMatchObject({ state: 'sent', providerMessageId: 'm-late', attempts: [{ outcome: 'sent' }] });
  });
});

describe('an attempt that was given up, and whose worker speaks after all', () => {
  const lost = {
    kind: 'failed',
    failure: { kind: 'not_sent', code: 'DEADLINE', message: 'The attempt had no time left.' },
    outcome: { kind: 'retry', at: new Date(0), newPermit: false, slowDown: false, words: 'We try again.' },
  } as const;
  const late = { kind: 'sent', sent: { messageId: 'm-late', threadId: 't-late' } } as const;
  /** A tracked email that was looked for in vain, and so is in the hands of a second attempt. */
  async function givenUp() {
    const sender = await permittedSender(letterhead, ['send', 'tracking']);
    const id = await sender.send();
    const first = await begun(sender, id, -1_000);
    await deliverNow(letterhead, sender, id);
    expect((await sender.delivery(id)).state).toBe('queued');
    return { sender, id, first };
  }

  it('moves nothing: it is under way in another attempt', async () => {
    const { sender, id, first } = await givenUp();
    await begun(sender, id);
    await settleAttempt(anotherWorker(letterhead), sender.tenantId, first, lost);
    expect(await sender.delivery(id)).toMatchObject({
      ...{
        state: 'sending',
        attempts: [
          { number: 2, outcome: null },
          { number: 1, reason: 'WORKER_GONE' },
        ],
      },
    });
  });

  it.each(['queued', 'sending', 'cancelled', 'failed'] as const)(
    'is believed that Gmail accepted it, though it is %s by now',
    async (state) => {
      const { sender, id, first } = await givenUp();
      if (state === 'sending') await begun(sender, id);
      if (state === 'cancelled' || state === 'failed')
        await within(sender, (trx) =>
          moveDelivery(trx, sender.tenantId, id, { from: 'queued', to: state, at: new Date(), detail: '' }),
        );
      expect((await sender.delivery(id)).state).toBe(state);
      await settleAttempt(anotherWorker(letterhead), sender.tenantId, first, late);
      expect(await sender.delivery(id)).toMatchObject({ state: 'sent', providerMessageId: 'm-late' });
    },
  );

  it('does not send its draft any more', async () => {
    const sender = await permittedSender(letterhead, ['send', 'safe_retry']);
    const id = await sender.send();
    const goOn = await heldAt(sender, 'drafts.create', () => deliverNow(letterhead, sender, id));
    // As if its deadline and the settle time had passed: others find that nothing was sent.
    const deadline = (at: Date) => within(sender, (trx) => trx.updateTable('attempts').set({ deadline: at }).execute());
    await deadline(new Date(0));
    await deliverNow(letterhead, sender, id);
    expect((await sender.delivery(id)).state).toBe('queued');
    await deadline(new Date(Date.now() + 600_000));
    await goOn();
    expect(sender.accepted(id)).toEqual([]);
    await deliverNow(letterhead, sender, id);
    expect((await sender.delivery(id)).state).toBe('sent');
    expect(sender.accepted(id)).toHaveLength(1);
  });
});

describe('a look into Gmail that took long', () => {
  it('concludes nothing about an attempt that was begun meanwhile', async () => {
    const sender = await permittedSender(letterhead, ['send', 'tracking']);
    const id = await sender.send();
    await begun(sender, id, -1_000);
    const goOn = await heldAt(sender, 'messages.list', () => deliverNow(letterhead, sender, id));
    await deliverNow(letterhead, sender, id);
    expect((await sender.delivery(id)).state).toBe('queued');
    await begun(sender, id);
    await goOn();
    expect(await sender.delivery(id)).toMatchObject({ state: 'sending', attempts: [{ number: 2, outcome: null }, {}] });
  });
});

describe('a claim whose commit was not answered', () => {
  it('is taken back: Gmail was not asked, and nobody is', async () => {
    const sender = await company(letterhead);
    const id = await sender.send();
    const { attempt } = await begun(sender, id);
    await takeBackAttempts(anotherWorker(letterhead), sender.tenantId, [attempt.id, randomUUID()]);
    expect(await sender.delivery(id)).toMatchObject({
      ...{ state: 'queued', attempts: [{ outcome: 'refused_retry', reason: 'CLAIM_LOST' }] },
    });
    await takeBackAttempts(anotherWorker(letterhead), sender.tenantId, [attempt.id]);
    await deliverNow(letterhead, sender, id);
    expect(await outcomeOf(sender, id)).toEqual({ state: 'sent', accepted: 1 });
  });

  it('is taken back by the worker itself when its connection breaks in the commit', async () => {
    const sender = await company(letterhead);
    const id = await sender.send();
    const line = await databaseLine(letterhead.database.urls.app);
    line.cutAfterNextCommit();
    const worker = { ...anotherWorker(letterhead), db: line.db };
    await expect(deliver(worker, { tenantId: sender.tenantId, deliveryId: id })).rejects.toThrow('terminated');
    await line.cutInCommit;
    await line.close();
    expect(await sender.delivery(id)).toMatchObject({ state: 'queued', attempts: [{ reason: 'CLAIM_LOST' }] });
    await deliverNow(letterhead, sender, id);
    expect(await outcomeOf(sender, id)).toEqual({ state: 'sent', accepted: 1 });
  });
});

describe('the shortest deadline that may be configured', () => {
  it('is long enough to send in', async () => {
    const sender = await company(letterhead);
    const id = await sender.send();
    const worker = { ...anotherWorker(letterhead), sendDeadlineMs: 1_000 };
    // A millisecond passes from each look at the clock to the next, whatever the machine has to do meanwhile.
    let now = letterhead.google.clock.now();
    const clock = Object.assign(() => new Date(now++), { after: worker.clock.after });
    const asked = letterhead.google.faults.add({
      ...{ method: 'messages.send', account: sender.account, effect: { kind: 'slow', ms: 0 } },
    });
    await deliver({ ...worker, clock }, { tenantId: sender.tenantId, deliveryId: id });
    expect(asked.fired).toBe(1);
  });
});

describe('a job that comes again', () => {
  it('does nothing to a delivery that is finished, and nothing to one that is not there', async () => {
    const sender = await company(letterhead);
    const id = await sender.send();
    await deliverNow(letterhead, sender, id);
    await deliverNow(letterhead, sender, id);
    await deliver(anotherWorker(letterhead), { tenantId: sender.tenantId, deliveryId: crypto.randomUUID() });
    expect(sender.accepted(id)).toHaveLength(1);
    expect((await sender.delivery(id)).events).toHaveLength(3);
  });

  it('leaves a delivery alone that is in somebody’s hands', async () => {
    const sender = await company(letterhead);
    const id = await sender.send();
    const goOn = await heldAt(sender, 'messages.send', () => deliverNow(letterhead, sender, id));
    await Promise.all([deliverNow(letterhead, sender, id), deliverNow(letterhead, sender, id)]);
    expect((await sender.delivery(id)).state).toBe('sending');
    await goOn();
    expect((await sender.delivery(id)).state).toBe('sent');
    expect(sender.accepted(id)).toHaveLength(1);
  });
});

const outcomeOf = async (sender: Sender, id: string) => ({
  state: (await sender.delivery(id)).state,
  accepted: sender.accepted(id).length,
});

/** An attempt that is under way, as far as the database knows. */
async function begun(sender: Sender, id: string, sendDeadlineMs = 600_000) {
  const { tenantId } = sender;
  const delivery = await within(sender, (trx) => loadForSending(trx, tenantId, id));
  const worker = { ...anotherWorker(letterhead), sendDeadlineMs };
  const via = 'message' as const;
  const begun = [{ delivery: { id }, via }];
  const attempt = (
    await within(sender, (trx) => beginAttempts(trx, worker, tenantId, new Map([[id, randomUUID()]]), begun))
  ).get(id);
  if (!delivery || !attempt) throw new Error('It could not be begun.');
  return { delivery, attempt, via, tracking: false };
}
