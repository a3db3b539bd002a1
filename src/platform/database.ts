import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { DB } from './database-types.ts';
import { preparing } from './prepared.ts';

/** A connection, or a transaction: query functions take either as their first argument. */
export type Database = Kysely<DB>;

/** A pool with its Kysely face. `close` ends both. */
export interface DatabasePool {
  readonly db: Database;
  readonly pool: pg.Pool;
  close(): Promise<void>;
}

// A DATE is a day on a calendar, not an instant: as a JavaScript Date it would shift with the server's time zone.
pg.types.setTypeParser(pg.types.builtins.DATE, (value) => value);

/**
 * What nothing of ours takes, in milliseconds, on a machine that is busy: beyond it something is wrong, and it must not hold
 * a connection, or a lock that others wait for. A whole run of thousands of records is written in pieces.
 */
const limits = {
  statement_timeout: 60_000,
  lock_timeout: 30_000,
  idle_in_transaction_session_timeout: 120_000,
} as const;

/**
 * Opens a pool. Nothing is connected until the first query.
 *
 * @param url `postgres://user:password@host:port/database`
 * @param max most connections held at once
 * @param onError hears of connections that were lost, in use or idle; the pool replaces them by itself
 * @param patience `endless` for migrations, which may take as long as they need
 */
export function openDatabase(
  url: string,
  max: number,
  onError: (error: Error) => void,
  patience: 'usual' | 'endless' = 'usual',
): DatabasePool {
  const bounds = patience === 'usual' ? limits : {};
  const pool = new pg.Pool({ connectionString: url, max, connectionTimeoutMillis: 10_000, ...bounds });
  pool.on('error', () => {});
  // The pool listens to idle connections only; one that is lost in use, unheard, would end the process.
  pool.on('connect', (client) => client.on('error', onError));
  // A migration changes what would be prepared.
  const prepared = patience === 'usual' ? preparing(pool) : pool;
  const db = new Kysely<DB>({ dialect: new PostgresDialect({ pool: prepared }) });
  return { db, pool, close: () => db.destroy() };
}
