import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endMailbox, pauseMailbox } from '../../src/mailboxes/health.ts';
import type { Database } from '../../src/platform/database.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { setSendingRules } from '../../src/tenants/sending-rules.ts';
import { blockAccount } from '../../src/tenants/system-queue.ts';
import { type Company, company } from '../support/company.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { aPausedRun } from '../support/rows.ts';
import { said } from '../support/visitor.ts';

/** An email that waits for a time, and its mailbox cannot send besides: no page promises that it leaves, and each has the remedy. */

let letterhead: TestLetterhead;
beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false, timeStands: true });
});
afterAll(() => letterhead.close());

const ahead = (ms: number) => new Date(letterhead.google.clock.now() + ms);
const hour = 3_600_000;
const within = <T>({ tenantId }: Company, work: (trx: Database) => Promise<T>) =>
  inTenant(letterhead.database.db, tenantId, work);
const accountOf = (one: Company) =>
  within(one, async (trx) => (await trx.selectFrom('mailboxes').select('account').executeTakeFirstOrThrow()).account);
const set = (one: Company, id: string, values: Record<string, unknown>) =>
  within(one, (trx) => trx.updateTable('deliveries').set(values).where('id', '=', id).execute());

/** What time holds it, by the reason. */
const times: Readonly<Record<string, (one: Company, id: string) => Promise<unknown>>> = {
  'sending hours': (one, id) =>
    set(one, id, { state: 'held', held_reason: 'outside_hours', not_before: ahead(20 * hour) }),
  'sending hours, in the queue': async (one) => {
    const days = [(new Date(letterhead.google.clock.now()).getUTCDay() + 1) % 7 || 7];
    const hours = { days, from: '08:00', to: '18:00', holidays: [] };
    await within(one, (trx) => setSendingRules(trx, one.tenantId, { undoSeconds: 0, hours }));
  },
  'Gmail’s limit': (one, id) => set(one, id, { state: 'held', held_reason: 'sending_limit', not_before: ahead(hour) }),
  'the rate': async (one, id) => {
    await blockAccount(letterhead.database.system, await accountOf(one), ahead(hour), 'rate');
    await set(one, id, { not_before: ahead(hour) });
  },
  'a chosen time': (one, id) => set(one, id, { state: 'held', held_reason: 'scheduled', not_before: ahead(hour) }),
};

/** What a person has to end, with what pages say of it, and the button. */
const stops = {
  'its mailbox is paused': {
    make: (one: Company) =>
      within(one, (trx) =>
        pauseMailbox(trx, one.tenantId, one.mailboxId, { memberId: one.memberId, at: ahead(-60_000) }),
      ),
    title: ({ account }: Company) => `${account} was paused by`,
    button: 'Resume',
  },
  'its mailbox has no Gmail': {
    make: (one: Company) =>
      within(one, (trx) =>
        endMailbox(trx, one.tenantId, one.mailboxId, {
          reason: 'no_gmail',
          sure: true,
          from: 'gmail',
          at: ahead(-60_000),
        }),
      ),
    title: ({ account }: Company) => `${account} cannot send`,
    button: 'What to do',
  },
} as const;

const rows = Object.keys(times).flatMap((time) =>
  (Object.keys(stops) as (keyof typeof stops)[]).map((stop) => [time, stop] as const),
);

describe('an email that waits for a time, while a person keeps it', () => {
  it.each(rows)('%s, and %s', async (time, stop) => {
    const one = await company(letterhead);
    const id = await one.send();
    const runId = await within(one, async (trx) => {
      const runId = await aPausedRun(trx, one);
      await trx.updateTable('runs').set({ state: 'running' }).where('id', '=', runId).execute();
      await trx.updateTable('deliveries').set({ run_id: runId, lane: 1 }).where('id', '=', id).execute();
      return runId;
    });
    await times[time]?.(one, id);
    const { make, title, button } = stops[stop];
    await make(one);
    const byItself = /(goes on|go on|goes out|leaves later,|it goes) by itself|about to leave/i;
    for (const path of [`/deliveries/${id}`, '/activity', '/', `/runs/${runId}`]) {
      const page = said(await one.founder.get(path));
      expect(page, path).toContain(title(one));
      expect(page, path).toContain(button);
      expect(page, path).not.toMatch(byItself);
    }
    expect(said(await one.founder.get('/'))).toContain(
      '1 email waits for a Gmail account or an address that cannot send now',
    );
    await one.founder.post(`/mailboxes/${one.mailboxId}/check-up`);
    const checkUp = said(await one.founder.get(`/mailboxes/${one.mailboxId}/check-up`));
    if (stop === 'its mailbox is paused') expect(checkUp).toMatch(/It was paused by .+: nothing leaves through it/);
  });
});

describe('the test email of a check-up', () => {
  const tested = async (one: Company) => {
    const path = `/mailboxes/${one.mailboxId}/check-up`;
    await one.founder.post(`${path}/test-email`, { key: randomUUID() });
    return one.founder.get(path);
  };

  it('says what it waits for, where a person keeps it', async () => {
    const one = await company(letterhead);
    await stops['its mailbox is paused'].make(one);
    const page = await tested(one);
    expect(said(page)).toContain(`It waits and has not left. ${one.account} was paused by`);
  });

  it('says when it leaves where its account stands still, and is not asked after each second', async () => {
    const one = await company(letterhead);
    await times['the rate']?.(one, randomUUID());
    const page = await tested(one);
    expect(said(page)).toMatch(/It has not left yet\. Leaves .+ Gmail asked this account to slow down\./);
    expect(page.text).not.toContain('hx-get="/mailboxes');
  });
});
