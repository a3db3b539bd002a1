import type { FaultEffect } from 'local-google';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DeliverContext } from '../../src/deliveries/context.ts';
import { deliver } from '../../src/deliveries/deliver.ts';
import { releaseRecovered } from '../../src/deliveries/let-go.ts';
import { recheckMailbox } from '../../src/mailboxes/recheck.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import type { Sender } from '../support/company.ts';
import { anotherWorker } from '../support/hand-delivery.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { permittedSender } from '../support/permitted.ts';

/** What Gmail refuses because of the mailbox is the mailbox's trouble: one email learns of it, and all wait. */

let letterhead: TestLetterhead;
let worker: DeliverContext;
beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false, timeStands: true });
  worker = anotherWorker(letterhead);
});
afterAll(() => letterhead.close());

const work = ({ tenantId }: Sender, id: string) => deliver(worker, { tenantId, deliveryId: id });
const mailboxOf = ({ tenantId, mailboxId }: Sender) =>
  inTenant(letterhead.database.db, tenantId, (trx) =>
    trx
      .selectFrom('mailboxes')
      .select(['state', 'state_reason as reason', 'state_sure as sure'])
      .where('id', '=', mailboxId)
      .executeTakeFirstOrThrow(),
  );
const heldReasons = (sender: Sender, ids: readonly string[]) =>
  Promise.all(ids.map(async (id) => (await sender.delivery(id)).heldReason));

const troubles: readonly [what: string, effect: FaultEffect, reason: string][] = [
  ['no Gmail for the account', { kind: 'mailNotEnabled' }, 'no_gmail'],
  ['an administrator’s policy', { kind: 'forbidden', reason: 'domainPolicy' }, 'admin_policy'],
  ['a missing permission', { kind: 'forbidden', reason: 'insufficientPermissions' }, 'missing_permission'],
];

describe.each([
  ['as messages', 'messages.send', ['send']],
  ['as drafts', 'drafts.create', ['send', 'safe_retry']],
] as const)('four emails, %s, through a mailbox with', (_how, method, capabilities) => {
  it.each(troubles)(
    '%s: the mailbox says so after the first answer, and the rest waits',
    async (_what, effect, reason) => {
      const sender = await permittedSender(letterhead, capabilities);
      letterhead.google.faults.add({ method, account: sender.account, every: 1, effect });
      const ids = [await sender.send(), await sender.send(), await sender.send(), await sender.send()];
      letterhead.google.truth.resetCalls();
      for (const id of ids) await work(sender, id);
      expect(letterhead.google.truth.calls(method)).toBe(1);
      expect(await mailboxOf(sender)).toEqual({ state: 'needs_reconnect', reason, sure: true });
      expect(await heldReasons(sender, ids)).toEqual(ids.map(() => 'mailbox_needs_reconnect'));
    },
  );

  it.each(['Invalid To header'])('one address that is wrong (%s): that one fails, and the rest leaves', async () => {
    const sender = await permittedSender(letterhead, capabilities);
    letterhead.google.faults.add({ method, account: sender.account, effect: { kind: 'invalidTo' } });
    const ids = [await sender.send(), await sender.send()];
    for (const id of ids) await work(sender, id);
    expect(await Promise.all(ids.map(async (id) => (await sender.delivery(id)).state))).toEqual(['failed', 'sent']);
    expect(await mailboxOf(sender)).toMatchObject({ state: 'active' });
  });
});

it('an account without Gmail is told from one with it, and what waited leaves once Gmail is switched on', async () => {
  const sender = await permittedSender(letterhead, ['send']);
  const { accounts } = letterhead.google;
  accounts.setMailEnabled(sender.account, false);
  const ids = await Promise.all(Array.from({ length: 4 }, () => sender.send()));
  await Promise.all(ids.map((id) => work(sender, id)));
  expect(await heldReasons(sender, ids)).toEqual(ids.map(() => 'mailbox_needs_reconnect'));
  const look = (depth: 'token' | 'gmail') => recheckMailbox(worker, sender.tenantId, sender.mailboxId, depth);
  // A token that can be renewed proves nothing against Gmail's own word.
  expect([await look('token'), await look('gmail')]).toEqual(['ended', 'ended']);
  expect(await mailboxOf(sender)).toEqual({ state: 'needs_reconnect', reason: 'no_gmail', sure: true });
  accounts.setMailEnabled(sender.account, true);
  expect(await look('gmail')).toBe('works');
  await releaseRecovered(worker);
  for (const id of ids) await work(sender, id);
  for (const id of ids) expect(sender.accepted(id)).toHaveLength(1);
});
