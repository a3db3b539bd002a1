import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { EmbeddedPostgresError, explainFailure } from './error.ts';

/** A data folder that is ours until we let go, or die. */
export interface Claim {
  release(): void;
}

const SQLITE_BUSY = 5;

/**
 * Makes this process the only one that runs the database in `dataDir`, until it releases the claim or dies, however it dies.
 *
 * Node has no file locks of its own, but its SQLite takes one that the system drops with the process, so there is no
 * stale lock to judge and no process id to mistake. Never open the file `claim` otherwise: closing it drops the lock.
 */
export function claimDataDir(dataDir: string): Claim {
  const holderFile = join(dataDir, 'claim-holder');
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(join(dataDir, 'claim'), { timeout: 0 });
    lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    writeFileSync(holderFile, `${process.pid}\n`);
  } catch (error) {
    lock?.close();
    if (error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY) {
      throw new EmbeddedPostgresError(
        'in_use',
        `The database in ${dataDir} is in use by ${describeHolder(holderFile)}.`,
        'Stop that Letterhead first, or set DATABASE_URL so that both share one PostgreSQL server.',
        { cause: error },
      );
    }
    throw explainFailure(`The database folder ${dataDir} cannot be used`, String(error), error);
  }
  const held = lock;
  return { release: () => held.close() };
}

function describeHolder(holderFile: string): string {
  try {
    return `process ${Number.parseInt(readFileSync(holderFile, 'utf8'), 10)}`;
  } catch {
    return 'another process';
  }
}
