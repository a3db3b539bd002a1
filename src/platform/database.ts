import { Kysely, PostgresDialect, type PostgresPool } from 'kysely';
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
  // Here, and not over there: a server that stands still ends nothing.
  query_timeout: 75_000,
} as const;

/** How long a connection that nobody uses stays open, in milliseconds: a new one plans everything again that this one knows. */
const idleMs = 300_000;

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
  const waits = { connectionTimeoutMillis: 10_000, idleTimeoutMillis: idleMs };
  const pool = new pg.Pool({ connectionString: url, max, ...waits, ...bounds });
  pool.on('error', () => {});
  // The pool listens to idle connections only; one that is lost in use, unheard, would end the process.
  pool.on('connect', (client) => client.on('error', onError));
  // A migration changes what would be prepared.
  return faceOf(pool, patience === 'usual' ? preparing(pool) : pool);
}

/** Opens a pool, as {@link openDatabase} does. */
export type OpenDatabase = typeof openDatabase;

/** A pool that is there, with its Kysely face. */
export function faceOf(pool: pg.Pool, asked: PostgresPool = preparing(pool)): DatabasePool {
  const db = new Kysely<DB>({ dialect: new PostgresDialect({ pool: asked }) });
  const close = async () => {
    await db.destroy();
    // Kysely ends no pool through which it never asked.
    if (!pool.ending) await pool.end();
  };
  return { db, pool, close };
}
