import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';

/**
 * The only way to a tenant's data: a transaction in which row-level security shows that tenant's rows
 * and no others. Keep it short, and never call Google inside it. What it does beside the database it may do twice: a
 * transaction that PostgreSQL ends because two wait for each other begins once more.
 *
 * @param db the app's pool, not a transaction
 * @param tenantId uuid
 * @throws what `work` throws; then, and when PostgreSQL refuses the commit, nothing was written
 */
export function inTenant<T>(db: Database, tenantId: string, work: (trx: Database) => Promise<T>): Promise<T> {
  return within(db, tenantId, 'begin', work);
}

/**
 * The same to read several things as they stand at one moment, so that a page cannot disagree with itself: all of its
 * statements see what was committed when it began.
 */
export function atOneMoment<T>(db: Database, tenantId: string, read: (trx: Database) => Promise<T>): Promise<T> {
  return within(db, tenantId, 'begin isolation level repeatable read read only', read);
}

type Begin = 'begin' | 'begin isolation level repeatable read read only';

async function within<T>(
  db: Database,
  tenantId: string,
  begin: Begin,
  work: (trx: Database) => Promise<T>,
): Promise<T> {
  try {
    return await once(db, tenantId, begin, work);
  } catch (error) {
    // The other one has what it waited for, and goes on.
    if (!isDeadlock(error)) throw error;
    return once(db, tenantId, begin, work);
  }
}

function isDeadlock(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '40P01';
}

function once<T>(db: Database, tenantId: string, begin: Begin, work: (trx: Database) => Promise<T>): Promise<T> {
  return db.connection().execute(async (trx) => {
    // One message to PostgreSQL instead of two: every page and every delivery begins here. It takes no parameters then.
    if (!uuid.test(tenantId)) throw new RangeError(`“${tenantId}” is no tenant: its id is a uuid.`);
    await sql.raw(`${begin}; select set_config('app.tenant_id', '${tenantId}', true)`).execute(trx);
    let result: T;
    try {
      result = await work(trx);
    } catch (error) {
      await sql`rollback`.execute(trx);
      throw error;
    }
    const { rows } = await sql<{ command: string }>`commit`.execute(trx);
    // What PostgreSQL answers to the commit of a transaction in which a statement failed, whoever swallowed its error.
    if (rows[0]?.command === 'ROLLBACK') throw new AbortedError();
    return result;
  });
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A statement of the transaction failed, its error was swallowed, and nothing was written. A mistake of ours. */
class AbortedError extends Error {
  override readonly name = 'AbortedError';
  readonly code = 'aborted';

  constructor() {
    super('The transaction was rolled back: one of its statements had failed.');
  }
}
