import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { afterDelivery } from '../../src/deliveries/after.ts';
import type { DeliverContext } from '../../src/deliveries/context.ts';
import { deliver } from '../../src/deliveries/deliver.ts';
import { saveRule } from '../../src/mailboxes/sender-rules.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { type Company, company } from '../support/company.ts';
import { anotherWorker } from '../support/hand-delivery.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';

/** An address that Gmail swapped once stops the next email. */

const alias = 'accounts@alias.example';
let letterhead: TestLetterhead;
let worker: DeliverContext;
beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false, timeStands: true });
  worker = anotherWorker(letterhead);
});
afterAll(() => letterhead.close());

/** Sends from an alias; Gmail dropped it a moment ago. */
async function swapping(permissions: readonly ('aliases' | 'tracking')[] = ['aliases', 'tracking']): Promise<Company> {
  const sender = await company(letterhead, {
    sendAs: [{ email: alias, status: 'accepted', name: 'Accounts' }],
    permissions,
  });
  const { tenantId, mailboxId } = sender;
  await inTenant(letterhead.database.db, tenantId, (trx) =>
    saveRule(trx, tenantId, null, { mode: 'alias', mailboxId, email: alias }, { memberId: null, at: new Date() }),
  );
  letterhead.google.accounts.removeSendAs(sender.account, alias);
  return sender;
}
/** One that was written after all before it. */
const sendLater = (sender: Company) => {
  letterhead.google.clock.forward(1_000);
  return sender.send();
};
const work = async ({ tenantId }: Company, ...ids: string[]) => {
  for (const deliveryId of ids) {
    const job = { tenantId, deliveryId };
    await deliver(worker, job);
    await afterDelivery(worker, job);
  }
};
const standing = async (sender: Company, id: string) => {
  const { state, heldReason } = await sender.delivery(id);
  return heldReason ?? state;
};
const page = async (sender: Company, path: string) =>
  (await sender.founder.get(path)).text.replaceAll(/<[^>]+>/g, ' ').replaceAll(/\s+/g, ' ');
/** The test email that the page sent. */
const testEmail = (sender: Company) =>
  inTenant(letterhead.database.db, sender.tenantId, async (trx) => {
    const row = await trx
      .selectFrom('deliveries')
      .select('id')
      .where('tries_from', '=', true)
      .orderBy('created_at', 'desc')
      .executeTakeFirst();
    return row?.id ?? '';
  });
const listReadAt = (sender: Company) =>
  inTenant(letterhead.database.db, sender.tenantId, async (trx) => {
    const row = await trx.selectFrom('mailboxes').select('send_as_fetched_at').executeTakeFirstOrThrow();
    return row.send_as_fetched_at;
  });
const press = (sender: Company, what: 'from-test' | 'from-go-on') =>
  sender.founder.post(`/mailboxes/${sender.mailboxId}/${what}`, { email: alias });

it('what Gmail proved wrong of its list of addresses is asked anew before the next email, however new the list is', async () => {
  const sender = await swapping();
  const [first, second] = [await sender.send(), await sender.send()];
  expect(await listReadAt(sender)).not.toBeNull();
  await work(sender, first);
  expect(await listReadAt(sender)).toBeNull();
  await work(sender, second);
  // Read again, though fifteen minutes have not passed.
  expect(await listReadAt(sender)).not.toBeNull();
});

