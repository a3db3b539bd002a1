import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Config } from '../platform/config.ts';
import { EmbeddedPostgresError } from '../platform/embedded-postgres/error.ts';
import { startEmbeddedPostgres } from '../platform/embedded-postgres.ts';
import { type DatabaseUrls, deriveUrls } from '../platform/roles.ts';
import { localSecrets } from './local-secrets.ts';

/** The embedded PostgreSQL as a command uses it. */
export interface LocalDatabase {
  readonly urls: DatabaseUrls;
  /** False where it runs in another process, and is only used here. */
  readonly started: boolean;
  stop(): Promise<void>;
}

/** Where the no-argument mode keeps everything: an absolute path. */
export function dataFolder(config: Config): string {
  return path.resolve(import.meta.dirname, '../..', config.dataDir);
}

/**
 * Starts the database of the no-argument mode.
 *
 * @param say hears of steps that take longer than a blink
 * @throws {EmbeddedPostgresError} `in_use` when another process runs it
 */
export async function startLocalDatabase(
  dataDir: string,
  log: (line: string) => void,
  say: (line: string) => void,
): Promise<LocalDatabase> {
  const secrets = await localSecrets(dataDir);
  const postgres = await startEmbeddedPostgres({ dataDir: path.join(dataDir, 'postgres'), log, onProgress: say });
  await writeFile(portFile(dataDir), `${postgres.port}\n`);
  const urls = deriveUrls(postgres.ownerUrl, { app: secrets.appPassword, system: secrets.systemPassword });
  return { urls, started: true, stop: () => postgres.stop() };
}

/** The same, or the one that a running Letterhead has already started. */
export async function useLocalDatabase(dataDir: string): Promise<LocalDatabase> {
  try {
    return await startLocalDatabase(
      dataDir,
      () => {},
      (line) => console.log(`  ${line}`),
    );
  } catch (error) {
    if (!(error instanceof EmbeddedPostgresError) || error.code !== 'in_use') throw error;
    const secrets = await localSecrets(dataDir);
    const port = (await readFile(portFile(dataDir), 'utf8')).trim();
    const owner = `postgres://postgres@127.0.0.1:${port}/letterhead`;
    const urls = deriveUrls(owner, { app: secrets.appPassword, system: secrets.systemPassword });
    return { urls, started: false, stop: async () => {} };
  }
}

function portFile(dataDir: string): string {
  return path.join(dataDir, 'postgres-port');
}
