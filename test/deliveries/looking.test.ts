import type { FaultEffect } from 'local-google';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deliver } from '../../src/deliveries/deliver.ts';
import type { Capability } from '../../src/platform/capability.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { wrongBy } from '../support/clock.ts';
import type { Sender } from '../support/company.ts';
import { passingUntil } from '../support/eventually.ts';
import { anotherWorker } from '../support/hand-delivery.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { permittedSender } from '../support/permitted.ts';

const hour = 3_600_000;
const tracked: Capability[] = ['send', 'tracking'];
const lostBefore: FaultEffect = { kind: 'drop', when: 'before' };
const lostAfter: FaultEffect = { kind: 'drop', when: 'after' };

let letterhead: TestLetterhead;
beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false, timeStands: true });
});
afterAll(() => letterhead.close());

/** A worker whose clock is wrong by so much. */
const workerAhead = (aheadMs: number) => {
  const worker = anotherWorker(letterhead);
  return { ...worker, clock: wrongBy(worker.clock, aheadMs) };
};
/** One run of its job. */
const run = ({ tenantId }: Sender, deliveryId: string, aheadMs = 0) =>
  deliver(workerAhead(aheadMs), { tenantId, deliveryId });
/** The same, for a look that asks Gmail again and again. */
const patientRun = (sender: Sender, deliveryId: string) => passingUntil(letterhead.time, run(sender, deliveryId));
const fault = ({ account }: Sender, method: string, effect: FaultEffect, times = 1) =>
  letterhead.google.faults.add({ method, account, effect, times });

/** An email whose answer was lost, when it is time to look. */
async function inDoubt(effect: FaultEffect, capabilities = tracked, aheadMs = 0) {
  const sender = await permittedSender(letterhead, capabilities);
  fault(sender, capabilities.includes('safe_retry') ? 'drafts.send' : 'messages.send', effect);
  const id = await sender.send();
  await run(sender, id, aheadMs);
  expect((await sender.delivery(id)).state).toBe('sending');
  letterhead.google.clock.forward(200_000);
  return { sender, id };
}
const outcome = async (sender: Sender, id: string) => ({
  state: (await sender.delivery(id)).state,
  accepted: sender.accepted(id).length,
});

/** Sends through the mailbox from elsewhere, as its owner does meanwhile. */
async function sentElsewhere(sender: Sender, count: number): Promise<void> {
  const { token } = await letterhead.context.tokens.of(sender.tenantId, sender.mailboxId);
  const raw = Buffer.from(`From: ${sender.account}\r\nTo: a@b.example\r\nSubject: Other\r\n\r\nHi`).toString(
    'base64url',
  );
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const address = `${letterhead.google.url}/gmail/v1/users/me/messages/send`;
  for (let left = count; left > 0; left -= 20) {
    const some = Array.from({ length: Math.min(20, left) }, () =>
      fetch(address, { method: 'POST', headers, body: JSON.stringify({ raw }) }).then((response) => response.status),
    );
    expect(new Set(await Promise.all(some))).toEqual(new Set([200]));
  }
}

describe('a look among the sent messages', () => {
  it('finds what somebody moved to the trash since', async () => {
    const { sender, id } = await inDoubt(lostAfter);
    const [sent] = letterhead.google.mail.messages(sender.account).filter(({ labels }) => labels.includes('SENT'));
    if (!sent) throw new Error('Nothing is there.');
    letterhead.google.mail.trash(sent);
    expect(sent.labels).toEqual(['SENT', 'TRASH']);
    await run(sender, id);
    expect(await outcome(sender, id)).toEqual({ state: 'sent', accepted: 1 });
  });

  it('finds it among what was sent from elsewhere meanwhile, on any page', async () => {
    const { sender, id } = await inDoubt(lostAfter);
    await sentElsewhere(sender, 150);
    await run(sender, id);
    expect(await outcome(sender, id)).toEqual({ state: 'sent', accepted: 1 });
  });

  it('leaves it to a person where more than a thousand were sent since', async () => {
    const { sender, id } = await inDoubt(lostAfter);
    await sentElsewhere(sender, 1_001);
    await run(sender, id);
    expect(await outcome(sender, id)).toEqual({ state: 'unconfirmed', accepted: 1 });
  });

  it('ends at what we sent before: that mailbox may have any number of older messages', async () => {
    const sender = await permittedSender(letterhead, tracked);
    await sentElsewhere(sender, 300);
    const earlier = await sender.send();
    await run(sender, earlier);
    fault(sender, 'messages.send', lostBefore);
    const id = await sender.send();
    await run(sender, id);
    letterhead.google.clock.forward(200_000);
    letterhead.google.truth.resetCalls();
    await run(sender, id);
    expect(letterhead.google.truth.calls('messages.get')).toBeLessThanOrEqual(5);
    expect((await sender.delivery(id)).state).toBe('queued');
    await run(sender, id);
    expect(await outcome(sender, id)).toEqual({ state: 'sent', accepted: 1 });
  });

  it.each([
    ['an hour ahead', hour],
    ['a day ahead', 24 * hour],
    ['an hour behind', -hour],
  ])('is not misled by a clock that is %s', async (_how, aheadMs) => {
    const { sender, id } = await inDoubt(lostAfter, tracked, aheadMs);
    // The same clock that was wrong when it was handed over, by Gmail's own time at the look.
    await run(sender, id, aheadMs);
    expect(await outcome(sender, id)).toEqual({ state: 'sent', accepted: 1 });
  });

  it('is not misled by a clock that was ahead and was put right meanwhile', async () => {
    const sender = await permittedSender(letterhead, tracked);
    const earlier = await sender.send();
    await run(sender, earlier);
    fault(sender, 'messages.send', lostAfter);
    const id = await sender.send();
    await run(sender, id, 2 * hour);
    letterhead.google.clock.forward(2 * hour + 200_000);
    await run(sender, id);
    expect(await outcome(sender, id)).toEqual({ state: 'sent', accepted: 1 });
  });
});