describe('once a read-back showed another From', () => {
  it('what was written before is held, what is written now is refused, and every page says why', async () => {
    const sender = await swapping();
    const [first, second] = [await sender.send(), await sender.send()];
    await work(sender, first, second);
    expect([await standing(sender, first), await standing(sender, second)]).toEqual(['sent', 'from_changed']);
    expect(sender.accepted(second)).toEqual([]);
    expect(await sender.ask()).toMatchObject({ kind: 'refused', resolution: { reason: 'from_changed' } });
    const because = `Gmail sent an email from ${sender.account} instead of ${alias}`;
    expect(await page(sender, '/')).toContain(because);
    expect(await page(sender, `/mailboxes/${sender.mailboxId}`)).toContain(because);
    const held = await page(sender, `/deliveries/${second}`);
    expect(held).toContain('Gmail used another address instead of');
    expect(held).not.toContain('Send now');
    // The swapped one's own page says one thing: whom it came from, and that nothing more leaves from there.
    const swapped = await page(sender, `/deliveries/${first}`);
    expect(swapped).toContain(`Gmail sent it from ${sender.account} instead of ${alias}.`);
    expect(swapped).toContain(`Nothing more leaves from ${alias} until somebody has looked.`);
    expect(swapped).toMatch(new RegExp(`From ${sender.account} instead of .{1,40}&lt;${alias}&gt;`));
    expect(swapped).toContain('Left from another address');
    expect(swapped).not.toMatch(/may come from the other address|From Accounts &lt;/);
    const record = await sender.record();
    expect(await page(sender, `/documents/${record.id}/deliveries/new`)).toContain(because);
    await sender.founder.post(`/mailboxes/${sender.mailboxId}/check-up`, {});
    expect(await page(sender, `/mailboxes/${sender.mailboxId}/check-up`)).toContain(because);
  });

  it('a test email that Gmail keeps lets all go on; one that it swaps again does not', async () => {
    const sender = await swapping();
    const [first, second] = [await sender.send(), await sender.send()];
    await work(sender, first, second);
    // Gone from Gmail's list: there is nothing to try.
    await press(sender, 'from-test');
    expect(await testEmail(sender)).toBe('');
    letterhead.google.accounts.addSendAs(sender.account, { email: alias, status: 'accepted', name: 'Accounts' });
    await press(sender, 'from-test');
    const failing = await testEmail(sender);
    letterhead.google.accounts.removeSendAs(sender.account, alias);
    await work(sender, failing);
    expect(await standing(sender, failing)).toBe('sent');
    expect(await standing(sender, second)).toBe('from_changed');

    // The test email after it is told by when it was written.
    letterhead.google.clock.forward(1_000);
    letterhead.google.accounts.addSendAs(sender.account, { email: alias, status: 'accepted', name: 'Accounts' });
    await press(sender, 'from-test');
    await work(sender, await testEmail(sender));
    expect(await standing(sender, second)).toBe('queued');
    await work(sender, second);
    expect(sender.accepted(second)).toHaveLength(1);
    expect((await sender.delivery(second)).sentFrom).toBe(alias);
    expect(await page(sender, '/')).not.toContain('instead of');
  });

  it('an admin who looked lets one go on, and the others when Gmail kept that; what it swaps later stops the next one', async () => {
    const sender = await swapping();
    const [first, late, second, third, last] = [
      await sender.send(),
      await sender.send(),
      await sendLater(sender),
      await sendLater(sender),
      await sendLater(sender),
    ];
    await deliver(worker, { tenantId: sender.tenantId, deliveryId: late });
    await work(sender, first, second, third);
    expect([await standing(sender, second), await standing(sender, third)]).toEqual(['from_changed', 'from_changed']);
    letterhead.google.clock.forward(60_000);
    letterhead.google.accounts.addSendAs(sender.account, { email: alias, status: 'accepted', name: 'Accounts' });
    await press(sender, 'from-go-on');
    expect(await page(sender, '/settings/changes')).toContain(
      `Looked, and let ${alias} be used again through ${sender.account}`,
    );
    expect([await standing(sender, second), await standing(sender, third)]).toEqual(['queued', 'from_changed']);
    await work(sender, second);
    expect([await standing(sender, second), (await sender.delivery(second)).sentFrom]).toEqual(['sent', alias]);
    expect(await standing(sender, third)).toBe('queued');
    // It left before that, and is read back only now.
    await afterDelivery(worker, { tenantId: sender.tenantId, deliveryId: late });
    expect(await standing(sender, third)).toBe('queued');
    // Pressed once more, on a page of before.
    await press(sender, 'from-go-on');
    expect(await page(sender, `/mailboxes/${sender.mailboxId}`)).toContain(
      `${alias} is not held any more. An email showed that Gmail keeps it: `,
    );
    const settled = await page(sender, `/deliveries/${late}`);
    expect(settled).toContain(`Gmail sent it from ${sender.account} instead of ${alias}. That is settled`);
    expect(settled).not.toContain('Nothing more leaves');
    letterhead.google.clock.forward(60_000);
    // Within the quarter of an hour in which the list is believed.
    letterhead.google.accounts.removeSendAs(sender.account, alias);
    await work(sender, third, last);
    expect([await standing(sender, third), await standing(sender, last)]).toEqual(['sent', 'from_changed']);
  });

  it('one email goes first, however many wait: what Gmail swaps again is that one alone', async () => {
    const sender = await swapping();
    const ids = [await sender.send(), await sendLater(sender), await sendLater(sender), await sendLater(sender)];
    const [, first = '', ...others] = ids;
    await work(sender, ...ids);
    letterhead.google.clock.forward(60_000);
    letterhead.google.accounts.addSendAs(sender.account, { email: alias, status: 'accepted', name: 'Accounts' });
    await press(sender, 'from-go-on');
    expect(await page(sender, `/mailboxes/${sender.mailboxId}`)).toContain(
      `1 email is going out now. The other 2 follow when Gmail has kept ${alias}.`,
    );
    // Gmail drops it once more, just after it was asked for its list.
    letterhead.google.accounts.removeSendAs(sender.account, alias);
    await inTenant(letterhead.database.db, sender.tenantId, (trx) =>
      trx.updateTable('mailboxes').set({ send_as_fetched_at: letterhead.context.clock() }).execute(),
    );
    // Everything that could leave does before the first is read back.
    for (const deliveryId of ids) await deliver(worker, { tenantId: sender.tenantId, deliveryId });
    expect(await Promise.all(others.map((id) => standing(sender, id)))).toEqual(['from_changed', 'from_changed']);
    expect(await standing(sender, first)).toBe('sent');
    await afterDelivery(worker, { tenantId: sender.tenantId, deliveryId: first });
    expect((await sender.delivery(first)).sentFrom).toBe(sender.account);
    await work(sender, ...others);
    expect(others.flatMap((id) => sender.accepted(id))).toEqual([]);
  });

  it('“go on” changes nothing while Gmail does not know the address, and says so', async () => {
    const sender = await swapping();
    const [first, second] = [await sender.send(), await sender.send()];
    await work(sender, first, second);
    await press(sender, 'from-go-on');
    const text = await page(sender, `/mailboxes/${sender.mailboxId}`);
    expect(text).toContain(`${alias} is not used again. Emails come from ${alias}, but Gmail no longer lists it`);
    expect(text).not.toContain('going out now');
    expect(await standing(sender, second)).toBe('from_changed');
    await work(sender, second);
    expect(sender.accepted(second)).toEqual([]);
  });

  it('where nobody can look whom it comes from, an admin’s word lets all go on', async () => {
    const sender = await swapping();
    const [first, second, third] = [await sender.send(), await sender.send(), await sender.send()];
    await work(sender, first, second, third);
    await inTenant(letterhead.database.db, sender.tenantId, (trx) =>
      trx
        .updateTable('mailboxes')
        .set({ wanted: ['send', 'aliases'] })
        .execute(),
    );
    letterhead.google.accounts.addSendAs(sender.account, { email: alias, status: 'accepted', name: 'Accounts' });
    await press(sender, 'from-go-on');
    expect([await standing(sender, second), await standing(sender, third)]).toEqual(['queued', 'queued']);
  });

  it('nobody but an admin decides', async () => {
    const sender = await swapping();
    await work(sender, await sender.send());
    const { colleague } = await import('../support/colleague.ts');
    const { pages } = await colleague(letterhead, sender, 'Member');
    const answer = await pages.post(`/mailboxes/${sender.mailboxId}/from-go-on`, { email: alias });
    expect(answer.status).toBe(403);
  });
});

it('without the permission to look nothing is seen, and the check-up says so', async () => {
  const sender = await swapping(['aliases']);
  const [first, second] = [await sender.send(), await sender.send()];
  await work(sender, first, second);
  expect([await standing(sender, first), await standing(sender, second)]).toEqual(['sent', 'sent']);
  letterhead.google.accounts.addSendAs(sender.account, { email: alias, status: 'accepted', name: 'Accounts' });
  await sender.founder.post(`/mailboxes/${sender.mailboxId}/check-up`, {});
  expect(await page(sender, `/mailboxes/${sender.mailboxId}/check-up`)).toContain(
    'Whether Gmail really sends from them cannot be seen here without “Look into Sent”',
  );
});
