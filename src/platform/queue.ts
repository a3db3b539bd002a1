import { sql } from 'kysely';
import { type Db, fromKysely, PgBoss } from 'pg-boss';
import type { Logger } from 'pino';
import { type Clock, systemClock } from './clock.ts';
import { type Database, type DatabasePool, type OpenDatabase, openDatabase } from './database.ts';
import { type JobLoop, startJobLoop } from './job-loop.ts';
import { appRole, systemRole } from './roles.ts';
import { listenForWakeUps, type WakeListener } from './wake.ts';

/** Where pg-boss keeps its tables. */
const schema = 'pgboss';

/**
 * Two queues. `deliver`: deliveries that may leave now, or whose outcome is to be looked into. `after`: what can be done
 * when a delivery is finished, and can never change what came of it. A worker that dies is noticed after its heartbeat
 * (10 s) and its job runs again; what the second run does is decided by the delivery's own state, never by the job.
 */
export type QueueName = 'deliver' | 'after';
const queueNames: readonly QueueName[] = ['deliver', 'after'];

/** Of jobs with one key a single one waits; while it is worked on, another may. pg-boss gives each job its queue's policy. */
const policy = 'short';

/** A delivery to work on. Ids only: a queue is no place for business data. */
export interface DeliveryJob {
  readonly tenantId: string;
  readonly deliveryId: string;
}

/** A job with what decides when it is fetched. */
export interface ReadyJob extends DeliveryJob {
  /** The Google account whose requests at the same time are limited. */
  readonly account: string;
  /** 0 goes before 1. */
  readonly lane: number;
}

/** Creates pg-boss's tables and our queues as the owner, and lets our two roles use them. */
export async function installQueues(ownerUrl: string): Promise<void> {
  const boss = new PgBoss({ connectionString: ownerUrl, schema, supervise: false, schedule: false, max: 2 });
  const errors: Error[] = [];
  boss.on('error', (error) => errors.push(error));
  await boss.start();
  try {
    const options = {
      ...{ heartbeatSeconds: 10, retryLimit: 1_000, retryDelay: 1, retryBackoff: true, retryDelayMax: 300 },
      // A job that is done says nothing that its delivery's timeline does not say better.
      deleteAfterSeconds: 600,
      // Our own wake-ups are sent once for many jobs.
      notify: false,
    };
    for (const name of queueNames) {
      if ((await boss.getQueue(name)) === null) await boss.createQueue(name, { ...options, policy });
      else await boss.updateQueue(name, options);
      await boss.getDb().executeSql(`update ${schema}.queue set policy = '${policy}' where name = $1`, [name]);
    }
    for (const role of [appRole, systemRole]) {
      await boss.getDb().executeSql(
        `grant usage on schema ${schema} to ${role};
         grant select, insert, update, delete on all tables in schema ${schema} to ${role};
         grant usage, select on all sequences in schema ${schema} to ${role};
         grant execute on all functions in schema ${schema} to ${role};`,
        [],
      );
    }
  } finally {
    await boss.stop({ graceful: false });
  }
  const [first] = errors;
  if (first) throw first;
}

/** Jobs of dead workers are looked for this often. */
const superviseMs = 5_000;

/** How this process works a queue off. */
export interface WorkOptions {
  readonly concurrency: number;
  /** So many more for jobs of lane 0. Default 0. */
  readonly reserved?: number;
  /** How many jobs of one Google account at once, over all processes; null for as many as there are. */
  readonly perAccount: number | null;
}

/** The job queues as one of our roles sees them. */
export interface Queue {
  /**
   * Adds jobs in a transaction: they are there when it commits, and only then. Where one of the same delivery and lane
   * waits already, that is enough.
   */
  add(trx: Database, name: QueueName, jobs: readonly ReadyJob[]): Promise<void>;
  /** Works a queue off in this process, until `stop`. */
  work(
    name: QueueName,
    options: WorkOptions,
    handler: (jobs: readonly DeliveryJob[]) => readonly Promise<void>[],
  ): JobLoop;
  /** Hears what other processes say. */
  readonly wakeUps: WakeListener;
  /**
   * Waits for running handlers, then lets go of the database.
   *
   * @param patienceMs how long to wait; a handler cut off in a send would leave an email in doubt. Default 30 s
   */
  stop(patienceMs?: number): Promise<void>;
}

