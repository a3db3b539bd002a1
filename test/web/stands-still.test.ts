import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPacer } from '../../src/deliveries/pacer.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { blockAccount, endTrouble, markTrouble } from '../../src/tenants/system-queue.ts';
import { type Company, company } from '../support/company.ts';
import { anotherWorker, deliverNow } from '../support/hand-delivery.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { manyRecords } from '../support/many-records.ts';
import { aDelivery, aMailbox } from '../support/rows.ts';
import { deliveriesOf, started } from '../support/runs.ts';
import { anInvoice } from '../support/send-page.ts';

const pace = { unitsPerMinute: 6_000, projectUnitsPerMinute: null, inFlight: 5 };

/** Rounds of the pacer are made, and the clock is moved on, by hand. */
let letterhead: TestLetterhead;
beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false, pace, timeStands: true });
});
afterAll(() => letterhead.close());

const tick = () => createPacer(anotherWorker(letterhead)).tick();
/** Whether the pacer takes it in a round. */
const isReleased = async (sender: Company, id: string) => {
  await tick();
  const row = await inTenant(letterhead.database.db, sender.tenantId, (trx) =>
    trx.selectFrom('deliveries').select('released_at').where('id', '=', id).executeTakeFirstOrThrow(),
  );
  return row.released_at !== null;
};
const ahead = (ms: number) => new Date(letterhead.google.clock.now() + ms);
const hour = 3_600_000;
const text = async (sender: Company, path: string) => {
  const page = await sender.founder.get(path);
  expect(page.status).toBe(200);
  return page.text.replaceAll(/<[^>]+>/g, '').replaceAll(/\s+/g, ' ');
};
const pageOf = (sender: Company, id: string) => text(sender, `/deliveries/${id}`);
const sendPage = async (sender: Company) =>
  text(sender, `/documents/${(await anInvoice(letterhead, sender)).id}/deliveries/new`);
/** The account behind a company's mailbox. */
const accountOf = async ({ mailboxId }: Company) => {
  const query = letterhead.database.system.selectFrom('mailboxes').select('account').where('id', '=', mailboxId);
  return (await query.executeTakeFirstOrThrow()).account;
};