describe('where Gmail cannot be asked', () => {
  const away: FaultEffect = { kind: 'serverError', status: 503, when: 'before' };

  it('it is asked again for an hour, then a person is; and an answer that comes later spares them the question', async () => {
    const { sender, id } = await inDoubt(lostAfter);
    const gone = fault(sender, 'messages.list', away, 1_000);
    for (let look = 0; look < 2; look += 1) {
      await patientRun(sender, id);
      expect((await sender.delivery(id)).state).toBe('sending');
      letterhead.google.clock.forward(20 * 60_000);
    }
    letterhead.google.clock.forward(30 * 60_000);
    await patientRun(sender, id);
    const asked = await sender.delivery(id);
    expect(asked.state).toBe('unconfirmed');
    expect(asked.notBefore?.getTime()).toBeGreaterThan(letterhead.context.clock().getTime());

    letterhead.google.faults.remove(gone.id);
    letterhead.google.clock.forward(11 * 60_000);
    await run(sender, id);
    expect(await outcome(sender, id)).toEqual({ state: 'sent', accepted: 1 });
    expect(sender.accepted(id)).toMatchObject([{ id: (await sender.delivery(id)).providerMessageId }]);
  });

  it('the time that Gmail names is waited for', async () => {
    const { sender, id } = await inDoubt(lostAfter);
    const at = new Date(letterhead.context.clock().getTime() + 15 * 60_000);
    fault(sender, 'messages.list', { kind: 'tooMany', limit: 'rate', retryAt: at.toISOString() }, 10);
    await patientRun(sender, id);
    expect(await sender.delivery(id)).toMatchObject({ state: 'sending', notBefore: at });
  });

  it('for want of a permission that was taken back, a person is asked', async () => {
    const { sender, id } = await inDoubt(lostAfter);
    fault(sender, 'messages.list', { kind: 'forbidden', reason: 'insufficientPermissions' }, 10);
    await run(sender, id);
    expect(await outcome(sender, id)).toEqual({ state: 'unconfirmed', accepted: 1 });
  });

  it('a token that ended before its time is renewed', async () => {
    const { sender, id } = await inDoubt(lostAfter);
    letterhead.google.accounts.expireAccessTokens(sender.account);
    await run(sender, id);
    expect((await sender.delivery(id)).state).toBe('sending');
    await run(sender, id);
    expect(await outcome(sender, id)).toEqual({ state: 'sent', accepted: 1 });
  });
});

describe('an email that turns out not to be sent', () => {
  it('goes on by itself, however long it waited for its turn before it was first tried', async () => {
    const sender = await permittedSender(letterhead, tracked);
    fault(sender, 'messages.send', lostBefore);
    const id = await sender.send();
    const threeDays = new Date(letterhead.google.clock.now() - 72 * hour);
    await inTenant(letterhead.database.db, sender.tenantId, (trx) =>
      trx.updateTable('deliveries').set({ created_at: threeDays }).where('id', '=', id).execute(),
    );
    await run(sender, id);
    letterhead.google.clock.forward(200_000);
    await run(sender, id);
    expect(await outcome(sender, id)).toEqual({ state: 'queued', accepted: 0 });
  });

  it('waits for somebody where it was first tried more than a day ago', async () => {
    const { sender, id } = await inDoubt(lostBefore);
    letterhead.google.clock.forward(25 * hour);
    await run(sender, id);
    expect(await sender.delivery(id)).toMatchObject({ state: 'held', heldReason: 'not_sent' });
  });
});
