import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/platform/database.ts';
import { appRole, assertBoundByRowSecurity, deriveUrls, ensureRoles } from '../../src/platform/roles.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

/** Opens a pool, asks whether row-level security binds it, closes it. */
async function bound(url: string): Promise<string> {
  const { pool, close } = openDatabase(url, 1, () => {});
  try {
    await assertBoundByRowSecurity(pool);
    return 'bound';
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : 'thrown';
  } finally {
    await close();
  }
}

/** Runs as the owner in a transaction whose effect on roles no other test sees. */
async function owner(...statements: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: database.urls.owner });
  await client.connect();
  for (const statement of statements) await client.query(statement);
  await client.end();
}

describe('a role that works for the tenants', () => {
  it('is the app’s own', async () => {
    expect(await bound(database.urls.app)).toBe('bound');
  });

  it('is never the owner of the tables, and the refusal says what to change', async () => {
    const refusal = await bound(database.urls.owner);
    expect(refusal).toContain('DatabaseRoleError');
    expect(refusal).toContain(`DATABASE_URL must sign in as ${appRole}`);
    expect(refusal).not.toContain(new URL(database.urls.owner).password);
  });

  const name = `strange_${process.pid}`;
  const url = () => {
    const strange = new URL(database.urls.owner);
    [strange.username, strange.password] = [name, 'x'];
    return strange.href;
  };

  it.each([
    ['bypasses row-level security', `create role ${name} login bypassrls password 'x'`],
    [
      'is a member of the owner, whose policies then hold for it',
      `create role ${name} login password 'x' in role postgres`,
    ],
    ['may read across tenants', `create role ${name} login password 'x' in role letterhead_system`],
  ])('is none that %s', async (_what, create) => {
    await owner(create);
    try {
      expect(await bound(url())).toContain('DatabaseRoleError');
    } finally {
      await owner(`drop role ${name}`);
    }
  });
});

describe('making the roles', () => {
  it('again changes nothing', async () => {
    await ensureRoles(database.urls);
    expect(await bound(database.urls.app)).toBe('bound');
  });

  it('is refused where a URL signs in as somebody else', async () => {
    const urls = { ...database.urls, app: deriveUrls(database.urls.owner, { app: 'x', system: 'x' }).system };
    await expect(ensureRoles(urls)).rejects.toMatchObject({ name: 'DatabaseRoleError', code: 'database_role' });
  });

  it('is refused in words where the owner may not', async () => {
    await expect(ensureRoles({ ...database.urls, owner: database.urls.app })).rejects.toThrow(/CREATEROLE/);
  });
});
