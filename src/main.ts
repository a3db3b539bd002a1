import { enableCompileCache } from 'node:module';
import path from 'node:path';
import { errorWords } from './commands/error-words.ts';
import { parseConfig, readEnv } from './platform/config.ts';
import { StartError } from './platform/start-error.ts';

/**
 * One program; each command loads what it needs and no more: a worker has no pages in its memory.
 *
 *   (no argument)   everything: database, Local Google, demo, pages and worker; supplies what is not configured
 *   serve           the pages
 *   work            the worker that sends
 *   migrate         brings the database to the newest shape
 *   import FILE…    imports UBL files as records
 *   keys …          lists, rotates and gives up the keys that seal the Gmail tokens
 *   troubles        what ails our own registration with Google
 *   restored        holds what had not left, after the database was restored from a backup
 *   events          the last security events from Google, and what came of them
 *   delegation …    stores, tries and removes service accounts that send as everybody in a Google Workspace
 *   doctor …        checks mailboxes and all that they depend on, step by step
 */
async function main(argument: string | undefined, rest: string[]): Promise<void> {
  const env = readEnv(process.env);
  switch (argument) {
    case undefined:
      return (await everything()).runAll(parseConfig(env, 'all'));
    case 'serve':
    case 'work':
      return (await import('./commands/production.ts')).runProduction(parseConfig(env, argument));
    case 'migrate':
      return (await import('./commands/migrate.ts')).runMigrate(parseConfig(env, 'migrate'));
    case 'import':
      return (await import('./commands/import.ts')).runImport(parseConfig(env, 'import'), rest);
    case 'keys':
      return (await import('./commands/keys.ts')).runKeys(parseConfig(env, 'keys'), rest);
    case 'troubles':
      return (await import('./commands/troubles.ts')).runTroubles(parseConfig(env, 'troubles'));
    case 'restored':
      return (await import('./commands/restored.ts')).runRestored(parseConfig(env, 'restored'), rest);
    case 'events':
      return (await import('./commands/events.ts')).runEvents(parseConfig(env, 'events'));
    case 'doctor':
      return (await import('./commands/doctor.ts')).runDoctor(parseConfig(env, 'doctor'), rest);
    case 'delegation':
      return (await import('./commands/delegation.ts')).runDelegation(parseConfig(env, 'delegation'), rest);
    default:
      throw new StartError(
        `There is no command “${argument}”. Use serve, work, migrate, import, keys, troubles, restored, events, delegation or doctor, or no argument at all to run everything.`,
      );
  }
}

/** The no-argument mode needs a PostgreSQL and a Google of its own, which the production image does not bring. */
async function everything(): Promise<typeof import('./commands/all.ts')> {
  try {
    return await import('./commands/all.ts');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND')) throw error;
    throw new StartError(
      'Local Google and the embedded PostgreSQL are not installed here. Name a command: serve, work or migrate; or run `npm start` in a checkout.',
    );
  }
}

// A start reads what an earlier one compiled: half the CPU until it serves. Beside the packages, where nobody else on the machine
// can put code for us to run, as they could in /tmp. Where that may not be written, it goes without.
enableCompileCache(path.join(import.meta.dirname, '../node_modules/.cache/compiled'));

try {
  await main(process.argv[2], process.argv.slice(3));
} catch (error) {
  console.error(`\n${errorWords(error)}\n`);
  process.exit(1);
}
