import { sql } from 'kysely';
import { type FetchOptions, fromKysely, type Job, type PgBoss } from 'pg-boss';
import type { Logger } from 'pino';
import type { Clock } from './clock.ts';
import type { Database } from './database.ts';

/** How a queue is worked off in this process. */
export interface LoopOptions<Data> {
  /** Of whatever role may use the queue's tables. */
  readonly db: Database;
  /** By which it looks for jobs of its own accord. */
  readonly clock: Clock;
  readonly queue: string;
  /** How many jobs at once in this process. */
  readonly concurrency: number;
  /** Further places that only jobs of the first lane get: somebody waits for them, whatever fills the others. */
  readonly reserved: number;
  /** How many jobs of one group at once, over all processes; null for as many as there are. */
  readonly perGroup: number | null;
  /** Starts jobs that were fetched together; each has a promise of its own, in their order. */
  readonly handler: (jobs: readonly Data[]) => readonly Promise<void>[];
}

/** A loop that runs. */
export interface JobLoop {
  /** There may be jobs: look now. */
  wake(): void;
  /** Fetches no more, and waits for what is in hand, but not for longer than this. */
  stop(patienceMs: number): Promise<void>;
}

const pollMs = 1_000;
/** Jobs that are done are settled together, this often. */
const settleEveryMs = 15;
/** A job whose heartbeat (10 s) stops is taken for its worker's death. */
const touchEveryMs = 4_000;
/** Fewer free places than this share of all are not worth a query of their own, unless they stay free. */
const worthFetching = 0.25;

/**
 * Works off a queue of pg-boss: fetches as many jobs as there are free places, so that one slow job holds up nobody
 * else's, and settles them in batches. (pg-boss's own workers fetch a batch when the whole batch before is done, and
 * with batches of one sleep after each.) A handler that throws has its job run again by pg-boss's retries; the error
 * is logged, never swallowed.
 */
export function startJobLoop<Data extends object>(boss: PgBoss, log: Logger, options: LoopOptions<Data>): JobLoop {
  const { db, clock, queue, concurrency, reserved, perGroup, handler } = options;
  const running = new Map<string, Promise<void>>();
  const done: string[] = [];
  let stopping = false;
  let nudge: () => void = () => {};
  let nudged = false;

  const wake = () => {
    nudged = true;
    nudge();
  };
  const rest = (ms: number) =>
    new Promise<void>((resolve) => {
      if (nudged) return resolve();
      const forget = clock.after(ms, resolve);
      nudge = () => {
        forget();
        resolve();
      };
    });

  const run = async (id: string, data: Data, work: Promise<void> | undefined) => {
    try {
      await work;
      done.push(id);
    } catch (error) {
      log.error({ err: error, queue, job: data }, 'a job failed and will run again');
      await boss
        .fail(queue, id, { error: nameOf(error) })
        .catch((cause: unknown) => log.error({ err: cause }, 'a failed job was not settled'));
    } finally {
      running.delete(id);
      if (concurrency - running.size >= concurrency * worthFetching) wake();
    }
  };

  const settle = async () => {
    if (done.length === 0) return;
    const ids = done.splice(0);
    try {
      await boss.complete(queue, ids);
      // A group that was full may have room now.
      if (perGroup !== null) wake();
    } catch (error) {
      // What each job meant is settled elsewhere; one that runs again finds nothing to do.
      log.info({ reason: String(error) }, 'finished jobs were not settled, and will run again');
    }
  };
  const settling = setInterval(() => void settle(), settleEveryMs);
  const touching = setInterval(() => {
    if (running.size === 0) return;
    boss.touch(queue, [...running.keys()]).catch((error: unknown) => log.info({ reason: String(error) }, 'heartbeat'));
  }, touchEveryMs);

  const loop = async () => {
    while (!stopping) {
      nudged = false;
      const open = concurrency - running.size;
      const free = Math.max(0, open > 0 ? open : open + reserved);
      let fetched = 0;
      if (free > 0) {
        try {
          const only = open <= 0 ? { minPriority: 0 } : {};
          const jobs = await fetchJobs<Data>(boss, db, queue, { batchSize: free, ...only }, perGroup);
          fetched = jobs.length;
          const works = handler(jobs.map(({ data }) => data));
          for (const [index, job] of jobs.entries()) running.set(job.id, run(job.id, job.data, works[index]));
        } catch (error) {
          log.error({ err: error, queue }, 'jobs could not be fetched');
        }
      }
      // A full fetch says that there is more; anything else waits to be told, or for a while.
      if (fetched < free || free === 0) await rest(pollMs);
    }
  };
  const looping = loop();

  return {
    wake,
    async stop(patienceMs) {
      stopping = true;
      wake();
      await looping;
      let timer: NodeJS.Timeout | undefined;
      const patience = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, patienceMs);
      });
      await Promise.race([Promise.all(running.values()), patience]);
      clearTimeout(timer);
      clearInterval(settling);
      clearInterval(touching);
      await settle();
    },
  };
}

/** Of an error only what holds nobody's data: it is kept with the job. */
function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  return 'code' in error && typeof error.code === 'string' ? `${error.name} ${error.code}` : error.name;
}

/** An advisory lock of ours, let go of with the transaction. Any number that nobody else in this database uses. */
const fetchLock = 5_317_080_217;

/**
 * Fetches jobs. Where the jobs of a group are limited, one process at a time: two that fetch at the same instant would
 * each find the other's not begun, and the group would have twice as many.
 */
async function fetchJobs<Data extends object>(
  boss: PgBoss,
  db: Database,
  queue: string,
  options: FetchOptions,
  perGroup: number | null,
): Promise<Job<Data>[]> {
  if (perGroup === null) return boss.fetch<Data>(queue, options);
  return db.transaction().execute(async (trx) => {
    await sql`select pg_advisory_xact_lock(${fetchLock})`.execute(trx);
    return boss.fetch<Data>(queue, { ...options, groupConcurrency: perGroup, db: fromKysely(trx) });
  });
}
