import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { beginAttempts } from '../../src/deliveries/claim.ts';
import { createDelivery } from '../../src/deliveries/create.ts';
import { deliver } from '../../src/deliveries/deliver.ts';
import { loadForSending } from '../../src/deliveries/load.ts';
import { settleAttempt } from '../../src/deliveries/settle.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { type Company, company, testEmail } from '../support/company.ts';
import { eventually } from '../support/eventually.ts';
import { anotherWorker, deliverNow } from '../support/hand-delivery.ts';
import { startTestLetterhead, type TestLetterhead, testClient } from '../support/letterhead.ts';

let letterhead: TestLetterhead;
beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false, settleMs: 0 });
});
afterAll(() => letterhead.close());

const within = <T>(sender: Company, work: Parameters<typeof inTenant<T>>[2]) =>
  inTenant(letterhead.database.db, sender.tenantId, work);
const reconnect = (sender: Company) => sender.founder.connect(sender.account, { mailboxId: sender.mailboxId });
const mailboxState = async (sender: Company) =>
  (await within(sender, (trx) => trx.selectFrom('mailboxes').select('state').executeTakeFirstOrThrow())).state;
const slowly = async (sender: Company, method: string, work: () => Promise<unknown>) => {
  const slow = letterhead.google.faults.add({ method, account: sender.account, effect: { kind: 'slow', ms: 700 } });
  const done = work();
  await eventually(
    () => slow.fired,
    (fired) => fired === 1,
  );
  return done;
};

describe('somebody reconnects the mailbox just then', () => {
  it('and what was about to be held goes on instead', async () => {
    const sender = await company(letterhead);
    await within(sender, (trx) =>
      trx.updateTable('grants').set({ access_token: null, access_token_expires_at: null }).execute(),
    );
    const id = await sender.send();
    // The old token is being renewed; it dies meanwhile, and a new one takes its place.
    const running = slowly(sender, 'token', () => deliverNow(letterhead, sender, id));
    await eventually(
      () => letterhead.google.faults.list().at(-1)?.fired,
      (fired) => fired === 1,
    );
    letterhead.google.accounts.removeAccess(sender.account, testClient.clientId);
    await reconnect(sender);
    await running;
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
        () => letterhead.database.pool.query(`select 1 from pg_stat_activity where wait_event_type = 'Lock'`),
        ({ rowCount }) => rowCount !== null && rowCount > 0,
        3_000,
      );
      return { request: result, reconnecting: connecting };
    });
    const page = await reconnecting;
    expect(page.text).toContain('1 waiting email is going out now.');
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
      ...{ kind: 'sent', sent: { id: 'm-late', threadId: 't-late' } },
    });
    const sent = await sender.delivery(id);
    expect(sent).toMatchObject({ state: 'sent', gmailMessageId: 'm-late', attempts: [{ outcome: 'sent' }] });
  });
});

describe('the shortest deadline that may be configured', () => {
  it('is long enough to send in', async () => {
    const sender = await company(letterhead);
    const id = await sender.send();
    const worker = { ...anotherWorker(letterhead), sendDeadlineMs: 1_000 };
    await deliver(worker, { tenantId: sender.tenantId, deliveryId: id });
    expect((await sender.delivery(id)).state).toBe('sent');
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
    const first = slowly(sender, 'messages.send', () => deliverNow(letterhead, sender, id));
    await eventually(
      () => sender.delivery(id),
      ({ state }) => state === 'sending',
    );
    await Promise.all([deliverNow(letterhead, sender, id), deliverNow(letterhead, sender, id)]);
    expect((await sender.delivery(id)).state).toBe('sending');
    await first;
    expect((await sender.delivery(id)).state).toBe('sent');
    expect(sender.accepted(id)).toHaveLength(1);
  });
});

/** An attempt that is under way, as far as the database knows. */
async function begun(sender: Company, id: string, sendDeadlineMs = 5_000) {
  const { tenantId } = sender;
  const delivery = await within(sender, (trx) => loadForSending(trx, tenantId, id));
  const worker = { ...anotherWorker(letterhead), sendDeadlineMs };
  const via = 'message' as const;
  const begun = [{ delivery: { id }, via }];
  const attempt = (await within(sender, (trx) => beginAttempts(trx, worker, tenantId, begun))).get(id);
  if (!delivery || !attempt) throw new Error('It could not be begun.');
  return { delivery, attempt, via, tracking: false };
}
