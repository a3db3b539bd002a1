import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createPacer } from '../../src/deliveries/pacer.ts';
import { probeAfterMs, unknownsBeforeTrouble } from '../../src/deliveries/pacing.ts';
import { wake } from '../../src/platform/wake.ts';
import { readAccount } from '../../src/tenants/system-queue.ts';
import type { Sender } from '../support/company.ts';
import { eventually } from '../support/eventually.ts';
import { anotherWorker } from '../support/hand-delivery.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { permittedSender } from '../support/permitted.ts';

const inFlight = 3;
const pace = { unitsPerMinute: null, projectUnitsPerMinute: null, inFlight };

let letterhead: TestLetterhead;
beforeAll(async () => {
  letterhead = await startTestLetterhead({ pace, sendDeadlineMs: 5_000, settleMs: 10_000, timeStands: true });
});
afterEach(() => letterhead.google.faults.clear());
afterAll(() => letterhead.close());

const calls = () => letterhead.google.truth.calls('messages.send');
const forward = (ms: number) => void letterhead.google.clock.forward(ms);
const fails = (account?: string) =>
  letterhead.google.faults.add({
    ...{ method: 'messages.send', times: 1_000, ...(account && { account }) },
    effect: { kind: 'serverError', status: 503, when: 'before' },
  });
const many = async (sender: Sender, count: number) => {
  const ids: string[] = [];
  for (let made = 0; made < count; made += 1) ids.push(await sender.send());
  return ids;
};
const accountOf = async ({ mailboxId }: Sender) => {
  const query = letterhead.database.system.selectFrom('mailboxes').select('account').where('id', '=', mailboxId);
  return (await query.executeTakeFirstOrThrow()).account;
};
/** How many of these stand where. */
const states = async (sender: Sender, ids: readonly string[]) => {
  const rows = await letterhead.database.system
    .selectFrom('deliveries')
    .select(['id', 'state'])
    .where('tenant_id', '=', sender.tenantId)
    .execute();
  const found: Record<string, number> = {};
  for (const { id, state } of rows) if (ids.includes(id)) found[state] = (found[state] ?? 0) + 1;
  return found;
};
/** A round of the pacer, and everything that comes of it, of what the worker's own pacer began as well. */
const settle = async () => {
  await letterhead.time.quiet();
  await createPacer(anotherWorker(letterhead)).tick();
  await wake(letterhead.database.system, 'ready');
  await letterhead.time.quiet();
};

describe('three lost answers in a row on a mailbox', () => {
  it('hold its others, with one probe at a time, ever more seldom; the first that is answered lets all go', async () => {
    const sender = await permittedSender(letterhead, ['send', 'tracking']);
    const neighbour = await permittedSender(letterhead, ['send']);
    const account = await accountOf(sender);
    const fault = fails(sender.account);
    const ids = await many(sender, 30);
    const trouble = await eventually(
      () => readAccount(letterhead.database.system, account),
      ({ blockedReason }) => blockedReason !== null,
    );
    expect(trouble.blockedReason).toBe('trouble');
    await settle();
    // What was in flight when the third was lost; never the whole run.
    expect(fault.fired).toBeGreaterThanOrEqual(unknownsBeforeTrouble);
    expect(fault.fired).toBeLessThanOrEqual(unknownsBeforeTrouble + inFlight - 1);
    expect(await states(sender, ids)).toMatchObject({ queued: 30 - fault.fired });

    // Nobody else is held.
    const other = await neighbour.send();
    await neighbour.reaches(other, 'sent');

    for (let probe = 1; probe <= 2; probe += 1) {
      const before = fault.fired;
      const { unknownInARow } = await readAccount(letterhead.database.system, account);
      expect(unknownInARow).toBe(before);
      forward(probeAfterMs(unknownInARow) / 2);
      await settle();
      expect(fault.fired).toBe(before);
      forward(probeAfterMs(unknownInARow));
      await eventually(
        () => fault.fired,
        (fired) => fired > before,
      );
      await settle();
      expect(fault.fired).toBe(before + 1);
    }

    letterhead.google.faults.clear();
    forward(700_000);
    await settle();
    await eventually(
      async () => {
        await settle();
        forward(1_000);
        return states(sender, ids);
      },
      ({ sent }) => sent === 30,
    );
    expect(await readAccount(letterhead.database.system, account)).toMatchObject({
      ...{ blockedReason: null, unknownInARow: 0 },
    });
    for (const id of ids) expect(sender.accepted(id)).toHaveLength(1);
  });

  it('are not three where one was answered in between', async () => {
    const sender = await permittedSender(letterhead, ['send']);
    for (let round = 0; round < 2; round += 1) {
      const fault = fails(sender.account);
      for (const id of await many(sender, 2)) {
        await eventually(
          () => sender.delivery(id),
          ({ attempts }) => attempts[0]?.outcome === 'unknown',
        );
      }
      letterhead.google.faults.remove(fault.id);
      await sender.reaches(await sender.send(), 'sent');
    }
    expect(await readAccount(letterhead.database.system, await accountOf(sender))).toMatchObject({
      ...{ blockedReason: null, unknownInARow: 0 },
    });
  });
});

