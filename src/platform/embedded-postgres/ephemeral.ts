import { spawn } from 'node:child_process';

/** Cleans up after this process, even where it is killed. */
export interface Guard {
  disarm(): void;
}

// Where we died while PostgreSQL was starting, its process writes its number down a moment later.
const WATCH = `
read -r word && exit
for second in 1 2 3 4 5; do
  kill -QUIT "$(head -n 1 "$1/data/postmaster.pid")" && sleep 1 && break
  sleep 1
done
rm -rf "$@"`;

/**
 * Ends a database that is meant to vanish when this process dies without stopping it, even by SIGKILL: a small shell
 * waits on a pipe that closes with us. `folders` are removed; the first one holds the data.
 */
export function guardAgainstOurDeath(folders: readonly string[]): Guard {
  const shell = spawn('/bin/sh', ['-c', WATCH, 'sh', ...folders], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  shell.on('error', () => undefined);
  shell.stdin.on('error', () => undefined);
  shell.unref();
  if ('unref' in shell.stdin && typeof shell.stdin.unref === 'function') shell.stdin.unref();
  return { disarm: () => void shell.stdin.end('stopped\n') };
}
