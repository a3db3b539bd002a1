import { setTimeout as wait } from 'node:timers/promises';
import { sql } from 'kysely';
import { openDatabase } from '../../src/platform/database.ts';
import type { LocalGoogle } from '../../src/sandbox/local-google.ts';

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
  readonly google: Pick<LocalGoogle, 'clock' | 'atWork'>;
  /** The owner's URL of the product's database. */
  readonly ownerUrl: string;
  /** What the database and Google do not show, such as a PDF that is being made. */
  readonly atWork: () => number;
  /** Requests for pages that are not answered. These may wait for time, too. */
  readonly asked: () => number;
}

/** So many looks in a row at which all was quiet: one alone may fall between an answer and what is made of it. */
const calm = 3;
/** The same where a job or a page is not finished: it waits for time, or, for some milliseconds, for others to join it. */
const calmWithin = 15;
/** What is due so soon after the next moment is due with it: timers that began together are milliseconds apart. */
const togetherMs = 20;

/** Watches a product at work. Each look asks PostgreSQL, so that on a slow machine looks are as slow as everything else. */
export function passingTime({ google, ownerUrl, atWork, asked }: Work): PassingTime {
  const owner = openDatabase(ownerUrl, 1, () => {});
  let inARow = 0;
  let looking: Promise<boolean> | null = null;

  /** Whether all has been quiet for long enough. Whoever asks during a look gets its answer: looks that are counted follow each other. */
  const look = (): Promise<boolean> => {
    looking ??= lookNow().finally(() => {
      looking = null;
    });
    return looking;
  };
  const lookNow = async () => {
    await wait(1);
    const { rows } = await sql<{ busy: number; begun: number }>`
      select (select count(*)::int from pg_stat_activity where datname = current_database()
          and pid <> pg_backend_pid() and backend_type = 'client backend' and state <> 'idle') as busy,
        (select count(*)::int from pgboss.job where state = 'active') as begun`.execute(owner.db);
    const [{ busy, begun } = { busy: 0, begun: 0 }] = rows;
    inARow = busy + google.atWork() + atWork() > 0 ? 0 : inARow + 1;
    return inARow >= (begun + asked() > 0 ? calmWithin : calm);
  };
  return {
    async pass() {
      if (!(await look())) return;
      inARow = 0;
      const { untilNext } = google.clock;
      if (untilNext !== null) google.clock.forward(untilNext + togetherMs);
    },
    async quiet() {
      inARow = 0;
      while (!(await look()));
    },
    close: () => owner.close(),
  };
}