/**
 * Connects to the queues.
 *
 * @param supervise whether this process, once it works a queue off, also looks for jobs of dead workers
 * @param clock by which it looks for jobs of its own accord. Retries and heartbeats are PostgreSQL's time
 */
export async function startQueue(
  appUrl: string,
  log: Logger,
  supervise: boolean,
  clock: Clock = systemClock,
  open: OpenDatabase = openDatabase,
): Promise<Queue> {
  const lost = (error: Error) => log.info({ reason: error.message }, 'a connection of the job queue was lost');
  const jobs = open(appUrl, 5, lost);
  const boss = new PgBoss({
    db: ours(jobs),
    schema,
    migrate: false,
    createSchema: false,
    schedule: false,
    // We have it look when there is a worker: others would only ask the same.
    supervise: false,
    // A little less: a look that comes early is none.
    monitorIntervalSeconds: superviseMs / 1_000 - 1,
    // Only warnings come of it, and nobody hears them.
    monitorVacuum: false,
    // Finished jobs are deleted this often, by one process; left to itself pg-boss would keep a day's.
    maintenanceIntervalSeconds: 300,
  });
  boss.on('error', (error: unknown) =>
    log.error({ err: error instanceof Error ? error : new Error(messageOf(error)) }, 'job queue'),
  );
  await boss.start();
  const wakeUps = listenForWakeUps(appUrl, log);
  const loops: JobLoop[] = [];
  let supervising: NodeJS.Timeout | undefined;
  let pass: Promise<void> | undefined;
  const lookForDead = () => {
    pass ??= boss
      .supervise()
      .catch((error: unknown) => log.error({ err: error }, 'jobs of dead workers were not looked for'))
      .finally(() => {
        pass = undefined;
      });
  };

  return {
    wakeUps,
    async add(trx, name, ready) {
      if (ready.length > 0) await boss.insert(name, ready.map(toInsert), { db: fromKysely(trx) });
    },
    work(name, { concurrency, reserved = 0, perAccount }, handler) {
      const loop = startJobLoop<DeliveryJob>(boss, log, {
        db: jobs.db,
        clock,
        queue: name,
        concurrency,
        reserved,
        perGroup: perAccount,
        handler,
      });
      loops.push(loop);
      if (supervise) supervising ??= setInterval(lookForDead, superviseMs);
      return loop;
    },
    async stop(patienceMs = 30_000) {
      await wakeUps.stop();
      clearInterval(supervising);
      await pass;
      await Promise.all(loops.map((loop) => loop.stop(patienceMs)));
      await boss.stop({ graceful: true, timeout: 1_000 });
      await jobs.close();
    },
  };
}

/**
 * Has pg-boss ask through a pool of ours: nobody listens to a new connection of its own for a moment, and one that the server
 * ends in that moment would end this process.
 */
function ours({ db, pool }: DatabasePool): Db {
  const { executeSql } = fromKysely(db);
  // Without values it may be several statements, which Kysely does not know.
  return { executeSql: (text, values = []) => (values.length > 0 ? executeSql(text, values) : pool.query(text)) };
}

function toInsert({ tenantId, deliveryId, account, lane }: ReadyJob) {
  const singletonKey = `${deliveryId}/${lane}`;
  return { data: { tenantId, deliveryId }, priority: -lane, group: { id: account }, singletonKey };
}

/**
 * SQL: whether a job of a delivery waits to be fetched. Answered from an index.
 *
 * @param deliveries the table or alias whose row is asked about; it has `id` and `lane`
 */
export function hasWaitingJob(name: QueueName, deliveries: string) {
  const key = sql`${sql.ref(`${deliveries}.id`)}::text || '/' || ${sql.ref(`${deliveries}.lane`)}`;
  return sql<boolean>`exists (select from ${sql.table(`${schema}.job`)} job where job.name = ${name}
    and coalesce(job.singleton_key, '') = ${key} and job.state = 'created' and job.policy = ${sql.lit(policy)})`;
}

/** pg-boss also emits plain objects with a message. */
function messageOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error);
}
