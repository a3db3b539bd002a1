import { sql } from 'kysely';
import pg from 'pg';
import type { Logger } from 'pino';
import type { Database } from './database.ts';

/** PostgreSQL's channel for all of it; the payload says which ear it is for. */
const channel = 'letterhead_wake';

/**
 * `waiting`: a delivery waits for the pacer; `ready`: the pacer released some; `finished`: there is something to do after
 * deliveries; `restored`: the database was.
 */
export type WakeUp = 'waiting' | 'ready' | 'finished' | 'restored';

/** Tells every process at once, when the transaction commits. Only a hint: whoever sleeps wakes up by itself soon after. */
export async function wake(trx: Database, what: WakeUp): Promise<void> {
  await sql`select pg_notify(${channel}, ${what})`.execute(trx);
}

/** Hears {@link wake} of any process. */
export interface WakeListener {
  on(what: WakeUp, hear: () => void): void;
  stop(): Promise<void>;
}

/** How soon a lost connection is tried again. */
const retryMs = 1_000;

/**
 * Listens on a connection of its own, and makes a new one whenever it is lost. After each connecting every ear is told
 * once: something may have been said meanwhile.
 */
export function listenForWakeUps(url: string, log: Logger): WakeListener {
  const ears = new Map<string, Set<() => void>>();
  let client: pg.Client | null = null;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const tell = (what: string) => {
    for (const hear of ears.get(what) ?? []) hear();
  };
  const again = () => {
    if (stopped || timer) return;
    timer = setTimeout(() => {
      timer = undefined;
      void connect();
    }, retryMs);
  };
  const connect = async () => {
    const mine = new pg.Client({ connectionString: url, keepAlive: true, connectionTimeoutMillis: 5_000 });
    client = mine;
    mine.on('notification', ({ payload }) => tell(payload ?? ''));
    mine.on('error', (error) => {
      log.info({ reason: error.message }, 'the connection that listens for work was lost');
      again();
    });
    mine.on('end', again);
    try {
      await mine.connect();
      await mine.query(`listen ${channel}`);
      if (stopped) await mine.end();
      for (const what of ears.keys()) tell(what);
    } catch {
      again();
    }
  };
  void connect();

  return {
    on(what, hear) {
      const set = ears.get(what) ?? new Set();
      ears.set(what, set.add(hear));
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await client?.end().catch(() => {});
    },
  };
}
