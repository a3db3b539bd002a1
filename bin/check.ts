/**
 * All checks of the code side by side, the longest first. Prints how long each took, and the whole output of what failed.
 * Exits with 1 when any did.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import path from 'node:path';

const root = path.join(import.meta.dirname, '..');

/** Commands of node_modules/.bin, and of Node. */
const CHECKS: readonly (readonly [name: string, command: string, ...args: string[]])[] = [
  ['types', 'tsc'],
  ['database types', 'node', 'bin/check-database-types.ts'],
  ['unused code', 'knip'],
  ['style', 'biome', 'check', '--error-on-warnings'],
  ['views', 'node', 'bin/check-views.ts'],
  ['imports', 'node', 'bin/check-imports.ts'],
  ['lock', 'node', 'bin/check-lock.ts'],
];

/** Runs one; returns whether it passed. */
async function check([name, command, ...args]: (typeof CHECKS)[number]): Promise<boolean> {
  const started = performance.now();
  const child = spawn(command, args, {
    cwd: root,
    env: {
      ...process.env,
      PATH: `${path.join(root, 'node_modules/.bin')}${path.delimiter}${process.env['PATH'] ?? ''}`,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32',
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  child.once('error', (error) => (output += `${error.message}\n`));
  const [code] = await once(child, 'close');
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  const passed = code === 0;
  console.log(`${passed ? 'passed' : 'FAILED'}  ${name} (${seconds} s)`);
  // What a check looked at is told even when it passed: one that saw nothing shows.
  if (!passed || command === 'node') console.log(output.trimEnd().replaceAll(/^/gm, '        '));
  return passed;
}

const waiting = [...CHECKS];
let failed = 0;
await Promise.all(
  Array.from({ length: Math.max(2, availableParallelism()) }, async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) if (!(await check(next))) failed += 1;
  }),
);
console.log(failed === 0 ? `All ${CHECKS.length} checks passed.` : `${failed} of ${CHECKS.length} checks failed.`);
process.exitCode = failed === 0 ? 0 : 1;
