import type pg from 'pg';
import type { Database } from '../../src/platform/database.ts';
import { type DatabaseUrls, deriveUrls } from '../../src/platform/roles.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { setSendingRules } from '../../src/tenants/sending-rules.ts';
import { rememberPerson } from '../../src/tenants/system.ts';
import { createTenant } from '../../src/tenants/tenants.ts';
import { openKept } from './kept-pools.ts';
import { giveBack, takeDatabase } from './spare-databases.ts';

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

/** Takes one. Call `close` in `afterAll`. */
export async function testDatabase(): Promise<TestDatabase> {
  const owner = await takeDatabase();
  const name = new URL(owner).pathname.slice(1);
  const urls = deriveUrls(owner, { app: 'app', system: 'system' });
  // The same numbers as the product's, whose connections these are.
  const app = openKept(urls.app, 20, () => {});
  const system = openKept(urls.system, 5, () => {});
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
      await giveBack(owner);
    },
  };
}
