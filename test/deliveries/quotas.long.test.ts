import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openParts, work } from '../../src/commands/parts.ts';
import { budgetOf } from '../../src/deliveries/budget.ts';
import { createPacer } from '../../src/deliveries/pacer.ts';
import type { Capability } from '../../src/platform/capability.ts';
import { createShutdown, type Shutdown } from '../../src/platform/shutdown.ts';
import { wake } from '../../src/platform/wake.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import type { Sender } from '../support/company.ts';
import { eventually } from '../support/eventually.ts';
import { anotherWorker } from '../support/hand-delivery.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { permittedSender } from '../support/permitted.ts';

/** Google's own quotas for a project since May 2026. */
const pace = { unitsPerMinute: 6_000, projectUnitsPerMinute: 1_200_000, inFlight: 5 };

let letterhead: TestLetterhead;
let second: Shutdown;
beforeAll(async () => {
  letterhead = await startTestLetterhead({ pace, sendDeadlineMs: 10_000, settleMs: 30_000, timeStands: true });
  // Another worker on the same database: it shares nothing else with the first.
  const { context, config } = letterhead;
  second = createShutdown(context.log);
  await work(await openParts(config, context.log, second), config, second);
});
afterEach(() => {
  letterhead.google.quotas.clear();
  letterhead.google.faults.clear();
});
afterAll(async () => {
  await second.run();
  await letterhead.close();
});

describe('a backlog over several accounts and two workers', () => {
  it('meets no refusal of Google’s under its own quotas, and uses most of them', async () => {
    const { google } = letterhead;
    const sets: Capability[][] = [
      ['send'],
      ['send', 'safe_retry'],
      ['send', 'tracking'],
      ['send', 'safe_retry', 'tracking'],
    ];
    const senders = await Promise.all(sets.map((capabilities) => permittedSender(letterhead, capabilities)));
    google.quotas.set({ userUnitsPerMinute: 6_000, concurrentPerUser: 5, projectUnitsPerMinute: 1_200_000 });
    google.truth.resetCalls();
    const ids = await backlog(senders, 60);
    const begun = google.clock.now();
    await inTime(() => unsent(senders, ids), 100);
    expect(refusals()).toEqual({});
    for (const [index, sender] of senders.entries()) {
      for (const id of ids[index] ?? []) expect(sender.accepted(id)).toHaveLength(1);
      // 60 of the dearest (130 units) take 1.3 minutes at all that Google allows.
      const last = Math.max(...google.truth.matching({ account: sender.account }).map(({ at }) => at));
      const dearest = [100, 110, 120, 130][index] ?? 0;
      const perMinute = (60 * 60_000) / (last - begun);
      expect(perMinute).toBeGreaterThan((0.85 * 6_000) / dearest);
      expect(perMinute).toBeLessThanOrEqual(1.1 * (6_000 / dearest));
    }
  });

  it('keeps to the project’s quota, whatever the accounts could', async () => {
    const { google, database } = letterhead;
    await database.system
      .updateTable('sending_accounts')
      .set({ paid_until: new Date(0) })
      .execute();
    google.quotas.set({ projectUnitsPerMinute: 1_200_000 });
    const senders = await Promise.all([1, 2, 3].map(() => permittedSender(letterhead, ['send'])));
    // What others used of the project's minute, as if hundreds of accounts had sent.
    const until = new Date(google.clock.now() + 26_000);
    await database.system
      .updateTable('sending_accounts')
      .set({ paid_until: until })
      .where('account', '=', 'gmail')
      .execute();
    const ids = await backlog(senders, 2);
    await pass(15);
    expect(await unsent(senders, ids)).toBe(6);
    await inTime(() => unsent(senders, ids), 10);
  });
});

describe('when Google’s limit is lower than we think', () => {
  it('the time in its message is obeyed, and everything goes out once', async () => {
    const { google } = letterhead;
    const sender = await permittedSender(letterhead, ['send']);
    google.quotas.set({ userUnitsPerMinute: 1_000 });
    google.truth.resetCalls();
    const [ids = []] = await backlog([sender], 16);
    await inTime(() => unsent([sender], [ids]), 150);
    for (const id of ids) expect(sender.accepted(id)).toHaveLength(1);
    // Ten a minute: each time the minute was used up, those in flight at that moment were told, and nobody else asked.
    expect(google.truth.methods()['messages.send']?.answers['429']).toBeGreaterThan(0);
    expect(google.truth.methods()['messages.send']?.answers['429']).toBeLessThanOrEqual(8);
  });

  it('a project’s quota holds everybody for a minute, instead of every email being refused', async () => {
    const { google } = letterhead;
    const senders = await Promise.all([1, 2].map(() => permittedSender(letterhead, ['send'])));
    google.quotas.set({ projectUnitsPerMinute: 500, projectAnswer: 'details' });
    google.truth.resetCalls();
    const ids = await backlog(senders, 6);
    await inTime(() => unsent(senders, ids), 240);
    for (const [index, sender] of senders.entries())
      for (const id of ids[index] ?? []) expect(sender.accepted(id)).toHaveLength(1);
    expect(Object.keys(refusals()).filter((what) => !what.startsWith('messages.send 403'))).toEqual([]);
    expect(google.truth.methods()['messages.send']?.answers['403']).toBeLessThanOrEqual(24);
  });
});

