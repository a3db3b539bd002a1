import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { type Database, openDatabase } from '../../src/platform/database.ts';
import { type DatabaseUrls, deriveUrls } from '../../src/platform/roles.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { setSendingRules } from '../../src/tenants/sending-rules.ts';
import { rememberPerson } from '../../src/tenants/system.ts';
import { createTenant } from '../../src/tenants/tenants.ts';

/** A database of one's own, as the migrations make it. */
export interface TestDatabase {
  readonly urls: DatabaseUrls;
  /** The app's pool: sees nothing outside `inTenant`. */
  readonly db: Database;
  readonly pool: pg.Pool;
  /** The cross-tenant pool. */
  readonly system: Database;
  /** A tenant with an owner, in which what is sent leaves at once. */
  tenant(name?: string): Promise<{ tenantId: string; memberId: string; personId: string }>;
  close(): Promise<void>;
}

/** Clones the migrated template (about 50 ms). Call `close` in `afterAll`. */
export async function testDatabase(): Promise<TestDatabase> {
  const template = new URL(inject('templateUrl'));
  const name = `test_${randomBytes(6).toString('hex')}`;
  await asOwner(template, `create database ${name} template ${template.pathname.slice(1)}`);
  const owner = new URL(template);
  owner.pathname = `/${name}`;
  const urls = deriveUrls(owner.href, { app: 'app', system: 'system' });
  const app = openDatabase(urls.app, 10, () => {});
  const system = openDatabase(urls.system, 3, () => {});
  let people = 0;
  return {
    urls,
    db: app.db,
    pool: app.pool,
    system: system.db,
    async tenant(company = 'Testing Ltd') {
      people += 1;
      const person = { email: `owner${people}@${name}.example`, name: `Owner ${people}` };
      const personId = await rememberPerson(system.db, {
        issuer: 'https://test.example',
        sub: `sub-${people}`,
        ...person,
      });
      const about = { name: company, country: 'IE', currency: 'EUR', timeZone: 'Europe/Dublin' };
      const made = await createTenant(app.db, about, { personId, ...person });
      const atOnce = { undoSeconds: 0, hours: null };
      await inTenant(app.db, made.tenantId, (trx) => setSendingRules(trx, made.tenantId, atOnce));
      return { ...made, personId };
    },
    async close() {
      await app.close();
      await system.close();
      await asOwner(template, `drop database ${name} with (force)`);
    },
  };
}

async function asOwner(template: URL, statement: string): Promise<void> {
  const server = new URL(template);
  server.pathname = '/postgres';
  const client = new pg.Client({ connectionString: server.href });
  await client.connect();
  await client.query(statement);
  await client.end();
}
