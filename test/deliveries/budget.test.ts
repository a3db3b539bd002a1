import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ahead, budgetOf } from '../../src/deliveries/budget.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { blockAccount, markTrouble, readAccounts } from '../../src/tenants/system-queue.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { aDelivery, aMailbox } from '../support/rows.ts';

const now = new Date('2026-11-21T12:00:00Z');
const ago = (hours: number) => new Date(now.getTime() - hours * 3_600_000);
const pace = { unitsPerMinute: 6_000, projectUnitsPerMinute: null, inFlight: 5 };

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

/** A tenant with a mailbox of this account, which sent so many, so many hours ago, and has so many waiting. */
async function aTenant(name: string, sent: readonly number[], waiting = 0) {
  const account = `gmail:${name}`;
  const { tenantId, memberId } = await database.tenant();
  const mailboxId = await inTenant(database.db, tenantId, async (trx) => {
    const id = await aMailbox(trx, tenantId, { email: 'office@gmail.com' });
    await trx.updateTable('mailboxes').set({ google_sub: name }).where('id', '=', id).execute();
    for (const hours of sent) {
      const delivery = await aDelivery(trx, tenantId, memberId, 'sent', id);
      await trx
        .updateTable('deliveries')
        .set({ account, sent_at: ago(hours) })
        .where('id', '=', delivery)
        .execute();
    }
    for (let made = 0; made < waiting; made += 1) {
      const delivery = await aDelivery(trx, tenantId, memberId, 'queued', id);
      await trx
        .updateTable('deliveries')
        .set({ account, lane: made % 2 })
        .where('id', '=', delivery)
        .execute();
    }
    return id;
  });
  const budget = (count: number, ahead: Ahead = null) =>
    inTenant(database.db, tenantId, (trx) => budgetOf(trx, { pace, now }, tenantId, mailboxId, count, ahead));
  return { tenantId, mailboxId, budget };
}

describe('the budget of a mailbox', () => {
  it('counts what its own tenant sent in a day, and nothing of another that uses the same account', async () => {
    await aTenant('shared', [1, 2, 3, 4, 5]);
    const mine = await aTenant('shared', [1, 23, 25]);
    expect(await mine.budget(10)).toMatchObject({
      mailboxEmail: 'office@gmail.com',
      used: 2,
      limit: 500,
      standsStill: null,
    });
  });

  it('foretells what goes out now and what tomorrow, after what waits already', async () => {
    const mine = await aTenant('waiting', [1], 4);
    await inTenant(database.db, mine.tenantId, (trx) =>
      trx.updateTable('mailboxes').set({ daily_limit: 10 }).execute(),
    );
    expect((await mine.budget(8))?.forecast).toMatchObject({ soon: 5, later: 3 });
  });

  it('counts before a run only what goes before it: single ones, and runs that were started earlier', async () => {
    const mine = await aTenant('ahead', [], 6);
    const waits = async (startedAt: Date) => {
      const ahead = { runId: '00000000-0000-4000-8000-000000000000', startedAt };
      return ((await mine.budget(1, ahead))?.forecast.takesMs ?? 0) / (60_000 * 1.1 * (100 / 5_400));
    };
    expect(await waits(new Date(Date.now() + 60_000))).toBeCloseTo(7, 1);
    expect(await waits(new Date(0))).toBeCloseTo(4, 1);
  });

  it('says until when the account stands still', async () => {
    const mine = await aTenant('blocked', []);
    const until = new Date(now.getTime() + 60_000);
    await blockAccount(database.system, 'gmail:blocked', until, 'sending_limit');
    expect((await mine.budget(1))?.standsStill).toEqual({ until, reason: 'sending_limit', everybody: false });
  });

  it.each([
    ['is met by one under way: one probe goes first all the same', 'rate', false, 'trouble', 300],
    ['is what the probe was told: the trouble is over', 'rate', true, 'rate', 300],
    ['is the day’s limit, which lasts longer', 'sending_limit', false, 'sending_limit', 300],
    ['ends before the next probe', 'rate', false, 'trouble', 30],
  ] as const)('while answers get lost, a limit that %s', async (_what, reason, troubleIsOver, stays, seconds) => {
    const account = `gmail:trouble-${reason}-${troubleIsOver}-${seconds}`;
    const inSeconds = (s: number) => new Date(now.getTime() + s * 1_000);
    await markTrouble(database.system, account, inSeconds(60));
    await blockAccount(database.system, account, inSeconds(seconds), reason, troubleIsOver);
    const state = (await readAccounts(database.system, [account])).get(account);
    expect(state).toMatchObject({ blockedReason: stays, blockedUntil: inSeconds(Math.max(60, seconds)) });
  });

  it('is none of another tenant’s mailbox', async () => {
    const mine = await aTenant('mine', []);
    const other = await aTenant('other', []);
    const asked = inTenant(database.db, mine.tenantId, (trx) =>
      budgetOf(trx, { pace, now }, mine.tenantId, other.mailboxId, 1, null),
    );
    expect(await asked).toBeUndefined();
  });
});
