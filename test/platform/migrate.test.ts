import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { openDatabase } from '../../src/platform/database.ts';
import { migrate } from '../../src/platform/migrate.ts';
import { deriveUrls } from '../../src/platform/roles.ts';
import { rememberPerson } from '../../src/tenants/system.ts';
import { createTenant } from '../../src/tenants/tenants.ts';

const newest = readdirSync(path.join(import.meta.dirname, '../../migrations'))
  .sort()
  .at(-1)
  ?.replace('.ts', '');
const id = randomBytes(6).toString('hex');
/** A managed database's owner: may create roles, is no superuser, and was given the two roles to administer. */
const plainOwner = `owner_${id}`;
const names = [`fresh_${id}`, `managed_${id}`] as const;

async function asSuperuser(...statements: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: urlOf('postgres') });
  await client.connect();
  for (const statement of statements) await client.query(statement);
  await client.end();
}
function urlOf(database: string, user?: string): string {
  const url = new URL(inject('templateUrl'));
  url.pathname = `/${database}`;
  if (user) [url.username, url.password] = [user, 'plain'];
  return url.href;
}
const urlsOf = (owner: string) => deriveUrls(owner, { app: 'app', system: 'system' });

beforeAll(() =>
  asSuperuser(
    `create role ${plainOwner} login createrole nosuperuser password 'plain'`,
    `grant letterhead_app, letterhead_system to ${plainOwner} with admin option, inherit false, set false`,
    `create database ${names[0]}`,
    `create database ${names[1]} owner ${plainOwner}`,
  ),
);
afterAll(() =>
  asSuperuser(
    ...names.map((name) => `drop database ${name} with (force)`),
    `revoke letterhead_app, letterhead_system from ${plainOwner}`,
    `drop role ${plainOwner}`,
  ),
);

describe('migrating', () => {
  it('by three processes at once brings an empty database to the newest shape, once', async () => {
    const urls = urlsOf(urlOf(names[0]));
    const ran = await Promise.all([migrate(urls), migrate(urls), migrate(urls)]);
    expect(ran.flat()).toContain(newest);
    expect(new Set(ran.flat()).size).toBe(ran.flat().length);
    expect(await migrate(urls)).toEqual([]);
  });

  it('works for an owner who is no superuser, the first time and again, and the app works on it', async () => {
    const urls = urlsOf(urlOf(names[1], plainOwner));
    expect(await migrate(urls)).toContain(newest);
    expect(await migrate(urls)).toEqual([]);
    const [app, system] = [openDatabase(urls.app, 1, () => {}), openDatabase(urls.system, 1, () => {})];
    const person = { issuer: 'https://test.example', sub: '1', email: 'a@x.example', name: 'A' };
    const personId = await rememberPerson(system.db, person);
    const company = { name: 'A Ltd', country: 'IE', currency: 'EUR', timeZone: 'Europe/Dublin' };
    const { tenantId } = await createTenant(app.db, company, { ...person, personId });
    expect(tenantId).toMatch(/^[0-9a-f-]{36}$/);
    await Promise.all([app.close(), system.close()]);
  });
});