describe('the day’s limit', () => {
  it('holds what is over our budget, foretells it, and lets it go by itself as the day passes', async () => {
    const { google, database } = letterhead;
    const sender = await permittedSender(letterhead, ['send']);
    await inTenant(database.db, sender.tenantId, (trx) =>
      trx.updateTable('mailboxes').set({ daily_limit: 5 }).execute(),
    );
    google.quotas.set({ messagesPerDay: 5 });
    google.truth.resetCalls();
    const foretold = await budget(sender, 8);
    expect(foretold?.forecast).toMatchObject({ soon: 5, later: 3 });
    const [ids = []] = await backlog([sender], 8);
    await pass(30);
    expect(await unsent([sender], [ids])).toBe(3);
    expect(await budget(sender, 3)).toMatchObject({ used: 5, limit: 5 });
    google.clock.forward(24 * 3_600_000);
    await inTime(() => unsent([sender], [ids]), 30);
    expect(refusals()).toEqual({});
  });

  it('that mail sent elsewhere used up is learnt from Gmail, held until its time, and let go by itself', async () => {
    const { google } = letterhead;
    const sender = await permittedSender(letterhead, ['send']);
    google.quotas.set({ messagesPerDay: 3 });
    google.truth.resetCalls();
    const [ids = []] = await backlog([sender], 5);
    await pass(20);
    expect(await unsent([sender], [ids])).toBe(2);
    const stands = await budget(sender, 2);
    expect(stands?.standsStill?.reason).toBe('sending_limit');
    // Until the oldest of the three is a day old, as Gmail's sentence says.
    const freed = Math.min(...google.truth.matching({ account: sender.account }).map(({ at }) => at)) + 86_400_000;
    expect(Math.abs((stands?.standsStill?.until.getTime() ?? 0) - freed)).toBeLessThan(1_000);
    const asked = google.truth.calls('messages.send');
    google.clock.forward(12 * 3_600_000);
    await pass(5);
    expect(google.truth.calls('messages.send')).toBe(asked);
    google.clock.forward(12 * 3_600_000);
    await inTime(() => unsent([sender], [ids]), 60);
    for (const id of ids) expect(sender.accepted(id)).toHaveLength(1);
  });
});

describe('looks into Gmail', () => {
  it('are paid for: after a long one sends wait, and Google refuses nothing', async () => {
    const { google } = letterhead;
    const sender = await permittedSender(letterhead, ['send', 'tracking']);
    google.quotas.set({ userUnitsPerMinute: 6_000, concurrentPerUser: 5 });
    google.truth.resetCalls();
    const lost = google.faults.add({
      ...{ method: 'messages.send', account: sender.account, times: 2 },
      effect: { kind: 'drop', when: 'after' },
    });
    const [ids = []] = await backlog([sender], 60);
    await inTime(() => unsent([sender], [ids]), 240);
    expect(lost.fired).toBe(2);
    for (const id of ids) expect(sender.accepted(id)).toHaveLength(1);
    expect(google.truth.calls('messages.list')).toBeGreaterThan(0);
    expect(refusals()).toEqual({});
  });
});

/** So many emails of each; their ids, by sender. */
async function backlog(senders: readonly Sender[], count: number): Promise<string[][]> {
  return Promise.all(
    senders.map(async (sender) => {
      const ids: string[] = [];
      for (let made = 0; made < count; made += 1) ids.push(await sender.send());
      return ids;
    }),
  );
}

/** How far the clock is moved at once. */
const strideMs = 3_000;

/** Moves the clock on, stride by stride, letting the workers do all they can in between. */
async function pass(seconds: number): Promise<void> {
  const pacer = createPacer(anotherWorker(letterhead));
  for (let ms = 0; ms < seconds * 1_000; ms += strideMs) {
    await pacer.tick();
    // The workers' own pacers look at once when the clock is moved; where one of them was first, ours did nothing.
    await afterOthers();
    await pacer.tick();
    await eventually(busy, (count) => count === 0);
    letterhead.google.clock.forward(strideMs);
  }
}

/** Waits until no pacer is in the midst of a round. */
async function afterOthers(): Promise<void> {
  await letterhead.database.system
    .transaction()
    .execute((trx) => sql`select pg_advisory_xact_lock(5317080216)`.execute(trx));
}

/** The same until nothing is left; returns how many seconds that took. */
async function inTime(left: () => Promise<number>, most: number): Promise<number> {
  for (let seconds = 0; seconds <= most; seconds += strideMs / 1_000) {
    await pass(strideMs / 1_000);
    if ((await left()) === 0) return seconds;
  }
  throw new Error(`After ${most} seconds ${await left()} are left.`);
}

/** How many deliveries and jobs are in hand. */
async function busy(): Promise<number> {
  await wake(letterhead.database.system, 'finished');
  const { rows } = await sql<{ count: number }>`
    select (select count(*)::int from deliveries where released_at is not null and state in ('queued', 'sending'))
      + (select count(*)::int from pgboss.job where state in ('created', 'active')) as count`.execute(
    letterhead.database.system,
  );
  return rows[0]?.count ?? 0;
}

async function unsent(senders: readonly Sender[], ids: readonly (readonly string[])[]): Promise<number> {
  const all = new Set(ids.flat());
  const rows = await letterhead.database.system
    .selectFrom('deliveries')
    .select('id')
    .where(
      'tenant_id',
      'in',
      senders.map(({ tenantId }) => tenantId),
    )
    .where('state', '<>', 'sent')
    .execute();
  return rows.filter(({ id }) => all.has(id)).length;
}

function budget({ tenantId, mailboxId }: Sender, count: number) {
  const now = letterhead.context.clock();
  return inTenant(letterhead.database.db, tenantId, (trx) =>
    budgetOf(trx, { pace, now }, tenantId, mailboxId, count, null),
  );
}

/** What Gmail answered with 403 or 429, by method. */
function refusals(): Record<string, number> {
  const found: Record<string, number> = {};
  for (const [method, { answers }] of Object.entries(letterhead.google.truth.methods()))
    for (const status of ['403', '429']) if (answers[status]) found[`${method} ${status}`] = answers[status];
  return found;
}
