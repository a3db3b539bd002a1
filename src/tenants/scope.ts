import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';

/**
 * The only way to a tenant's data: a transaction in which row-level security shows that tenant's rows
 * and no others. Keep it short, and never call Google inside it.
 *
 * @param db the app's pool, not a transaction
 * @param tenantId uuid
 */
export function inTenant<T>(db: Database, tenantId: string, work: (trx: Database) => Promise<T>): Promise<T> {
  return db.transaction().execute(async (trx) => {
    await sql`select set_config('app.tenant_id', ${tenantId}, true)`.execute(trx);
    return work(trx);
  });
}
