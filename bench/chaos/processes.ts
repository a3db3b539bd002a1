import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

const root = path.join(import.meta.dirname, '../..');

/** A program in a process of its own. */
export interface Program {
  readonly pid: number;
  /** What it said when it was ready. */
  readonly said: RegExpExecArray;
  /** Whether it has ended, by whomever. */
  readonly ended: () => boolean;
  /** What it wrote last; for a program that ended by itself. */
  readonly lastWords: () => string;
  /** Ends it as a power cut would. */
  kill(): Promise<void>;
  /** Asks it to end, and waits. */
  stop(): Promise<void>;
}

/** Starts `node …` in the checkout, and waits until it says that it is ready. */
export async function startProgram(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  ready: RegExp,
): Promise<Program> {
  const child = spawn(process.execPath, args, {
    ...{ cwd: root, stdio: ['ignore', 'pipe', 'pipe'] as const },
    env: { PATH: process.env['PATH'], ...env },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      output = `${output}${chunk}`.slice(-20_000);
    });
  const gone = once(child, 'exit');
  const ended = () => child.exitCode !== null || child.signalCode !== null;
  const end = async (signal: NodeJS.Signals) => {
    if (!ended()) child.kill(signal);
    await gone;
  };
  const said = await untilSaid(child, ready, () => output);
  return {
    ...{ pid: child.pid ?? 0, said, ended, lastWords: () => output },
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
  };
}

function untilSaid(child: ChildProcess, ready: RegExp, output: () => string): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    child.stdout?.on('data', () => {
      const found = ready.exec(output());
      if (found) resolve(found);
    });
    child.once('exit', (code, signal) => reject(new Error(`A program ended with ${code ?? signal}:\n${output()}`)));
  });
}
