import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../src/platform/clock.ts';
import { installQueues, type Queue, type ReadyJob, startQueue, type WorkOptions } from '../../src/platform/queue.ts';
import { wake } from '../../src/platform/wake.ts';
import { standingClock } from '../support/clock.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { startPostgresProxy } from '../support/postgres-proxy.ts';

let database: TestDatabase;
let queue: Queue;
let log: string[];
const open: Queue[] = [];

beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());
beforeEach(async () => {
  log = [];
  queue = await start();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.stop()));
  await database.pool.query('delete from pgboss.job');
});

async function start(clock?: Clock): Promise<Queue> {
  const logger = pino({ level: 'info' }, { write: (line: string) => void log.push(line) });
  const started = await startQueue(database.urls.app, logger, false, clock);
  open.push(started);
  return started;
}
const job = (over: Partial<ReadyJob> = {}): ReadyJob => ({
  ...{ tenantId: randomUUID(), deliveryId: randomUUID(), account: 'one', lane: 0 },
  ...over,
});
const add = (...jobs: ReadyJob[]) => database.db.transaction().execute((trx) => queue.add(trx, 'deliver', jobs));
const ready = () => database.db.transaction().execute((trx) => wake(trx, 'ready'));

/** Collects what a worker was given, in order. */
function collect(
  on: Queue,
  handler: (id: string) => Promise<void> = async () => {},
  options: Partial<WorkOptions> = {},
) {
  const given: string[] = [];
  const loop = on.work('deliver', { concurrency: 10, perAccount: null, ...options }, (jobs) =>
    jobs.map(async ({ deliveryId }) => {
      given.push(deliveryId);
      await handler(deliveryId);
    }),
  );
  on.wakeUps.on('ready', loop.wake);
  return { given, of: (one: ReadyJob) => given.filter((id) => id === one.deliveryId).length };
}
/** A handler that stays until it is let go. */
function gate() {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
const stateOf = async (one: ReadyJob): Promise<unknown> =>
  (await database.pool.query(`select state from pgboss.job where data ->> 'deliveryId' = $1`, [one.deliveryId])).rows;

describe('a server that goes down in the very moment in which it is ready', () => {
  it('ends no process: the next fetch has another connection', async () => {
    const proxy = await startPostgresProxy(database.urls.app);
    const logger = pino({ level: 'silent' });
    const own = await startQueue(proxy.url, logger, false);
    const { given } = collect(own, undefined, { perAccount: 5 });
    proxy.endAtOnce(true);
    await eventually(proxy.ended, (count) => count >= 5);
    proxy.endAtOnce(false);
    const one = job();
    await add(one);
    await eventually(
      () => given,
      (ids) => ids.includes(one.deliveryId),
    );
    await own.stop();
    await proxy.close();
  });
});

describe('a job', () => {
  it('is there when its transaction commits, and carries ids only', async () => {
    const one = job();
    await add(one);
    const { rows } = await database.pool.query(`select data from pgboss.job where data ->> 'deliveryId' = $1`, [
      one.deliveryId,
    ]);
    expect(rows).toEqual([{ data: { tenantId: one.tenantId, deliveryId: one.deliveryId } }]);
  });

  it('is not there when its transaction is rolled back', async () => {
    const [kept, lost] = [job(), job()];
    const failing = database.db.transaction().execute(async (trx) => {
      await queue.add(trx, 'deliver', [lost]);
      throw new Error('rolled back');
    });
    await expect(failing).rejects.toThrow('rolled back');
    await add(kept);
    const worked = collect(queue);
    await eventually(
      () => worked.of(kept),
      (count) => count === 1,
    );
    expect(worked.of(lost)).toBe(0);
  });

  it('starts at once where another process says that there is one', async () => {
    // No time passes in which it would look of its own accord.
    const elsewhere = await start(standingClock());
    const worked = collect(elsewhere);
    const first = job();
    await add(first);
    await eventually(
      async () => {
        // It may not listen yet.
        await ready();
        return worked.of(first);
      },
      (count) => count === 1,
    );
    const second = job();
    await add(second);
    await ready();
    await eventually(
      () => worked.of(second),
      (count) => count === 1,
    );
  });

  it('of the lower lane goes first', async () => {
    const jobs = [job({ lane: 1 }), job({ lane: 1 }), job({ lane: 0 })];
    await add(...jobs);
    const worked = collect(queue, undefined, { concurrency: 1 });
    await eventually(
      () => worked.given.length,
      (count) => count === 3,
    );
    expect(worked.given[0]).toBe(jobs[2]?.deliveryId);
  });

  it('whose handler throws is logged with its ids and runs again, and keeps no other from being done', async () => {
    const jobs = Array.from({ length: 10 }, () => job());
    const bad = jobs[3];
    if (!bad) throw new Error('There are ten');
    await add(...jobs);
    let times = 0;
    const worked = collect(queue, async (id) => {
      if (id === bad.deliveryId && times++ === 0) throw new Error('out of luck');
    });
    await eventually(
      () => worked.of(bad),
      (count) => count === 2,
    );
    expect(jobs.map(worked.of)).toEqual(jobs.map((one) => (one === bad ? 2 : 1)));
    expect(log.find((each) => each.includes('out of luck'))).toContain(bad.deliveryId);
  });
});

describe('a job that takes long', () => {
  it('keeps its own place and no other', async () => {
    const slow = job();
    const held = gate();
    await add(slow);
    const worked = collect(queue, (id) => (id === slow.deliveryId ? held.opened : Promise.resolve()), {
      concurrency: 2,
    });
    await eventually(
      () => worked.of(slow),
      (count) => count === 1,
    );
    const others = Array.from({ length: 30 }, () => job());
    await add(...others);
    await ready();
    await eventually(
      () => others.map(worked.of),
      (counts) => counts.every((count) => count === 1),
    );
    expect(await stateOf(slow)).toEqual([{ state: 'active' }]);
    held.open();
  });

  it('leaves places for jobs that somebody waits for', async () => {
    const slow = Array.from({ length: 2 }, () => job({ lane: 1 }));
    const held = gate();
    await add(...slow);
    const names = new Set(slow.map(({ deliveryId }) => deliveryId));
    const handler = (id: string) => (names.has(id) ? held.opened : Promise.resolve());
    const worked = collect(queue, handler, { concurrency: 2, reserved: 1 });
    await eventually(
      () => slow.map(worked.of),
      (counts) => counts.every((count) => count === 1),
    );
    const [single, another] = [job(), job({ lane: 1 })];
    await add(another, single);
    await ready();
    await eventually(
      () => worked.of(single),
      (count) => count === 1,
    );
    expect(worked.of(another)).toBe(0);
    held.open();
    await eventually(
      () => worked.of(another),
      (count) => count === 1,
    );
  });

  it('is one of at most so many of its account at once, over all processes, while other accounts go on', async () => {
    const mine = Array.from({ length: 8 }, () => job({ account: 'slow' }));
    const other = job({ account: 'quick' });
    const held = gate();
    await add(...mine, other);
    const names = new Set(mine.map(({ deliveryId }) => deliveryId));
    const handler = (id: string) => (names.has(id) ? held.opened : Promise.resolve());
    const workers = [await start(), await start()].map((each) => collect(each, handler, { perAccount: 3 }));
    const count = (one: ReadyJob) => workers.reduce((sum, { of }) => sum + of(one), 0);
    await eventually(
      () => count(other),
      (times) => times === 1,
    );
    // Both have polled by now, and may take no more.
    await ready();
    const running = () => mine.map(count).reduce((sum, times) => sum + times, 0);
    await eventually(running, (times) => times === 3);
    held.open();
    await eventually(running, (times) => times === 8);
  });
});

describe('stopping', () => {
  it('waits for the handler that runs, whose job is then done for good', async () => {
    const mine = await start();
    const one = job();
    const held = gate();
    let finished = false;
    const worked = collect(mine, async () => {
      await held.opened;
      finished = true;
    });
    await add(one);
    await eventually(
      () => worked.of(one),
      (count) => count === 1,
    );
    const stopping = mine.stop().then(() => finished);
    setTimeout(held.open, 300);
    expect(await stopping).toBe(true);
    expect(await stateOf(one)).toEqual([{ state: 'completed' }]);
  });
});

describe('installing the queues', () => {
  it('again keeps the jobs', async () => {
    const one = job();
    await add(one);
    await installQueues(database.urls.owner);
    const worked = collect(queue);
    await eventually(
      () => worked.of(one),
      (count) => count === 1,
    );
  });
});
