import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { TestLetterhead } from './letterhead.ts';

/** A worker as production starts it: `node src/main.ts work`, on the test's database and Google. */
export interface WorkerProcess {
  /** What `attempts.owner` holds for it. */
  readonly pid: number;
  /** Ends it as a power cut would, and waits until it is gone. */
  kill(): Promise<void>;
  /** Asks it to finish, and waits until it has. Returns its exit code. */
  stop(): Promise<number | null>;
}

/**
 * Starts one and waits until it says that it is working.
 *
 * @param environment variables that this one has otherwise
 */
export async function startWorker(
  letterhead: TestLetterhead,
  environment: Record<string, string> = {},
): Promise<WorkerProcess> {
  const { config, google } = letterhead;
  const child = spawn(process.execPath, [path.join(import.meta.dirname, '../../src/main.ts'), 'work'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      PUBLIC_URL: config.publicUrl,
      DATABASE_URL: config.database.app,
      DATABASE_SYSTEM_URL: config.database.system,
      GOOGLE_CLIENT_ID: config.google.clientId,
      GOOGLE_CLIENT_SECRET: config.google.clientSecret,
      GOOGLE_ISSUER: google.url,
      GMAIL_ROOT_URL: `${google.url}/`,
      GOOGLE_TIMEOUT_SECONDS: '1',
      TOKEN_KEYS: config.tokenKeys,
      SESSION_SECRET: config.sessionSecrets.join(','),
      SEND_DEADLINE_SECONDS: String(config.sendDeadlineMs / 1_000),
      GMAIL_UNITS_PER_MINUTE: String(config.pace.unitsPerMinute ?? 0),
      GMAIL_PROJECT_UNITS_PER_MINUTE: String(config.pace.projectUnitsPerMinute ?? 0),
      GMAIL_IN_FLIGHT: String(config.pace.inFlight ?? 0),
      SETTLE_SECONDS: String(config.settleMs / 1_000),
      ...environment,
    },
  });
  const gone = once(child, 'exit');
  await said(child, '"working"');
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    const [code] = await gone;
    return typeof code === 'number' ? code : null;
  };
  return {
    pid: child.pid ?? 0,
    kill: async () => void (await end('SIGKILL')),
    stop: () => end('SIGTERM'),
  };
}

async function said(child: ChildProcess, words: string): Promise<void> {
  let output = '';
  child.stderr?.on('data', (chunk) => {
    output += String(chunk);
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on('data', (chunk) => {
      output += String(chunk);
      if (output.includes(words)) resolve();
    });
    child.once('exit', () => reject(new Error(`The worker did not start: ${output}`)));
  });
}
