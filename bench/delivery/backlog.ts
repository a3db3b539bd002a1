import { sql } from 'kysely';
import { pino } from 'pino';
import { createPacer } from '../../src/deliveries/pacer.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { openDatabase } from '../../src/platform/database.ts';
import { startQueue } from '../../src/platform/queue.ts';
import { createDatabaseWatch } from '../../src/tenants/database-watch.ts';
import { drain } from './drain.ts';
import { empty, fill } from './fill.ts';
import type { World } from './world.ts';

/** What a backlog of some length costs. */
export interface Backlog {
  readonly queued: number;
  readonly perSecond: number;
  /** CPU of the worker for one document, in milliseconds. */
  readonly cpuMs: number;
  /** One round of the pacer that hands out two hundred, in milliseconds: the median of ten. */
  readonly roundMs: number;
}

/** Works off a stretch of documents of one mailbox in which so many wait. */
export async function withBacklog(world: World, queued: number, count: number): Promise<Backlog> {
  await empty(world);
  await fill(world, world.mailboxes.slice(0, 1), queued, { kind: 'text' });
  const roundMs = await timeRounds(world);
  const { perSecond, cpuMs } = await drain(world, { until: count });
  return { queued, perSecond, cpuMs: cpuMs.product, roundMs };
}

async function timeRounds(world: World): Promise<number> {
  const log = pino({ level: 'silent' });
  const queue = await startQueue(world.urls.app, log, false);
  const system = openDatabase(world.urls.system, 2, () => {});
  const pace = { unitsPerMinute: null, projectUnitsPerMinute: null, inFlight: null };
  const database = createDatabaseWatch(system.db);
  const pacer = createPacer({ db: world.app, system: system.db, database, queue, clock: systemClock, log, pace });
  const times: number[] = [];
  for (let round = 0; round < 11; round += 1) {
    const begun = performance.now();
    await pacer.tick();
    times.push(performance.now() - begun);
    await sql`update deliveries set released_at = null where released_at is not null`.execute(world.owner);
    await sql`delete from pgboss.job`.execute(world.owner);
  }
  await queue.stop();
  await system.close();
  // The first finds nothing in any cache.
  return times.slice(1).sort((a, b) => a - b)[5] ?? 0;
}
