import { randomUUID } from 'node:crypto';
import type { Database } from '../../src/platform/database.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { testDatabase } from '../support/database.ts';

/** A migrated database of this test file's own. */
export interface TenantDatabase {
  /** Makes a tenant and returns its id. */
  newTenant(timeZone?: string): Promise<string>;
  /** Runs inside a tenant as the app does, under row-level security. */
  within<T>(tenantId: string, work: (db: Database) => Promise<T>): Promise<T>;
  stop(): Promise<void>;
}

/** Clones the migrated database and opens it as the app's role. */
export async function startDatabase(): Promise<TenantDatabase> {
  const database = await testDatabase();
  return {
    async newTenant(timeZone = 'UTC') {
      const id = randomUUID();
      const tenant = { id, name: 'Brightwater Joinery', country: 'IE', currency: 'EUR', time_zone: timeZone };
      await inTenant(database.db, id, (db) => db.insertInto('tenants').values(tenant).execute());
      return id;
    },
    within: (tenantId, work) => inTenant(database.db, tenantId, work),
    stop: () => database.close(),
  };
}
