import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let root: string;

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'letterhead-ci-'));
  mkdirSync(path.join(root, '.ci'));
  mkdirSync(path.join(root, 'stand-in'));
  copyFileSync(new URL('../../.ci/run', import.meta.url), path.join(root, '.ci', 'run'));
  readmeSays('Run `npm test` often:\n\n```sh\n$ npm test\n```\n');
});

afterEach(() => rmSync(root, { recursive: true }));

describe('.ci/run', () => {
  it('runs the checks and the test command of the README, and ends with what the tests counted', () => {
    npmDoes({ check: 'echo checked', test: 'echo " Test Files  2 passed (2)"; echo "      Tests  18 passed (18)"' });
    const { output, ...ended } = ci();
    expect(ended).toMatchObject({ status: 0, last: '22 passed, 0 failed' });
    expect(output).toContain('checked');
  });

  it('says how long each part took', () => {
    npmDoes({ check: 'true', test: 'echo "      Tests  18 passed (18)"' });
    expect(ci().output).toMatch(/\d+ s {2}npm run check\n +\d+ s {2}npm test\n +\d+ s {2}npm run test:all\n22 passed/);
  });

  it('counts what takes long with the others, and fails with it', () => {
    const test = 'echo "      Tests  18 passed (18)"';
    npmDoes({ check: 'true', test, long: 'echo "      Tests  1 failed | 3 passed (4)"; exit 1' });
    expect(ci()).toMatchObject({ status: 1, last: '21 passed, 1 failed' });
    npmDoes({ check: 'true', test, long: 'exit 1' });
    expect(ci()).toMatchObject({ status: 1, last: '18 passed, 0 failed' });
  });

  it('fails with the tests', () => {
    npmDoes({ check: 'true', test: 'echo "      Tests  3 failed | 17 passed (20)"; exit 1' });
    expect(ci()).toMatchObject({ status: 1, last: '21 passed, 3 failed' });
  });

  it('fails with the checks, and still runs the tests', () => {
    npmDoes({ check: 'exit 1', test: 'echo "      Tests  18 passed (18)"' });
    expect(ci()).toMatchObject({ status: 1, last: '22 passed, 0 failed' });
  });

  it('fails when the tests fail outside of a test', () => {
    npmDoes({ check: 'true', test: 'echo "      Tests  18 passed (18)"; exit 1' });
    expect(ci().status).toBe(1);
  });

  it('fails when no test ran', () => {
    npmDoes({ check: 'true', test: 'echo all good' });
    expect(ci()).toMatchObject({ status: 1, last: '4 passed, 0 failed' });
  });

  it('fails when the README names no test command', () => {
    readmeSays('Run `npm test` often.\n');
    npmDoes({ check: 'true', test: 'echo "      Tests  18 passed (18)"' });
    expect(ci()).toMatchObject({ status: 1, last: expect.stringContaining('README.md names no test command') });
  });
});

function ci(): { status: number | null; output: string; last: string | undefined } {
  const PATH = `${path.join(root, 'stand-in')}${path.delimiter}${process.env['PATH'] ?? ''}`;
  const { status, stdout, stderr } = spawnSync(path.join(root, '.ci', 'run'), { encoding: 'utf8', env: { PATH } });
  const output = `${stderr}${stdout}`;
  return { status, output, last: output.trim().split('\n').at(-1) };
}

/** What the commands do: `npm test`, `npm run test:all` and any other. */
function npmDoes({
  check,
  test,
  long = 'echo "      Tests  4 passed (4)"',
}: Record<'check' | 'test', string> & { long?: string }): void {
  const npm = path.join(root, 'stand-in', 'npm');
  writeFileSync(npm, `#!/bin/sh\ncase "$*" in\ntest) ${test} ;;\n"run test:all") ${long} ;;\n*) ${check} ;;\nesac\n`);
  chmodSync(npm, 0o755);
}

function readmeSays(text: string): void {
  writeFileSync(path.join(root, 'README.md'), text);
}
