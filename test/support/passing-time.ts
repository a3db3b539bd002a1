import { setTimeout as wait } from 'node:timers/promises';
import { sql } from 'kysely';
import type { LocalGoogle } from 'local-google';
import type { DatabasePool } from '../../src/platform/database.ts';
import { askedOf } from './asking.ts';

/**
 * Time that goes on from event to event: to the next moment that anything in product or Google waits for, and only once
 * nothing is under way that needs no time. However slow the machine is, no deadline comes nearer while it works.
 */
export interface PassingTime {
  /** Looks once whether anything is under way; when nothing was at several looks in a row, time goes on. */
  pass(): Promise<void>;
  /** Waits until nothing is under way; no time passes. */
  quiet(): Promise<void>;
  close(): Promise<void>;
}

/** What is looked at. */
export interface Work {
  readonly google: Pick<LocalGoogle, 'url' | 'clock' | 'underWay'>;
  /** Where the product shows its pages. A page may itself wait for time. */
  readonly url: string;
  /** The owner's pool of the product's database; closed with this. */
  readonly owner: DatabasePool;
  /** What the database and Google do not show, such as a PDF that is being made. */
  readonly atWork: () => number;
}

/** What one look finds in the database. */
interface Look {
  /** Connections with a statement or a transaction. */
  readonly busy: number;
  /** Jobs that are not finished. */
  readonly begun: number;
  /** Another one whenever something happened to a delivery. */
  readonly print: string;
}

/** A database that is stopped and started again, in the midst of that. */
const gone: Look = { busy: 1, begun: 0, print: '' };

/** So many looks in a row at which all was quiet: one alone may fall between an answer and what is made of it. */
const calm = 3;
/** Between looks while a job or a page is not finished: it waits for time, or, for some milliseconds, for others to join it. */
const patientMs = 8;
/** What is due so soon after the next moment is due with it: timers that began together are milliseconds apart. */
const togetherMs = 20;
/** While nothing happens, rounds that find nothing to do are passed over, but never so much that it matters. */
const longestStrideMs = 5_000;

/** Watches a product at work. Each look asks PostgreSQL, so that on a slow machine looks are as slow as everything else. */
export function passingTime({ google, url, owner, atWork }: Work): PassingTime {
  let inARow = 0;
  let looking: Promise<boolean> | null = null;
  let unfinished = false;
  let print = '';
  let [lastPrint, strideMs] = ['', 0];

  /** Whether all has been quiet for long enough. Whoever asks during a look has its answer: looks that count follow each other. */
  const look = (): Promise<boolean> => {
    looking ??= lookNow().finally(() => {
      looking = null;
    });
    return looking;
  };
  const askDatabase = async (): Promise<Look> => {
    // With a value in it, it is prepared: it is asked more often than anything else.
    const { rows } = await sql<Look>`
      select (select count(*)::int from pg_stat_activity where datname = current_database()
          and pid <> pg_backend_pid() and backend_type = 'client backend' and state <> ${'idle'}) as busy,
        (select count(*)::int from pgboss.job where state = 'active') as begun,
        concat((select max(id) from delivery_events), ' ', (select count(*) from attempts)) as print`.execute(owner.db);
    return rows[0] ?? gone;
  };
  const lookNow = async () => {
    await wait(unfinished ? patientMs : 1);
    const found = await askDatabase().catch(() => gone);
    const { atWork: answering, heldUp } = google.underWay();
    const asking = Math.max(0, askedOf(google.url) - heldUp);
    unfinished = found.begun + askedOf(url) > 0;
    print = `${found.print} ${found.begun} ${heldUp}`;
    inARow = found.busy + answering + asking + atWork() > 0 ? 0 : inARow + 1;
    return inARow >= calm;
  };
  return {
    async pass() {
      if (!(await look())) return;
      inARow = 0;
      const { untilNext } = google.clock;
      if (untilNext === null) return;
      strideMs = print === lastPrint ? Math.min(longestStrideMs, 2 * strideMs) : 0;
      lastPrint = print;
      strideMs = Math.max(strideMs, untilNext + togetherMs);
      google.clock.forward(strideMs);
    },
    async quiet() {
      inARow = 0;
      while (!(await look()));
    },
    close: () => owner.close(),
  };
}