describe('a delivery that waits for its Google account says why, and until when', () => {
  it('its day is used up: on its page, on the send page, and it goes by itself; a higher limit lets it go at once', async () => {
    const sender = await company(letterhead);
    const saved = await sender.founder.post(`/mailboxes/${sender.mailboxId}/daily-limit`, { limit: '1' });
    expect(saved.location).toBe(`/mailboxes/${sender.mailboxId}`);
    const first = await sender.send();
    await tick();
    await deliverNow(letterhead, sender, first);
    const second = await sender.send();
    // At once, and not only when the pacer has noticed.
    expect(await pageOf(sender, second)).toContain('are used up');
    letterhead.google.clock.forward(6_000);
    await tick();
    const page = await pageOf(sender, second);
    expect(page).toMatch(/The emails that this account may send in one day are used up\. It goes on by itself on /);
    expect(page).toContain(`1 of 1 emails in the last 24 hours, from here through ${sender.account}`);
    expect(page).toContain('what was sent in Gmail itself, or by other programs, Gmail counts too');
    expect(await sendPage(sender)).toContain(
      'It will wait. The emails that this account may send in one day are used up',
    );

    await sender.founder.post(`/mailboxes/${sender.mailboxId}/daily-limit`, { limit: '' });
    // Before any round of the pacer, which may be long in coming where nothing may leave now.
    expect(await pageOf(sender, second)).not.toContain('are used up');
    expect(await text(sender, '/settings/email')).not.toContain('used up');
    expect((await tick()).released).toBe(1);
    expect(await pageOf(sender, second)).toContain('It is about to leave.');
  });

  it('its day is used up by another company that shares the account, of which nothing is told', async () => {
    const sender = await company(letterhead);
    const account = await accountOf(sender);
    const other = await letterhead.database.tenant();
    await inTenant(letterhead.database.db, other.tenantId, async (trx) => {
      const mailbox = await aMailbox(trx, other.tenantId, { email: sender.account });
      await trx
        .updateTable('mailboxes')
        .set({ google_sub: account.replace('gmail:', ''), daily_limit: 2 })
        .execute();
      for (const hours of [3, 2])
        await trx
          .updateTable('deliveries')
          .set({ account, sent_at: ahead(-hours * hour) })
          .where('id', '=', await aDelivery(trx, other.tenantId, other.memberId, 'sent', mailbox))
          .execute();
    });
    const id = await sender.send();
    await tick();
    const page = await pageOf(sender, id);
    expect(page).toContain('The emails that this account may send in one day are used up');
    expect(page).toContain('0 of');
    letterhead.google.clock.forward(22 * hour);
    expect(await isReleased(sender, id)).toBe(true);
  });

  it('Gmail said that its limit for a day is used up: of the one that met it, and of the others', async () => {
    const sender = await company(letterhead);
    const until = ahead(5 * hour);
    letterhead.google.faults.add({
      ...{ method: 'messages.send', account: sender.account },
      effect: { kind: 'tooMany', limit: 'sending', retryAt: until.toISOString() },
    });
    const [met, other] = [await sender.send(), await sender.send()];
    await tick();
    await deliverNow(letterhead, sender, met);
    await deliverNow(letterhead, sender, other);
    for (const id of [met, other]) {
      const page = await pageOf(sender, id);
      expect(page).toContain('Gmail says that this account’s limit for one day is used up. It goes on by itself on');
      expect(page).toContain('0 of 2,000 emails in the last 24 hours, from here through');
    }
    expect(await sendPage(sender)).toContain('It will wait. Gmail says');
    letterhead.google.clock.forward(5 * hour + 1_000);
    expect([await isReleased(sender, met), await isReleased(sender, other)]).toEqual([true, true]);
  });

  it('Gmail asked it to slow down, or everybody waits for a probe', async () => {
    const sender = await company(letterhead);
    const id = await sender.send();
    const { system } = letterhead.database;
    await blockAccount(system, await accountOf(sender), ahead(60_000), 'rate');
    expect(await pageOf(sender, id)).toContain('Gmail asked this account to slow down. It goes on by itself on');
    letterhead.google.clock.forward(61_000);
    expect(await pageOf(sender, id)).toContain('It is about to leave.');
    await markTrouble(system, 'gmail', ahead(60_000));
    expect(await pageOf(sender, id)).toContain('Google is in trouble: its answers get lost');
    await endTrouble(system, 'gmail');
  });

  it('others of its run go first', async () => {
    const sender = await company(letterhead);
    await inTenant(letterhead.database.db, sender.tenantId, (trx) => manyRecords(trx, sender.tenantId, 300));
    const run = await started(letterhead.context, sender);
    const last = (await deliveriesOf(letterhead.context, sender, run)).at(-1)?.id ?? '';
    expect(await pageOf(sender, last)).toMatch(/Others go first; it leaves in about [67] minutes\./);
    const { system } = letterhead.database;
    await blockAccount(system, await accountOf(sender), ahead(60_000), 'sending_limit');
    const runPage = await text(sender, `/runs/${run}`);
    expect(runPage).toMatch(
      /Waiting Gmail says that this account’s limit for one day is used up\. It goes on \d\d:\d\d\./,
    );
    letterhead.google.clock.forward(61_000);
    expect(await text(sender, `/runs/${run}`)).not.toContain('is used up');
    await sender.founder.post(`/mailboxes/${sender.mailboxId}/daily-limit`, { limit: '100' });
    expect(await pageOf(sender, last)).toContain(
      'Others go first, and use up the emails of a day: it leaves in about 2 days.',
    );
    await sender.founder.post(`/mailboxes/${sender.mailboxId}/daily-limit`, { limit: '' });
    const single = await sender.send();
    expect(await pageOf(sender, single)).toContain('It is about to leave.');
  });
});

describe('the limit of a day', () => {
  it('is refused where it is no number, and is nobody’s to set but those who manage the account', async () => {
    const sender = await company(letterhead);
    const path = `/mailboxes/${sender.mailboxId}/daily-limit`;
    for (const limit of ['0', '12.5', 'many', '10001']) {
      const page = await sender.founder.post(path, { limit });
      expect(page.status).toBe(422);
      expect(page.text).toContain('Write a whole number from 1 to 10,000');
    }
    expect(await text(sender, path)).toContain('0 of 2,000 emails in the last 24 hours');
    const stranger = await company(letterhead);
    expect((await stranger.founder.post(path, { limit: '5' })).status).toBe(404);
  });
});
