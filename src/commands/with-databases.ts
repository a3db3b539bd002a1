import type { Config } from '../platform/config.ts';
import { type Database, openDatabase } from '../platform/database.ts';
import { assertMigrated, migrate } from '../platform/migrate.ts';
import { StartError } from '../platform/start-error.ts';
import { dataFolder, useLocalDatabase } from './local-database.ts';

/** The ways into the database that a command has: the app's, bound to one tenant at a time, and the cross-tenant one. */
export interface Databases {
  readonly db: Database;
  readonly system: Database;
}

/**
 * Runs a command's work on the configured database, or on that of the no-argument mode, whether it runs or not.
 *
 * @throws {StartError} where there is none, or it lacks migrations
 */
export async function withDatabases<T>(config: Config, work: (databases: Databases) => Promise<T>): Promise<T> {
  const local = config.database ? null : await useLocalDatabase(dataFolder(config));
  try {
    const urls = config.database ?? local?.urls;
    if (!urls) throw new StartError('There is no database.');
    if (local?.started) await migrate(urls);
    const app = openDatabase(urls.app, 2, () => {});
    const system = openDatabase(urls.system, 1, () => {});
    try {
      await assertMigrated(app.db);
      return await work({ db: app.db, system: system.db });
    } finally {
      await app.close();
      await system.close();
    }
  } finally {
    await local?.stop();
  }
}
