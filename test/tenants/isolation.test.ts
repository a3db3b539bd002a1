import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/platform/database.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { aDelivery } from '../support/rows.ts';

let database: TestDatabase;
let owner: pg.Client;
let mine: string;
let other: string;
let memberId: string;

beforeAll(async () => {
  database = await testDatabase();
  owner = new pg.Client({ connectionString: database.urls.owner });
  await owner.connect();
  ({ tenantId: mine, memberId } = await database.tenant('Mine'));
  ({ tenantId: other } = await database.tenant('Other'));
  await inTenant(database.db, mine, (trx) => aDelivery(trx, mine, memberId, 'queued'));
});
afterAll(async () => {
  await owner.end();
  await database.close();
});

/** Tables that the app may add to and read, and not change. */
const appendOnly = ['document_files', 'rights_changes'];

interface Table {
  readonly name: string;
  readonly forced: boolean;
  readonly column: 'tenant_id' | 'id';
}

/** Every table of a tenant, from PostgreSQL's own catalogue: those with `tenant_id`, and `tenants` itself. */
async function tenantTables(): Promise<Table[]> {
  const { rows } = await owner.query<Table>(
    `select c.relname as name, c.relrowsecurity and c.relforcerowsecurity as forced,
            case c.relname when 'tenants' then 'id' else 'tenant_id' end as column
     from pg_class c
     where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace
       and (c.relname = 'tenants' or exists (
         select 1 from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped))
     order by 1`,
  );
  return rows;
}

