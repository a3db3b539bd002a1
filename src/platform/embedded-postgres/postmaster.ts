import { spawn } from 'node:child_process';
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { processOptions } from './cluster.ts';
import { explainFailure } from './error.ts';
import type { Place } from './place.ts';
import { endsWithin, isPostgresOn, postgresProcessesOn, signal } from './processes.ts';

/** A running PostgreSQL server: the one process that owns all others of its data folder. */
export interface Postmaster {
  pid: number;
  port: number;
  /** Says how it ended, when it ends; never rejects. */
  ended: Promise<string>;
}

/** How to start a postmaster. */
export interface LaunchOptions {
  port: number;
  ephemeral: boolean;
  onProgress: (message: string) => void;
}

const RECOVERY_LIMIT_MS = 10 * 60_000;
const LOG_LIMIT_BYTES = 10_000_000;

/** Starts PostgreSQL in `place` and waits until it takes connections. */
export async function launchPostmaster(place: Place, options: LaunchOptions): Promise<Postmaster> {
  const logPath = join(place.home, 'server.log');
  const size = (await stat(logPath).catch(() => undefined))?.size ?? 0;
  if (size > LOG_LIMIT_BYTES) await rename(logPath, `${logPath}.1`);
  const log = await open(logPath, 'a', 0o600);
  try {
    if (place.account) await log.chown(place.account.uid, place.account.gid);
    const from = (await log.stat()).size;
    const child = spawn(join(place.native, 'bin', 'postgres'), serverArguments(place, options), {
      ...processOptions(place),
      // A session of its own: Ctrl-C in the terminal is for Letterhead, which stops PostgreSQL when it has drained.
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    });
    child.unref();
    const ended = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(String(error)));
      child.once('exit', (code, name) => resolve(name ? `ended by ${name}` : `exit code ${code}`));
    });
    const { pid } = child;
    const ready = pid !== undefined && (await becomesReady(pid, place.data, ended, options.onProgress));
    if (pid === undefined || !ready) {
      if (pid !== undefined) await stopPostmaster(pid, place.data, 'SIGQUIT');
      const said = (await readFile(logPath, 'utf8')).slice(from);
      throw explainFailure('PostgreSQL did not start', said || (await ended));
    }
    return { pid, port: options.port, ended };
  } finally {
    await log.close();
  }
}

function serverArguments(place: Place, { port, ephemeral }: LaunchOptions): string[] {
  const settings = {
    listen_addresses: '127.0.0.1',
    port,
    // TCP alone: a socket file needs a folder that both users may use, and a short path.
    unix_socket_directories: '',
    max_connections: ephemeral ? 500 : 200,
    jit: 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
    // Neither statements nor rows in the log: they hold what tenants write.
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
    ...(ephemeral
      ? {
          fsync: 'off',
          synchronous_commit: 'off',
          full_page_writes: 'off',
          autovacuum: 'off',
          checkpoint_timeout: '1h',
          // Passwords of such a database are worth nothing once it is gone, and each connection counts them out.
          scram_iterations: 1,
        }
      : {}),
  };
  return ['-D', place.data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}

async function becomesReady(
  pid: number,
  data: string,
  ended: Promise<string>,
  onProgress: (message: string) => void,
): Promise<boolean> {
  let over = false;
  void ended.then(() => {
    over = true;
  });
  const started = Date.now();
  let patience = 3_000;
  while (!over && Date.now() - started < RECOVERY_LIMIT_MS) {
    const file = await readPidFile(data);
    if (file?.pid === pid && file.status === 'ready') return true;
    if (Date.now() - started > patience) {
      onProgress('PostgreSQL is recovering after it was cut off…');
      patience *= 4;
    }
    await wait(10);
  }
  return false;
}

/** What `postmaster.pid` says of the server that wrote it. */
export interface PidFile {
  pid: number;
  port: number;
  /** `starting`, `ready`, `stopping` or `standby`; empty early in the start. */
  status: string;
}

/** Reads postmaster.pid, whose lines are described in PostgreSQL's source, src/include/utils/pidfile.h. */
async function readPidFile(data: string): Promise<PidFile | undefined> {
  const text = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const lines = text.split('\n').map((line) => line.trim());
  return { pid: Number(lines[0]), port: Number(lines[3]), status: lines[7] ?? '' };
}

/**
 * Ends the PostgreSQL that an earlier Letterhead left running on this data folder (it was killed, or it crashed), and
 * returns the port it had. A pid file that names no such process (it died, the machine restarted, the number went to
 * another program) is removed, since it would bar the start.
 */
export async function endOrphan(data: string): Promise<PidFile | undefined> {
  const file = await readPidFile(data);
  const orphan = file !== undefined && (await isPostgresOn(file.pid, data)) ? file : undefined;
  if (orphan) await stopPostmaster(orphan.pid, data, 'SIGINT');
  await endSurvivors(data);
  await rm(join(data, 'postmaster.pid'), { force: true });
  return orphan;
}

/** Ends PostgreSQL on this data folder: politely, then firmly, then for good; returns when no process of it is left. */
export async function stopPostmaster(pid: number, data: string, first: 'SIGINT' | 'SIGQUIT'): Promise<void> {
  // SIGINT is PostgreSQL's fast shutdown, SIGQUIT the immediate one (server documentation, "Shutting Down the Server").
  const steps: { name: NodeJS.Signals; patience: number }[] = [
    { name: first, patience: 30_000 },
    { name: 'SIGQUIT', patience: 6_000 },
    { name: 'SIGKILL', patience: 2_000 },
  ];
  for (const { name, patience } of steps) {
    if (!(await isPostgresOn(pid, data))) break;
    signal(pid, name);
    if (await endsWithin(pid, patience)) break;
  }
  await endSurvivors(data);
}

/** Ends what outlived its postmaster; while one of these is alive, PostgreSQL refuses to start on the folder again. */
async function endSurvivors(data: string): Promise<void> {
  for (const name of ['SIGQUIT', 'SIGKILL'] as const) {
    const survivors = await postgresProcessesOn(data);
    for (const pid of survivors) signal(pid, name);
    const gone = await Promise.all(survivors.map((pid) => endsWithin(pid, 1_000)));
    if (gone.every(Boolean)) return;
  }
}
