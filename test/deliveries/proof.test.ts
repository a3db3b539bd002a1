import type { FaultEffect } from 'local-google';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { saveRule } from '../../src/mailboxes/sender-rules.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { company, type Sender } from '../support/company.ts';
import { eventually } from '../support/eventually.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { permittedSender } from '../support/permitted.ts';

let letterhead: TestLetterhead;
beforeAll(async () => {
  // All of them wait at once, and each moves the clock on meanwhile.
  letterhead = await startTestLetterhead({ sendDeadlineMs: 600_000 });
});
afterAll(() => letterhead.close());

const proofOf = ({ tenantId }: Sender, id: string) =>
  inTenant(letterhead.database.db, tenantId, (trx) =>
    trx
      .selectFrom('deliveries')
      .select(['state', 'sent_from', 'sent_message_id', 'proven_at'])
      .where('id', '=', id)
      .executeTakeFirstOrThrow(),
  );
const proven = (sender: Sender, id: string) =>
  eventually(
    () => proofOf(sender, id),
    ({ proven_at }) => proven_at !== null,
    letterhead.time,
  );

describe.concurrent('with tracking, a sent email', () => {
  it.each([
    ['as a message', ['send', 'tracking'] as const],
    ['by draft', ['send', 'safe_retry', 'tracking'] as const],
  ])('has the From and the Message-ID read back that Gmail really used: sent %s', async (_how, capabilities) => {
    const sender = await permittedSender(letterhead, capabilities);
    const id = await sender.send();
    await sender.reaches(id, 'sent');
    const proof = await proven(sender, id);
    const [accepted] = sender.accepted(id);
    expect(proof).toMatchObject({ sent_from: sender.account, sent_message_id: accepted?.messageId });
    expect(proof.sent_message_id).toMatch(/^<.+@mail\.gmail\.com>$/);
    expect((await sender.delivery(id)).events).toHaveLength(3);
  });

  it('whose From Gmail changed says so', async () => {
    const alias = 'accounts@alias.example';
    const sender = await company(letterhead, {
      sendAs: [{ email: alias, status: 'accepted', name: 'Accounts' }],
      permissions: ['aliases', 'tracking'],
    });
    await inTenant(letterhead.database.db, sender.tenantId, (trx) =>
      saveRule(
        trx,
        sender.tenantId,
        null,
        { mode: 'alias', mailboxId: sender.mailboxId, email: alias },
        { memberId: null, at: new Date() },
      ),
    );
    // Our list of addresses is fresh, so it is not asked for again before the send.
    letterhead.google.accounts.removeSendAs(sender.account, alias);
    const id = await sender.send();
    await sender.reaches(id, 'sent');
    expect(await proven(sender, id)).toMatchObject({ state: 'sent', sent_from: sender.account });
    const { events, fromChangedAt } = await sender.delivery(id);
    expect(fromChangedAt).not.toBeNull();
    expect(events[0]).toMatchObject({
      state: 'sent',
      detail: `Gmail sent it from ${sender.account} instead of ${alias}. Nothing more leaves from that address until somebody has looked.`,
    });
    expect(sender.accepted(id)).toHaveLength(1);
  });

  it.each<[string, FaultEffect]>([
    ['Gmail says it is not there', { kind: 'notFound' }],
    ['Gmail says no', { kind: 'forbidden', reason: 'insufficientPermissions' }],
  ])('stays sent whatever the proof meets: %s', async (_what, effect) => {
    const sender = await permittedSender(letterhead, ['send', 'tracking']);
    const met = letterhead.google.faults.add({ method: 'messages.get', account: sender.account, effect });
    const id = await sender.send();
    await sender.reaches(id, 'sent');
    await eventually(
      () => met.fired,
      (fired) => fired === 1,
    );
    expect(await proofOf(sender, id)).toMatchObject({ state: 'sent', proven_at: null });
    expect(sender.accepted(id)).toHaveLength(1);
  });

  it.each<[string, FaultEffect]>([
    ['an answer that cannot be read', { kind: 'malformed', when: 'before', as: 'html' }],
    ['a refused token', { kind: 'unauthorized' }],
    ['a lost connection', { kind: 'drop', when: 'before' }],
  ])('has its proof on another try after %s', async (_what, effect) => {
    const sender = await permittedSender(letterhead, ['send', 'tracking']);
    const met = letterhead.google.faults.add({ method: 'messages.get', account: sender.account, effect });
    const id = await sender.send();
    await sender.reaches(id, 'sent');
    expect(await proven(sender, id)).toMatchObject({ state: 'sent', sent_from: sender.account });
    expect(met.fired).toBe(1);
  });
});

// By itself: the clock is moved past the deadline of whatever is being sent.
it('an email whose answer was lost has its proof too, once it is found in Gmail', async () => {
  const sender = await permittedSender(letterhead, ['send', 'tracking']);
  letterhead.google.faults.add({
    ...{ method: 'messages.send', account: sender.account },
    effect: { kind: 'drop', when: 'after' },
  });
  const id = await sender.send();
  await eventually(
    () => sender.delivery(id),
    ({ attempts }) => attempts[0]?.outcome === 'unknown',
  );
  letterhead.google.clock.forward(800_000);
  await sender.reaches(id, 'sent');
  expect(await proven(sender, id)).toMatchObject({ sent_message_id: sender.accepted(id)[0]?.messageId });
});
