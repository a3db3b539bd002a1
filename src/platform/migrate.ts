import * as fs from 'node:fs/promises';
import path from 'node:path';
import { sql } from 'kysely';
import { FileMigrationProvider, type MigrationProvider, Migrator } from 'kysely/migration';
import pg from 'pg';
import { type Database, openDatabase } from './database.ts';
import { installQueues } from './queue.ts';
import { type DatabaseUrls, ensureRoles } from './roles.ts';
import { StartError } from './start-error.ts';

const folder = path.join(import.meta.dirname, '../../migrations');

/** An advisory lock of ours, let go of with the connection. Any number that nobody else in this database uses. */
const migrationLock = 5_317_080_215;

/**
 * Brings a database to the newest shape: roles, tables, job queues. Safe to run at every start and by
 * several processes at once: one works, the others wait and then find it done. Kysely and pg-boss hold locks
 * of their own, but not over the grants, which PostgreSQL fails where two change the same at the same instant.
 *
 * @returns the names of the migrations that ran, oldest first
 * @throws the first error of a migration; what ran before it stays
 */
export async function migrate(urls: DatabaseUrls): Promise<string[]> {
  const gate = new pg.Client({ connectionString: urls.owner });
  await gate.connect();
  try {
    await gate.query('select pg_advisory_lock($1)', [migrationLock]);
    return await migrateAlone(urls);
  } finally {
    await gate.end();
  }
}

async function migrateAlone(urls: DatabaseUrls): Promise<string[]> {
  await ensureRoles(urls);
  const { db, close } = openDatabase(urls.owner, 2, () => {}, 'endless');
  try {
    const migrator = new Migrator({ db, provider: migrations() });
    const { error, results } = await migrator.migrateToLatest();
    if (error) throw error;
    // So that the app can tell at its start that it does not fit its database.
    await sql`grant select on kysely_migration to letterhead_app`.execute(db);
    await installQueues(urls.owner);
    return (results ?? []).map((result) => result.migrationName);
  } finally {
    await close();
  }
}

/**
 * Refuses to work with a database that lacks migrations of this program.
 *
 * @param db the app's pool
 * @throws {StartError} saying to migrate
 */
export async function assertMigrated(db: Database): Promise<void> {
  const known = Object.keys(await migrations().getMigrations());
  const done = await appliedMigrations(db);
  const missing = known.filter((name) => !done.includes(name));
  if (missing.length > 0) {
    throw new StartError(
      `The database lacks ${missing.join(', ')}. Run “node src/main.ts migrate” first, with DATABASE_OWNER_URL set.`,
    );
  }
}

async function appliedMigrations(db: Database): Promise<string[]> {
  const exists = await sql<{ yes: boolean }>`select to_regclass('public.kysely_migration') is not null as yes`.execute(
    db,
  );
  if (!exists.rows[0]?.yes) return [];
  const { rows } = await sql<{ name: string }>`select name from kysely_migration`.execute(db);
  return rows.map(({ name }) => name);
}

function migrations(): MigrationProvider {
  return new FileMigrationProvider({ fs, path, migrationFolder: folder });
}
