import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';

/** What the stand-in for npm does: notes that it ran, then brings a Node, as the real one does. */
const BRINGS_NODE = `rm -rf node_modules && mkdir -p node_modules/.bin && ln -sf ${process.execPath} node_modules/.bin/node`;

let root: string;

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'letterhead-install-'));
  for (const folder of ['bin', 'stand-in']) mkdirSync(path.join(root, folder));
  copyFileSync(new URL('../../bin/install.js', import.meta.url), path.join(root, 'bin', 'install.js'));
  writeManifest({ pg: '^8.0.0' });
  writeFileSync(path.join(root, 'package-lock.json'), '{}');
  npmDoes(BRINGS_NODE);
});

afterEach(() => rmSync(root, { recursive: true }));

describe('bin/install.js', () => {
  it('installs from the lock file into a fresh clone, and says so', async () => {
    const { code, output } = await install();
    expect(output).toMatch(
      /^Installing packages \(about half a minute, the first time only\)…(?: \d+ s…)* done in \d+ s\.\n$/,
    );
    expect(code).toBe(0);
    expect(npmRuns()).toEqual([expect.stringMatching(/^ci .*--include=dev/)]);
  });

  it('is silent, and calls nobody, when everything is there', async () => {
    await install();
    expect(await install()).toEqual({ code: 0, output: '' });
    expect(npmRuns()).toHaveLength(1);
  });

  it('installs again when the lock file, or what the manifest asks for, changed', async () => {
    await install();
    writeFileSync(path.join(root, 'package-lock.json'), '{ "lockfileVersion": 3 }');
    await install();
    writeManifest({ pg: '^9.0.0' });
    await install();
    expect(npmRuns()).toHaveLength(3);
  });

  it('does not mind a change of the manifest that has nothing to do with packages', async () => {
    await install();
    writeManifest({ pg: '^8.0.0' }, { scripts: { start: 'node src/main.ts' } });
    await install();
    expect(npmRuns()).toHaveLength(1);
  });

  it('installs again when the Node in node_modules does not run, and takes that one away first', async () => {
    await install();
    const broken = path.join(root, 'node_modules', '.bin', 'node');
    rmSync(broken);
    writeFileSync(broken, 'made for another machine');
    npmDoes(`test ! -e node_modules/.bin/node && ${BRINGS_NODE}`);
    expect((await install()).code).toBe(0);
    expect(npmRuns()).toHaveLength(2);
  });

  it('says what to do when the Node that was installed is too old', async () => {
    npmDoes(
      'mkdir -p node_modules/.bin && printf "#!/bin/sh\\necho v20.1.0\\n" > node_modules/.bin/node && chmod +x node_modules/.bin/node',
    );
    const { code, output } = await install();
    expect(code).toBe(1);
    expect(output).toMatch(/Node 24 for this machine is not among them[\s\S]*What to do: install Node 24 or newer/);
  });

  it.each([
    ['npm error code ENOTFOUND', 'npm could not reach its registry.', 'Check the network'],
    ['npm error code ENOSPC', 'The disk is full.', 'Free about 1 GB'],
    ['npm error code EACCES', 'npm may not write here.', 'Make the folder'],
    ['npm error code EUSAGE', 'package.json asks for what package-lock.json does not hold.', 'Run `npm install`'],
    ['npm error something odd', 'npm ended with 7.', 'Read what npm said above'],
  ])('after "%s" says what happened and what to do', async (said, what, todo) => {
    npmDoes(`echo "${said}" >&2; exit 7`);
    const { code, output } = await install();
    expect(code).toBe(1);
    expect(output).toContain(said);
    expect(output).toContain(`The packages could not be installed: ${what}\nWhat to do: ${todo}`);
  });

  it('goes on by itself after a hiccup of the network', async () => {
    npmDoes(`test "$(wc -l < stand-in/runs)" -ge 2 || { echo ECONNRESET; exit 1; }; ${BRINGS_NODE}`);
    expect((await install()).code).toBe(0);
    expect(npmRuns()).toHaveLength(2);
  });

  it('says what to do when there is no npm', async () => {
    rmSync(path.join(root, 'stand-in', 'npm'));
    expect((await install({ PATH: path.join(root, 'stand-in') })).output).toContain('npm was not found.');
  });

  it('tries again after a failure', async () => {
    npmDoes('exit 1');
    await install();
    npmDoes(BRINGS_NODE);
    expect((await install()).code).toBe(0);
    expect((await install()).output).toBe('');
  });

  it('lets one of two runs install while the other waits for it', async () => {
    npmDoes(`while [ ! -e stand-in/go ]; do sleep 0.05; done; ${BRINGS_NODE}`);
    const first = install();
    await eventually(
      () => existsSync(path.join(root, 'stand-in', 'runs')),
      (begun) => begun,
    );
    let heard = '';
    const second = install({}, (text) => {
      heard += text;
    });
    await eventually(
      () => heard,
      (text) => text.includes('waiting for it'),
    );
    writeFileSync(path.join(root, 'stand-in', 'go'), '');
    const both = await Promise.all([first, second]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect(npmRuns()).toHaveLength(1);
    expect(both.map(({ output }) => output).sort()).toEqual([
      'Another run is installing the packages; waiting for it…\n',
      expect.stringMatching(/^Installing packages/),
    ]);
  });

  it.each([
    ['whose process is gone', () => `${hostname()} 4194304`, 0],
    ['that nobody touched for a while', () => 'elsewhere 1', 60],
  ])('takes over a lock %s', async (_, holder, secondsAgo) => {
    const lock = path.join(root, '.letterhead-installing');
    writeFileSync(lock, holder());
    const touched = Date.now() / 1_000 - secondsAgo;
    utimesSync(lock, touched, touched);
    expect((await install()).code).toBe(0);
    expect(existsSync(lock)).toBe(false);
  });
});

async function install(env: { PATH?: string } = {}, hear: (text: string) => void = () => {}) {
  const standIn = path.join(root, 'stand-in');
  const child = spawn(process.execPath, [path.join(root, 'bin', 'install.js')], {
    cwd: root,
    env: { PATH: `${standIn}${path.delimiter}/usr/bin${path.delimiter}/bin`, ...env },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk;
      hear(String(chunk));
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

function npmDoes(script: string): void {
  const npm = path.join(root, 'stand-in', 'npm');
  writeFileSync(npm, `#!/bin/sh\necho "$@" >> stand-in/runs\n${script}\n`);
  chmodSync(npm, 0o755);
}

function npmRuns(): string[] {
  return readFileSync(path.join(root, 'stand-in', 'runs'), 'utf8')
    .trim()
    .split('\n');
}

function writeManifest(dependencies: Record<string, string>, more: object = {}): void {
  writeFileSync(
    path.join(root, 'package.json'),
    JSON.stringify({ type: 'module', engines: { node: '>=24' }, dependencies, ...more }),
  );
}