describe('a fifth of all answers lost within a minute, over many companies', () => {
  it('holds everybody, lets one email of all try at a time, and everybody go once one is answered', async () => {
    forward(120_000);
    await settle();
    const senders = await Promise.all(
      Array.from({ length: 12 }, () => permittedSender(letterhead, ['send', 'tracking'])),
    );
    const healthy = await permittedSender(letterhead, ['send']);
    const fault = fails();
    // Two of each: no mailbox has three in a row.
    const first = await Promise.all(senders.map((sender) => many(sender, 2)));
    // The worker counts what was lost every few seconds; no time passes before all are.
    await eventually(
      () => fault.fired,
      (fired) => fired === 24,
    );
    await eventually(
      async () => {
        await settle();
        return readAccount(letterhead.database.system, 'gmail');
      },
      ({ blockedReason }) => blockedReason === 'trouble',
    );

    // A mailbox that had nothing to do with it waits too.
    const before = calls();
    const later = await Promise.all([healthy, ...senders].map((sender) => many(sender, 2)));
    await settle();
    expect(calls()).toBe(before);
    forward(31_000);
    await eventually(calls, (count) => count > before);
    await settle();
    expect(calls()).toBe(before + 1);

    letterhead.google.faults.clear();
    forward(700_000);
    const all = [healthy, ...senders].map((sender, index) => ({
      sender,
      ids: [...(later[index] ?? []), ...(index === 0 ? [] : (first[index - 1] ?? []))],
    }));
    await eventually(
      async () => {
        await settle();
        forward(1_000);
        return Promise.all(all.map(({ sender, ids }) => states(sender, ids)));
      },
      (each) => each.every(({ sent }, index) => sent === all[index]?.ids.length),
    );
    expect(await readAccount(letterhead.database.system, 'gmail')).toMatchObject({ blockedReason: null });
    for (const { sender, ids } of all) for (const id of ids) expect(sender.accepted(id)).toHaveLength(1);
  });
});

describe('a rate of which Gmail does not say whose it is', () => {
  const refuses = (sender: Sender, limit: 'rateLimitExceeded' | 'concurrent') =>
    letterhead.google.faults.add({
      ...{ method: 'messages.send', account: sender.account, times: 1_000 },
      effect: { kind: 'tooMany', limit },
    });
  const senders = (count: number) =>
    Promise.all(Array.from({ length: count }, () => permittedSender(letterhead, ['send'])));
  const project = () => readAccount(letterhead.database.system, 'gmail');

  it('is the account’s where two meet it, whatever is said of others’ own rates', async () => {
    forward(120_000);
    await settle();
    const before = await project();
    const refused = await senders(3);
    for (const [index, sender] of refused.entries()) refuses(sender, index < 2 ? 'rateLimitExceeded' : 'concurrent');
    const ids = await Promise.all(refused.map((sender) => sender.send()));
    await eventually(
      () => Promise.all(refused.map((sender, index) => sender.delivery(ids[index] ?? ''))),
      (all) => all.every(({ attempts }) => attempts.length > 1),
      letterhead.time,
    );
    expect((await project()).blockedUntil).toEqual(before.blockedUntil);
    letterhead.google.faults.clear();
    for (const [index, sender] of refused.entries()) {
      const id = ids[index] ?? '';
      await sender.reaches(id, 'sent');
      expect(sender.accepted(id)).toHaveLength(1);
    }
  });

  it('is the project’s where three meet it together: everybody waits, and goes on', async () => {
    forward(120_000);
    await settle();
    const refused = await senders(3);
    const neighbour = await permittedSender(letterhead, ['send']);
    for (const sender of refused) refuses(sender, 'rateLimitExceeded');
    const ids = await Promise.all(refused.map((sender) => sender.send()));
    const { blockedUntil } = await eventually(project, (seen) => seen.blockedReason === 'rate');
    const other = await neighbour.send();
    const { sentAt } = await neighbour.reaches(other, 'sent');
    expect(sentAt?.getTime()).toBeGreaterThanOrEqual(blockedUntil?.getTime() ?? 0);
    letterhead.google.faults.clear();
    for (const [index, sender] of refused.entries()) {
      const id = ids[index] ?? '';
      await sender.reaches(id, 'sent');
      expect(sender.accepted(id)).toHaveLength(1);
    }
  });
});
