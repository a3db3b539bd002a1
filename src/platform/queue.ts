import { fromKysely, PgBoss } from 'pg-boss';
import type { Logger } from 'pino';
import type { Database } from './database.ts';
import { appRole } from './roles.ts';

/** Where pg-boss keeps its tables. */
const schema = 'pgboss';

/**
 * The queue of deliveries that may leave now. A worker that dies is noticed after its heartbeat (10 s)
 * and its job runs again; what the second run does is decided by the delivery's own state, never by the job.
 */
export const deliverQueue = 'deliver';

/** A delivery to take to Gmail. Ids only: a queue is no place for business data. */
export interface DeliverJob {
  readonly tenantId: string;
  readonly deliveryId: string;
}

/** Creates pg-boss's tables and our queues as the owner, and lets the app's role use them. */
export async function installQueues(ownerUrl: string): Promise<void> {
  const boss = new PgBoss({ connectionString: ownerUrl, schema, supervise: false, schedule: false, max: 2 });
  const errors: Error[] = [];
  boss.on('error', (error) => errors.push(error));
  await boss.start();
  try {
    const queue = {
      heartbeatSeconds: 10,
      retryLimit: 1_000,
      retryDelay: 1,
      retryBackoff: true,
      retryDelayMax: 300,
      notify: true,
    };
    const exists = (await boss.getQueue(deliverQueue)) !== null;
    if (exists) await boss.updateQueue(deliverQueue, queue);
    else await boss.createQueue(deliverQueue, { ...queue, policy: 'standard' });
    await boss.getDb().executeSql(
      `grant usage on schema ${schema} to ${appRole};
       grant select, insert, update, delete on all tables in schema ${schema} to ${appRole};
       grant usage, select on all sequences in schema ${schema} to ${appRole};
       grant execute on all functions in schema ${schema} to ${appRole};`,
      [],
    );
  } finally {
    await boss.stop({ graceful: false });
  }
  const [first] = errors;
  if (first) throw first;
}

/** The job queue as the app's role sees it. */
export interface Queue {
  /** Adds a deliver job in the transaction that writes the delivery: both exist or neither. */
  enqueueDelivery(trx: Database, job: DeliverJob, startAfter?: Date): Promise<void>;
  /** Adds a deliver job unless one was added this way in the last five minutes. */
  ensureDelivery(trx: Database, job: DeliverJob): Promise<void>;
  /**
   * Works off deliver jobs, up to `concurrency` at once.
   * A handler that throws has its job tried again later; the error is logged, never swallowed.
   */
  workDeliveries(concurrency: number, handler: (job: DeliverJob, signal: AbortSignal) => Promise<void>): Promise<void>;
  /**
   * Waits for running handlers, then lets go of the database.
   *
   * @param patienceMs how long to wait; a handler cut off in a send would leave an email in doubt. Default 30 s
   */
  stop(patienceMs?: number): Promise<void>;
}

/**
 * Connects to the queue.
 *
 * @param supervise whether this process also looks for jobs of dead workers (every 5 s)
 */
export async function startQueue(appUrl: string, log: Logger, supervise: boolean): Promise<Queue> {
  const boss = new PgBoss({
    connectionString: appUrl,
    schema,
    migrate: false,
    createSchema: false,
    schedule: false,
    supervise,
    superviseIntervalSeconds: 5,
    monitorIntervalSeconds: 5,
    useListenNotify: true,
    max: 5,
  });
  boss.on('error', (error: unknown) =>
    log.error({ err: error instanceof Error ? error : new Error(messageOf(error)) }, 'job queue'),
  );
  await boss.start();

  return {
    async enqueueDelivery(trx, job, startAfter) {
      await boss.send(deliverQueue, job, { db: fromKysely(trx), ...(startAfter && { startAfter }) });
    },
    async ensureDelivery(trx, job) {
      await boss.send(deliverQueue, job, { db: fromKysely(trx), singletonKey: job.deliveryId, singletonSeconds: 300 });
    },
    async workDeliveries(concurrency, handler) {
      // With NOTIFY, a worker of batch size 1 would sleep after each job until its backstop poll.
      const options = {
        batchSize: 10,
        // A batch is fetched when the one before is done; several fetchers keep one slow send from holding up the rest.
        localConcurrency: Math.ceil(concurrency / 10),
        perJobResults: true,
        burstWhenBatchFull: true,
        pollingIntervalSeconds: 1,
        // NOTIFY tells of jobs that may run now; a retry or the end of a hold is only seen by polling.
        notifyPollingIntervalSeconds: 2,
      } as const;
      await boss.work<DeliverJob>(deliverQueue, options, (jobs) =>
        Promise.all(
          jobs.map(async (job) => {
            try {
              await handler(job.data, job.signal);
              return { id: job.id, status: 'completed' as const };
            } catch (error) {
              log.error({ err: error, ...job.data }, 'deliver job failed and will run again');
              return { id: job.id, status: 'failed' as const };
            }
          }),
        ),
      );
    },
    async stop(patienceMs = 30_000) {
      await boss.stop({ graceful: true, timeout: patienceMs });
    },
  };
}

/** pg-boss also emits plain objects with a message. */
function messageOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error);
}
