/**
 * Proves that `src/platform/database-types.ts` is what the migrations make: starts a throw-away PostgreSQL,
 * migrates it and lets kysely-codegen compare. With `--write` it writes the file instead.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startEmbeddedPostgres } from '../src/platform/embedded-postgres.ts';
import { migrate } from '../src/platform/migrate.ts';
import { deriveUrls } from '../src/platform/roles.ts';

const file = path.join(import.meta.dirname, '../src/platform/database-types.ts');
const dataDir = mkdtempSync(path.join(tmpdir(), 'letterhead-types-'));
const postgres = await startEmbeddedPostgres({ dataDir, ephemeral: true, log: () => {} });
try {
  await migrate(deriveUrls(postgres.ownerUrl, { app: 'types', system: 'types' }));
  const codegen = path.join(import.meta.dirname, '../node_modules/kysely-codegen/dist/cli/bin.js');
  const mode = process.argv.includes('--write') ? [] : ['--verify'];
  const options = ['--dialect', 'postgres', '--url', postgres.ownerUrl, '--out-file', file, '--date-parser', 'string'];
  const tables = ['--include-pattern', 'public.*', '--exclude-pattern', '(public.kysely_*|public.sessions)'];
  const { status } = spawnSync(process.execPath, [codegen, ...options, ...tables, ...mode], { stdio: 'inherit' });
  process.exitCode = status ?? 1;
} finally {
  await postgres.stop();
}