describe('every table of a tenant', () => {
  it('is one of those that the catalogue names, and all others are known to be nobody’s', async () => {
    const tables = (await tenantTables()).map(({ name }) => name);
    expect(tables.length).toBeGreaterThanOrEqual(14);
    const { rows } = await owner.query<{ name: string }>(
      `select relname as name from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace`,
    );
    const without = rows.map(({ name }) => name).filter((name) => !tables.includes(name));
    expect(without.sort()).toEqual([
      'chores',
      'database_identity',
      'google_tokens',
      'kysely_migration',
      'kysely_migration_lock',
      'operator_troubles',
      'people',
      'rate_limits',
      'security_events',
      'sending_accounts',
      'sessions',
    ]);
  });

  it('has forced row-level security, and one policy for the app that knows the own tenant only', async () => {
    for (const { name, forced, column } of await tenantTables()) {
      expect(forced, name).toBe(true);
      const { rows } = await owner.query<{ qual: string; with_check: string; cmd: string; permissive: string }>(
        `select qual, with_check, cmd, permissive from pg_policies
         where tablename = $1 and (roles && '{letterhead_app,public}'::name[])`,
        [name],
      );
      const own = `(${column} = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid)`;
      expect(rows, name).toEqual([{ qual: own, with_check: own, cmd: 'ALL', permissive: 'PERMISSIVE' }]);
    }
  });

  it('points to other tables of a tenant only together with the tenant', async () => {
    const tables = (await tenantTables()).filter(({ name }) => name !== 'tenants').map(({ name }) => name);
    const { rows } = await owner.query<{ name: string; definition: string }>(
      `select conrelid::regclass::text as name, pg_get_constraintdef(oid) as definition from pg_constraint
       where contype = 'f' and conrelid::regclass::text = any($1) and confrelid::regclass::text = any($1)`,
      [tables],
    );
    expect(rows.length).toBeGreaterThan(10);
    for (const { name, definition } of rows)
      expect(definition, name).toMatch(/^FOREIGN KEY \(tenant_id, [\w, ]+\) REFERENCES \w+\(tenant_id, /);
  });

  it('shows nothing outside a tenant, and inside one nothing of another', async () => {
    for (const { name, column } of await tenantTables()) {
      const count = (sqlWhere: string) => `select count(*)::int as count from ${name} where ${sqlWhere}`;
      const outside = await database.pool.query<{ count: number }>(count('true'));
      expect(outside.rows[0]?.count, name).toBe(0);
      const inside = await asTenant(other, (client) =>
        client.query<{ count: number }>(count(`${column} <> '${other}'`)),
      );
      expect(inside.rows[0]?.count, name).toBe(0);
    }
    // Something was there to be seen.
    const { rows } = await owner.query<{ count: number }>('select count(*)::int as count from deliveries');
    expect(rows[0]?.count).toBe(1);
  });

  it('lets nothing of another tenant be changed or deleted', async () => {
    for (const { name, column } of await tenantTables()) {
      if (appendOnly.includes(name)) continue;
      const changed = await asTenant(other, async (client) => [
        await client.query(`update ${name} set ${column} = ${column} where ${column} = $1`, [mine]),
        await client.query(`delete from ${name} where ${column} = $1`, [mine]),
      ]);
      expect(
        changed.map(({ rowCount }) => rowCount),
        name,
      ).toEqual([0, 0]);
    }
  });
});

describe('what was changed about rights', () => {
  it('is added to and read by the app, and is changed, deleted or emptied by nobody but the database’s owner', async () => {
    const read = await asTenant(mine, (client) => client.query('select change from rights_changes'));
    expect(read.rows).toEqual([{ change: { kind: 'company_founded', company: 'Mine' } }]);
    for (const statement of [
      `update rights_changes set at = now()`,
      'delete from rights_changes',
      'truncate rights_changes',
    ]) {
      const trying = asTenant(mine, (client) => client.query(statement));
      await expect(trying, statement).rejects.toThrow(/permission denied/);
    }
    const bySystem = openDatabase(database.urls.system, 1, () => {});
    await expect(bySystem.pool.query('select from rights_changes')).rejects.toThrow(/permission denied/);
    await bySystem.close();
    // And the list of those that are left out above is right.
    const { rows } = await owner.query<{ name: string }>(
      `select relname as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace
         and has_table_privilege('letterhead_app', oid, 'insert') and not has_table_privilege('letterhead_app', oid, 'update')
         and not has_table_privilege('letterhead_app', oid, 'delete') order by relname`,
    );
    expect(rows.map(({ name }) => name)).toEqual(appendOnly);
  });
});

/** As `inTenant` does it, with plain queries: to try what Kysely's types would not let us write. */
async function asTenant<T>(tenantId: string, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await database.pool.connect();
  try {
    await client.query('begin');
    await client.query(`select set_config('app.tenant_id', $1, true)`, [tenantId]);
    return await work(client);
  } finally {
    await client.query('rollback');
    client.release();
  }
}

describe('inside a tenant', () => {
  it('nothing can be written into another', async () => {
    const party = { tenant_id: mine, name: 'Smuggled' };
    const writing = inTenant(database.db, other, (trx) => trx.insertInto('parties').values(party).execute());
    await expect(writing).rejects.toThrow(/row-level security/);
  });

  it('nothing can be moved into another', async () => {
    const { id } = await inTenant(database.db, mine, (trx) =>
      trx.insertInto('parties').values({ tenant_id: mine, name: 'Mine' }).returning('id').executeTakeFirstOrThrow(),
    );
    const moving = inTenant(database.db, mine, (trx) =>
      trx.updateTable('parties').set({ tenant_id: other }).where('id', '=', id).execute(),
    );
    await expect(moving).rejects.toThrow(/row-level security/);
  });

  it('nothing can point to what belongs to another', async () => {
    const foreign = await inTenant(database.db, mine, (trx) =>
      trx.selectFrom('mailboxes').select('id').executeTakeFirstOrThrow(),
    );
    const rule = { tenant_id: other, mode: 'alias', alias_mailbox_id: foreign.id, alias_email: 'a@x.example' } as const;
    const pointing = inTenant(database.db, other, (trx) => trx.insertInto('sender_rules').values(rule).execute());
    await expect(pointing).rejects.toThrow(/foreign key/);
  });
});

describe('a connection that was used for a tenant before', () => {
  it('sees nothing any more, whether the transaction went well or not', async () => {
    const single = openDatabase(database.urls.app, 1, () => {});
    const names = () => single.db.selectFrom('tenants').select('name').execute();
    try {
      expect(await inTenant(single.db, mine, (trx) => trx.selectFrom('tenants').select('name').execute())).toEqual([
        { name: 'Mine' },
      ]);
      expect(await names()).toEqual([]);
      const failing = inTenant(single.db, mine, async () => {
        throw new Error('no');
      });
      await expect(failing).rejects.toThrow('no');
      expect(await names()).toEqual([]);
      expect(await inTenant(single.db, other, (trx) => trx.selectFrom('tenants').select('name').execute())).toEqual([
        { name: 'Other' },
      ]);
    } finally {
      await single.close();
    }
  });

  it('is given no tenant by what is no id', async () => {
    await expect(
      inTenant(database.db, 'everything', (trx) => trx.selectFrom('tenants').select('id').execute()),
    ).rejects.toThrow(/is no tenant/);
    const nobody = await inTenant(database.db, randomUUID(), (trx) => trx.selectFrom('tenants').select('id').execute());
    expect(nobody).toEqual([]);
  });
});

describe('the app’s role', () => {
  it.each([
    ['alter table deliveries disable row level security'],
    ['alter table deliveries no force row level security'],
    ['drop policy own_tenant on deliveries'],
    ['create policy everything on deliveries using (true)'],
    ['set role letterhead_system'],
    ['set row_security = off; select * from deliveries'],
    ['alter role letterhead_app bypassrls'],
    ['select * from people'],
    ['truncate deliveries cascade'],
    ['create table mine ()'],
  ])('cannot get around it: %s', async (statement) => {
    await expect(asTenant(mine, (client) => client.query(statement))).rejects.toThrow(
      /permission denied|must be owner|row-level security/,
    );
  });
});

describe('the role that crosses tenants', () => {
  it('reads, and writes nothing of a tenant but that a delivery got its job', async () => {
    const seen = await database.system.selectFrom('deliveries').select('tenant_id').execute();
    expect(seen).toEqual([{ tenant_id: mine }]);
    const { pool, close } = openDatabase(database.urls.system, 1, () => {});
    for (const { name } of await tenantTables()) {
      await expect(pool.query(`delete from ${name}`), name).rejects.toThrow(/permission denied/);
    }
    await pool.query('update deliveries set released_at = now()');
    await expect(pool.query(`update deliveries set state = 'sent'`)).rejects.toThrow(/permission denied/);
    await close();
  });

  it('reads no tokens, no documents and no attachments', async () => {
    for (const table of ['grants', 'delegations', 'documents', 'delivery_attachments', 'parties'] as const) {
      const reading = database.system.selectFrom(table).selectAll().execute();
      await expect(reading, table).rejects.toThrow(/permission denied/);
    }
  });
});
