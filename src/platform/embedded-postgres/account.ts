import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { EmbeddedPostgresError } from './error.ts';

/** The system user that PostgreSQL runs as where Letterhead itself is root (PostgreSQL refuses to be root). */
export interface Account {
  uid: number;
  gid: number;
}

const run = promisify(execFile);

/** An unprivileged user to run as: `postgres` where the system has one, else `nobody`, else a new `postgres`. */
export async function findAccount(candidates = ['postgres', '_postgres', 'nobody']): Promise<Account> {
  for (const name of candidates) {
    const account = await lookUp(name);
    if (account) return account;
  }
  try {
    await run('useradd', ['--system', '--no-create-home', '--shell', '/usr/sbin/nologin', 'postgres']);
  } catch (error) {
    throw new EmbeddedPostgresError(
      'no_account',
      'PostgreSQL cannot run as root, and this system has no unprivileged user to run it as.',
      'Create one (useradd --system postgres), run Letterhead as an ordinary user, or set DATABASE_URL.',
      { cause: error },
    );
  }
  const created = await lookUp('postgres');
  if (created) return created;
  throw new EmbeddedPostgresError('no_account', 'The new user postgres was not found.', 'Set DATABASE_URL.');
}

/** Whether `account` may enter `folder`, asked of the system itself. */
export async function mayEnter(folder: string, account: Account): Promise<boolean> {
  return run('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], { cwd: '/', ...account }).then(
    () => true,
    () => false,
  );
}

async function lookUp(name: string): Promise<Account | undefined> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])]);
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch {
    return undefined;
  }
}
