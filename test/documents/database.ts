import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Database, openDatabase } from '../../src/platform/database.ts';
import { startEmbeddedPostgres } from '../../src/platform/embedded-postgres.ts';
import { migrate } from '../../src/platform/migrate.ts';
import { deriveUrls } from '../../src/platform/roles.ts';
import { inTenant } from '../../src/tenants/scope.ts';

/** A migrated database of this test file's own. */
export interface TenantDatabase {
  /** Makes a tenant and returns its id. */
  newTenant(timeZone?: string): Promise<string>;
  /** Runs inside a tenant as the app does, under row-level security. */
  within<T>(tenantId: string, work: (db: Database) => Promise<T>): Promise<T>;
  stop(): Promise<void>;
}

/** Starts PostgreSQL, migrates it and opens it as the app's role. */
export async function startDatabase(): Promise<TenantDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'letterhead-documents-'));
  const postgres = await startEmbeddedPostgres({ dataDir: join(folder, 'postgres'), ephemeral: true, log: () => {} });
  const urls = deriveUrls(postgres.ownerUrl, { app: randomUUID(), system: randomUUID() });
  await migrate(urls);
  const app = openDatabase(urls.app, 20, () => {});
  return {
    async newTenant(timeZone = 'UTC') {
      const id = randomUUID();
      const tenant = { id, name: 'Brightwater Joinery', country: 'IE', currency: 'EUR', time_zone: timeZone };
      await inTenant(app.db, id, (db) => db.insertInto('tenants').values(tenant).execute());
      return id;
    },
    within: (tenantId, work) => inTenant(app.db, tenantId, work),
    async stop() {
      await app.close();
      await postgres.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
