import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { explainFailure } from './error.ts';
import type { Place } from './place.ts';

/** The owner of the embedded database. */
export const SUPERUSER = 'postgres';

const WORKSHOP = 'creating-';

const run = promisify(execFile);

/** How to make a cluster where there is none. */
export interface ClusterOptions {
  ephemeral: boolean;
  onProgress: (message: string) => void;
}

/** The superuser's password of the database in `place`, which is made first where there is none. */
export async function ensureCluster(place: Place, options: ClusterOptions): Promise<string> {
  const exists = (await stat(join(place.data, 'PG_VERSION')).catch(() => undefined)) !== undefined;
  await removeWorkshops(place);
  const path = join(place.home, 'password');
  const known = await readFile(path, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw explainFailure(`The database's password in ${path} cannot be read`, String(error), error);
  });
  if (known !== undefined && exists) return known.trim();
  const password = known?.trim() ?? randomBytes(24).toString('base64url');
  await writeFile(path, `${password}\n`, { mode: 0o600 });
  if (exists) {
    await setPassword(place, password);
  } else {
    options.onProgress('Creating the database…');
    await createCluster(place, password, options.ephemeral);
  }
  return password;
}

/** Made beside its final place and moved there when complete, so that a start that was cut short leaves no half database. */
async function createCluster(place: Place, password: string, ephemeral: boolean): Promise<void> {
  const workshop = await mkdtemp(join(place.home, WORKSHOP));
  const passwordFile = join(workshop, 'password');
  const data = join(workshop, 'data');
  try {
    await writeFile(passwordFile, password, { mode: 0o600 });
    if (place.account) {
      for (const path of [workshop, passwordFile]) await chown(path, place.account.uid, place.account.gid);
    }
    await run(
      join(place.native, 'bin', 'initdb'),
      [
        `--pgdata=${data}`,
        `--username=${SUPERUSER}`,
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        // PostgreSQL's own Unicode: the same on every system, and no index goes stale when a system library changes.
        '--locale=C',
        '--locale-provider=builtin',
        '--builtin-locale=C.UTF-8',
        '--no-instructions',
        ...(ephemeral ? ['--no-sync', '--wal-segsize=1', '--no-data-checksums'] : []),
      ],
      { ...processOptions(place), timeout: 120_000 },
    );
    await rename(data, place.data);
  } catch (error) {
    throw explainFailure(`The database could not be created in ${place.home}`, outputOf(error), error);
  } finally {
    await removeWorkshops(place);
  }
}

/** Also those of a start that was killed; its initdb may still write for a moment, hence the retries. */
async function removeWorkshops(place: Place): Promise<void> {
  for (const name of await readdir(place.home)) {
    if (!name.startsWith(WORKSHOP)) continue;
    const options = { recursive: true, force: true, maxRetries: 10, retryDelay: 50 };
    await rm(join(place.home, name), options).catch(() => undefined);
  }
}

/** Gives the superuser a new password while no server runs, for data whose password file is lost. */
async function setPassword(place: Place, password: string): Promise<void> {
  const alone = run(
    join(place.native, 'bin', 'postgres'),
    ['--single', '-D', place.data, '-c', 'log_min_error_statement=panic', 'postgres'],
    { ...processOptions(place), timeout: 120_000 },
  );
  alone.child.stdin?.end(`ALTER ROLE ${SUPERUSER} PASSWORD '${password}'\n`);
  await alone.catch((error: unknown) => {
    throw explainFailure('The database did not take a new password', outputOf(error), error);
  });
}

/** How every program of PostgreSQL is run: as its account, in English, and blind to PG* variables of the surroundings. */
export function processOptions(place: Place): { cwd: string; env: NodeJS.ProcessEnv; uid?: number; gid?: number } {
  return { cwd: '/', env: { PATH: process.env['PATH'], LC_ALL: 'C' }, ...place.account };
}

function outputOf(error: unknown): string {
  if (error instanceof Error && 'stderr' in error && error.stderr) return String(error.stderr);
  return String(error);
}
