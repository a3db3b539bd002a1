import type { Config } from '../platform/config.ts';
import { migrate } from '../platform/migrate.ts';
import { StartError } from '../platform/start-error.ts';

/** `migrate`: says what ran. Safe to run at every deployment. */
export async function runMigrate(config: Config): Promise<void> {
  if (!config.database) throw new StartError('DATABASE_URL is not set.');
  const done = await migrate(config.database);
  console.log(done.length === 0 ? 'The database is up to date.' : `Migrated: ${done.join(', ')}`);
}
