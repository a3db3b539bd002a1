import * as fs from 'node:fs/promises';
import path from 'node:path';
import { FileMigrationProvider, type MigrationProvider, Migrator } from 'kysely/migration';
import { openDatabase } from './database.ts';
import { installQueues } from './queue.ts';
import { type DatabaseUrls, ensureRoles } from './roles.ts';

const folder = path.join(import.meta.dirname, '../../migrations');

/**
 * Brings a database to the newest shape: roles, tables, job queues. Safe to run at every start and by
 * several processes at once (Kysely and pg-boss both hold a lock).
 *
 * @returns the names of the migrations that ran, oldest first
 * @throws the first error of a migration; what ran before it stays
 */
export async function migrate(urls: DatabaseUrls): Promise<string[]> {
  await ensureRoles(urls);
  const { db, close } = openDatabase(urls.owner, 2, () => {});
  try {
    const migrator = new Migrator({ db, provider: migrations() });
    const { error, results } = await migrator.migrateToLatest();
    if (error) throw error;
    await installQueues(urls.owner);
    return (results ?? []).map((result) => result.migrationName);
  } finally {
    await close();
  }
}

function migrations(): MigrationProvider {
  return new FileMigrationProvider({ fs, path, migrationFolder: folder });
}
