import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { saveRule } from '../../src/mailboxes/sender-rules.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { type Company, company } from '../support/company.ts';
import { eventually } from '../support/eventually.ts';
import { startTestLetterhead, type TestLetterhead, testClient } from '../support/letterhead.ts';

let letterhead: TestLetterhead;
beforeAll(async () => {
  // Several wait at once, and each moves the clock on meanwhile.
  letterhead = await startTestLetterhead({ sendDeadlineMs: 3_600_000 });
});
afterAll(() => letterhead.close());

const mailboxOf = (sender: Company) =>
  inTenant(letterhead.database.db, sender.tenantId, (trx) =>
    trx.selectFrom('mailboxes').selectAll().where('id', '=', sender.mailboxId).executeTakeFirstOrThrow(),
  );
const reconnect = (sender: Company) => sender.founder.connect(sender.account, { mailboxId: sender.mailboxId });
const removeAccess = (sender: Company) => letterhead.google.accounts.removeAccess(sender.account, testClient.clientId);

describe.concurrent('a mailbox that Google cut off', () => {
  it.each([
    ['the access was removed', removeAccess],
    ['the password changed', (sender: Company) => letterhead.google.accounts.changePassword(sender.account)],
  ])('is marked once, and what waits goes out once each after reconnecting: %s', async (_what, cutOff) => {
    const sender = await company(letterhead);
    cutOff(sender);
    const ids = await Promise.all([sender.send(), sender.send(), sender.send()]);
    for (const id of ids) expect((await sender.reaches(id, 'held')).heldReason).toBe('mailbox_needs_reconnect');
    const marked = await mailboxOf(sender);
    expect(marked).toMatchObject({ state: 'needs_reconnect', state_reason: 'revoked' });
    const later = await sender.send();
    expect((await sender.delivery(later)).state).toBe('held');
    expect((await mailboxOf(sender)).state_at).toEqual(marked.state_at);

    const page = await reconnect(sender);
    expect(page.text).toContain('4 emails are going out now.');
    for (const id of [...ids, later]) {
      await sender.reaches(id, 'sent');
      expect(sender.accepted(id)).toHaveLength(1);
    }
  });

  it('keeps no other mailbox of the company from sending', async () => {
    const sender = await company(letterhead);
    const second = sender.account.replace('office', 'second');
    letterhead.google.accounts.add({ email: second, name: 'Second' });
    await sender.founder.connect(second);
    removeAccess(sender);
    const held = await sender.send();
    await sender.reaches(held, 'held');
    await inTenant(letterhead.database.db, sender.tenantId, async (trx) => {
      const other = await trx
        .selectFrom('mailboxes')
        .select('id')
        .where('email', '=', second)
        .executeTakeFirstOrThrow();
      const rule = { mode: 'alias', mailboxId: other.id, email: second } as const;
      await saveRule(trx, sender.tenantId, null, rule, { memberId: null, at: new Date() });
    });
    const sent = await sender.send();
    await sender.reaches(sent, 'sent');
    expect(sender.accepted(sent)).toMatchObject([{ account: second }]);
    expect((await sender.delivery(held)).state).toBe('held');
  });

  it('releases by itself nothing that waited for more than a day', async () => {
    const sender = await company(letterhead);
    removeAccess(sender);
    const id = await sender.send();
    await sender.reaches(id, 'held');
    await inTenant(letterhead.database.db, sender.tenantId, (trx) =>
      trx
        .updateTable('deliveries')
        .set({ state_at: new Date(Date.now() - 25 * 3_600_000) })
        .execute(),
    );
    const page = await reconnect(sender);
    expect(page.text).toContain('1 waited for more than 24 hours');
    expect((await sender.delivery(id)).state).toBe('held');
    await sender.founder.post(`/deliveries/${id}/decision`, { decision: 'send_now' });
    await sender.reaches(id, 'sent');
    expect(sender.accepted(id)).toHaveLength(1);
  });
});

describe('a mailbox that was disconnected', () => {
  it('holds its deliveries, and connecting it again lets them go', async () => {
    const sender = await company(letterhead);
    letterhead.google.faults.add({
      ...{ method: 'messages.send', account: sender.account },
      effect: {
        kind: 'tooMany',
        limit: 'rate',
        retryAt: new Date(letterhead.google.clock.now() + 600_000).toISOString(),
      },
    });
    const id = await sender.send();
    await eventually(
      () => sender.delivery(id),
      ({ attempts, state }) => state === 'queued' && attempts[0]?.outcome === 'refused_retry',
    );
    await sender.founder.post(`/mailboxes/${sender.mailboxId}/disconnection`);
    expect((await sender.reaches(id, 'held')).heldReason).toBe('mailbox_disconnected');
    await reconnect(sender);
    letterhead.google.clock.forward(600_000);
    await sender.reaches(id, 'sent');
    expect(sender.accepted(id)).toHaveLength(1);
  });
});
