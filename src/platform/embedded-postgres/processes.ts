import { execFile } from 'node:child_process';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Whether the process exists and has not ended (an ended child that nobody collected, a zombie, is not alive). */
export async function isAlive(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it exists and belongs to somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => undefined);
  return stat === undefined || !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
}

/** Whether the process ends within the time. */
export async function endsWithin(pid: number, ms: number): Promise<boolean> {
  const deadline = Date.now() + ms;
  while (await isAlive(pid)) {
    if (Date.now() > deadline) return false;
    await wait(20);
  }
  return true;
}

/** Whether the process is a PostgreSQL server on this data folder (a real path): every one of them works from inside it. */
export async function isPostgresOn(pid: number, data: string): Promise<boolean> {
  if (!(await isAlive(pid))) return false;
  if (process.platform !== 'linux') {
    const { stdout } = await run('ps', ['-ww', '-o', 'command=', '-p', String(pid)]).catch(() => ({ stdout: '' }));
    return stdout.includes(`-D ${data}`);
  }
  const [name, folder] = await Promise.all([
    readFile(`/proc/${pid}/comm`, 'latin1').catch(() => undefined),
    readlink(`/proc/${pid}/cwd`).catch(() => undefined),
  ]);
  // The name too: a shell that somebody opened in the folder is not the database.
  return name?.trim() === 'postgres' && folder === data;
}

/** All processes of a PostgreSQL on this data folder, also those that outlived their postmaster. Linux only; elsewhere none are found. */
export async function postgresProcessesOn(data: string): Promise<number[]> {
  if (process.platform !== 'linux') return [];
  const pids = (await readdir('/proc')).map(Number).filter((pid) => Number.isInteger(pid) && pid !== process.pid);
  const inside = await Promise.all(pids.map((pid) => isPostgresOn(pid, data)));
  return pids.filter((_, index) => inside[index]);
}

/** Sends the signal; a process that is gone already is fine. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
