import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ran, ranHere } from '../support/command.ts';
import { type Company, company } from '../support/company.ts';
import { startTestLetterhead, type TestLetterhead, testClient } from '../support/letterhead.ts';

const dataDir = mkdtempSync(path.join(tmpdir(), 'letterhead-doctor-'));
let letterhead: TestLetterhead;
let first: Company;
let second: Company;

beforeAll(async () => {
  letterhead = await startTestLetterhead();
  first = await company(letterhead, { permissions: ['tracking'] });
  second = await company(letterhead);
});
afterAll(async () => {
  rmSync(dataDir, { recursive: true, force: true });
  await letterhead.close();
});

/** As its operator calls it beside the running product. */
function environment() {
  const { database, google, url, config } = letterhead;
  return {
    ...{ PATH: process.env['PATH'], DATA_DIR: dataDir, PUBLIC_URL: url, TOKEN_KEYS: config.tokenKeys },
    ...{ DATABASE_URL: database.urls.app, DATABASE_SYSTEM_URL: database.urls.system },
    ...{ GOOGLE_ISSUER: google.url, GMAIL_ROOT_URL: `${google.url}/` },
    ...{ GOOGLE_CLIENT_ID: testClient.clientId, GOOGLE_CLIENT_SECRET: testClient.clientSecret },
  };
}

/** `node src/main.ts doctor …`. */
async function started(...args: string[]): Promise<Ran> {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, '../../src/main.ts'), 'doctor', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environment(),
  });
  let output = '';
  const hear = (chunk: Buffer) => {
    output += String(chunk);
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  const [code] = await once(child, 'close');
  return { code: Number(code), output };
}

async function doctor(run: Promise<Ran>): Promise<Ran> {
  const ran = await run;
  expect(ran.output).not.toContain(testClient.clientSecret);
  return ran;
}
const here = (...args: string[]) => doctor(ranHere('doctor', environment(), args));

describe('letterhead doctor', () => {
  it('checks a mailbox, and sends it a test email where that is asked for', async () => {
    const { code, output } = await doctor(started(first.account, '--test-email'));
    expect(output).toContain(`Check-up of ${first.account}`);
    expect(output).toMatch(/\[passed\] +The connection to Google/);
    expect(output).toContain(`Google sends people back to ${letterhead.url}.`);
    expect(output).toMatch(/\[passed\] +A test email to itself: Gmail sent it from/);
    expect(output).toContain(' 0 failed');
    expect(output).not.toContain(second.account);
    expect(code).toBe(0);
  });

  it('checks all of them, or those of one company, and exits with 1 when a step failed', async () => {
    letterhead.google.accounts.removeAccess(second.account, testClient.clientId);
    const all = await doctor(started());
    expect(all.output).toContain(first.account);
    expect(all.output).toMatch(new RegExp(`${second.account}[^]*\\[FAILED\\] +The connection to Google`));
    expect(all.code).toBe(1);
    const one = await here('--tenant', first.tenantId);
    expect(one.output).not.toContain(second.account);
    expect(one.code).toBe(0);
  });

  it('says what it does not know', async () => {
    for (const [args, words] of [
      [['nobody@example.com'], 'There is no mailbox nobody@example.com.'],
      [['--tenant', 'Nobody'], 'There is no company “Nobody”'],
      [['--all'], 'That is no way to call it.'],
    ] as const) {
      const { code, output } = await here(...args);
      expect(output).toContain(words);
      expect(output).not.toContain('    at ');
      expect(code).toBe(1);
    }
  });
});
