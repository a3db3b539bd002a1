import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Account, mayEnter } from './account.ts';
import { EmbeddedPostgresError } from './error.ts';

/*
 * A database that had to leave its folder: `location` in the folder names the home, `belongs-to` in the home names the
 * folder. Both ends, so that removing .data starts afresh, a moved checkout keeps its data and a copied one gets its own.
 */
export const SHARED_FOLDERS = ['/var/lib/letterhead', '/srv/letterhead'];

const run = promisify(execFile);

/** The home that `dataDir` points to, if it is still this folder's. */
export async function findElsewhere(dataDir: string, log: (line: string) => void): Promise<string | undefined> {
  const home = await readLine(join(dataDir, 'location'));
  if (home === undefined) {
    await mentionForgotten(dataDir, log);
    return undefined;
  }
  const folder = await readLine(join(home, 'belongs-to'));
  if (folder === dataDir) return home;
  const gone = folder === undefined || (await stat(home).catch(() => undefined)) === undefined;
  if (gone) {
    log(`The database that was kept in ${home} is gone; beginning with an empty one.`);
  } else if ((await readLine(join(folder, 'location'))) === home) {
    log(`This is a copy of ${folder}, which keeps its database; beginning with an empty one here.`);
  } else {
    await writeFile(join(home, 'belongs-to'), `${dataDir}\n`);
    return home;
  }
  await rm(join(dataDir, 'location'));
  return undefined;
}

/** Gives the database of `dataDir` a home that `account` can reach, takes along what is in `from`, and leaves a pointer. */
export async function moveElsewhere(
  dataDir: string,
  from: string,
  account: Account,
  ephemeral: boolean,
  log: (line: string) => void,
): Promise<string> {
  for (const parent of ephemeral ? [tmpdir(), '/tmp', ...SHARED_FOLDERS] : SHARED_FOLDERS) {
    const home = await makeHome(parent, account).catch(() => undefined);
    if (home === undefined) continue;
    await writeFile(join(home, 'belongs-to'), `${dataDir}\n`);
    for (const name of ['password', 'data']) {
      if (await stat(join(from, name)).catch(() => undefined)) await run('mv', [join(from, name), join(home, name)]);
    }
    await writeFile(join(dataDir, 'location'), `${home}\n`);
    if (!ephemeral) log(`The user that runs PostgreSQL cannot reach ${dataDir}, so the database is kept in ${home}.`);
    return home;
  }
  throw new EmbeddedPostgresError(
    'not_permitted',
    `As root, PostgreSQL runs as another user, who cannot reach ${dataDir}, and neither of ${SHARED_FOLDERS.join(', ')} can be made.`,
    'Put the checkout outside a closed home directory, run Letterhead as an ordinary user, or set DATABASE_URL.',
  );
}

async function makeHome(parent: string, account: Account): Promise<string | undefined> {
  await mkdir(parent, { recursive: true, mode: 0o755 });
  const home = await mkdtemp(join(parent, 'postgres-'));
  await chmod(home, 0o711);
  if (await mayEnter(home, account)) return home;
  await rm(home, { recursive: true });
  return undefined;
}

/** Somebody removed .data to begin afresh: say where the old database still is, and leave removing it to them. */
async function mentionForgotten(dataDir: string, log: (line: string) => void): Promise<void> {
  for (const parent of SHARED_FOLDERS) {
    for (const name of await readdir(parent).catch(() => [])) {
      const home = join(parent, name);
      if ((await readLine(join(home, 'belongs-to'))) === dataDir) {
        log(`An older database of this folder is still in ${home}; remove it when you no longer need it.`);
      }
    }
  }
}

async function readLine(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').then(
    (text) => text.trim(),
    () => undefined,
  );
}
