import { accessSync, constants, mkdtempSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { startEmbeddedPostgres } from '../../src/platform/embedded-postgres.ts';
import { migrate } from '../../src/platform/migrate.ts';
import { deriveUrls } from '../../src/platform/roles.ts';
import { findChromium } from './chromium.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The superuser's URL of a migrated database to clone from; nobody connects to it. */
    templateUrl: string;
  }
}

/**
 * Once for all test files: a browser that is really there, and one PostgreSQL with one migrated database,
 * from which each file clones its own.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await findChromium();
  const dataDir = mkdtempSync(path.join(placeForData(), 'letterhead-test-'));
  const postgres = await startEmbeddedPostgres({ dataDir, ephemeral: true, log: () => {} });
  await migrate(deriveUrls(postgres.ownerUrl, { app: 'app', system: 'system' }));
  project.provide('templateUrl', postgres.ownerUrl);
  return () => postgres.stop();
}

/** Far more than the databases of a run take, in bytes. */
const plenty = 4 * 1024 ** 3;

/**
 * Where the databases lie: in memory where Linux has plenty of it. A file system of a disk spends an eighth of PostgreSQL's
 * time on finding numbers for the hundreds of files that each new database has.
 */
function placeForData(): string {
  const memory = '/dev/shm';
  try {
    accessSync(memory, constants.W_OK);
    const { bavail, bsize } = statfsSync(memory);
    if (Math.min(bavail * bsize, process.availableMemory()) > plenty) return memory;
  } catch {
    // There is none that is ours to write to.
  }
  return tmpdir();
}
