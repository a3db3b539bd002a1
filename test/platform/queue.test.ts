import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type DeliverJob, installQueues, type Queue, startQueue } from '../../src/platform/queue.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';

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
afterEach(() => Promise.all(open.splice(0).map((each) => each.stop())));

async function start(): Promise<Queue> {
  const logger = pino({ level: 'info' }, { write: (line: string) => void log.push(line) });
  const started = await startQueue(database.urls.app, logger, false);
  open.push(started);
  return started;
}
const job = (): DeliverJob => ({ tenantId: randomUUID(), deliveryId: randomUUID() });
const enqueue = (one: DeliverJob, startAfter?: Date) =>
  database.db.transaction().execute((trx) => queue.enqueueDelivery(trx, one, startAfter));
/** Collects what a worker was given, with the time. */
async function collect(on: Queue, handler: (one: DeliverJob) => Promise<void> = async () => {}) {
  const done: { id: string; at: number }[] = [];
  await on.workDeliveries(10, async (one) => {
    done.push({ id: one.deliveryId, at: Date.now() });
    await handler(one);
  });
  return { of: (one: DeliverJob) => done.filter(({ id }) => id === one.deliveryId) };
}

describe('a job', () => {
  it('is there when its transaction commits, and carries ids only', async () => {
    const one = job();
    await enqueue(one);
    const { rows } = await database.pool.query(`select data from pgboss.job where data ->> 'deliveryId' = $1`, [
      one.deliveryId,
    ]);
    expect(rows).toEqual([{ data: one }]);
  });

  it('is not there when its transaction is rolled back', async () => {
    const [kept, lost] = [job(), job()];
    const failing = database.db.transaction().execute(async (trx) => {
      await queue.enqueueDelivery(trx, lost);
      throw new Error('rolled back');
    });
    await expect(failing).rejects.toThrow('rolled back');
    await enqueue(kept);
    const worked = await collect(queue);
    await eventually(
      () => worked.of(kept).length,
      (count) => count === 1,
    );
    expect(worked.of(lost)).toEqual([]);
  });

  it('starts at once, by notice, where a worker waits for it', async () => {
    const worked = await collect(queue);
    const [first, second] = [job(), job()];
    await enqueue(first);
    await eventually(
      () => worked.of(first).length,
      (count) => count === 1,
    );
    const startedAt = Date.now();
    await enqueue(second);
    await eventually(
      () => worked.of(second).length,
      (count) => count === 1,
    );
    expect((worked.of(second)[0]?.at ?? 0) - startedAt).toBeLessThan(1_500);
  });

  it('does not start before its time, and soon after it', async () => {
    const worked = await collect(queue);
    const one = job();
    const startAfter = new Date(Date.now() + 1_500);
    await enqueue(one, startAfter);
    await eventually(
      () => worked.of(one).length,
      (count) => count === 1,
    );
    const late = (worked.of(one)[0]?.at ?? 0) - startAfter.getTime();
    expect(late).toBeGreaterThanOrEqual(0);
    expect(late).toBeLessThan(3_000);
  });

  it('whose handler throws is logged with its ids and runs again', async () => {
    const one = job();
    let times = 0;
    const worked = await collect(queue, async () => {
      times += 1;
      if (times === 1) throw new Error('out of luck');
    });
    await enqueue(one);
    await eventually(
      () => worked.of(one).length,
      (count) => count === 2,
    );
    const line = log.find((each) => each.includes('out of luck'));
    expect(line).toContain(one.deliveryId);
  });

  it('whose handler throws keeps none of its batch from being done', async () => {
    const jobs = Array.from({ length: 10 }, job);
    const bad = jobs[3]?.deliveryId;
    await database.db.transaction().execute(async (trx) => {
      for (const one of jobs) await queue.enqueueDelivery(trx, one);
    });
    const worked = await collect(queue, async ({ deliveryId }) => {
      if (deliveryId === bad) throw new Error('out of luck');
    });
    await eventually(
      () => jobs.map((one) => worked.of(one).length),
      (counts) => counts.every((count) => count > 0),
    );
    const good = jobs.filter(({ deliveryId }) => deliveryId !== bad);
    expect(good.map((one) => worked.of(one).length)).toEqual(good.map(() => 1));
  });

  it('that is only made sure of is not there twice', async () => {
    const one = job();
    for (let round = 0; round < 3; round += 1) await queue.ensureDelivery(database.db, one);
    const { rowCount } = await database.pool.query(`select 1 from pgboss.job where data ->> 'deliveryId' = $1`, [
      one.deliveryId,
    ]);
    expect(rowCount).toBe(1);
  });
});

describe('stopping', () => {
  it('waits for the handler that runs, whose job is then done for good', async () => {
    const mine = await start();
    const one = job();
    let finished = false;
    let letGo: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const worked = await collect(mine, async ({ deliveryId }) => {
      if (deliveryId !== one.deliveryId) return;
      await gate;
      finished = true;
    });
    await enqueue(one);
    await eventually(
      () => worked.of(one).length,
      (count) => count === 1,
    );
    const stopping = mine.stop().then(() => finished);
    setTimeout(letGo, 300);
    expect(await stopping).toBe(true);
    const { rows } = await database.pool.query(`select state from pgboss.job where data ->> 'deliveryId' = $1`, [
      one.deliveryId,
    ]);
    expect(rows).toEqual([{ state: 'completed' }]);
  });
});

describe('installing the queues', () => {
  it('again keeps the jobs', async () => {
    const one = job();
    await enqueue(one);
    await installQueues(database.urls.owner);
    const worked = await collect(queue);
    await eventually(
      () => worked.of(one).length,
      (count) => count === 1,
    );
  });
});
