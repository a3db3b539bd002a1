import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { type Browser, chromium } from 'playwright-core';

const run = promisify(execFile);

/** The headless shell first: the same engine without a user interface, at half the CPU. */
const NAMES = [
  'chromium-headless-shell',
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
  'chrome',
];

const MAC_APPS = ['Chromium', 'Google Chrome'].flatMap((name) =>
  ['/Applications', path.join(homedir(), 'Applications')].map((folder) =>
    path.join(folder, `${name}.app/Contents/MacOS/${name}`),
  ),
);

const PLAYWRIGHT_CACHES = [
  process.env['PLAYWRIGHT_BROWSERS_PATH'] ?? '',
  path.join(homedir(), '.cache/ms-playwright'),
  path.join(homedir(), 'Library/Caches/ms-playwright'),
].filter(path.isAbsolute);

const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

let shared: Promise<Browser> | undefined;

/**
 * The Chromium of this worker process, without a window: started for the first who asks, ended with the process. Each
 * test opens a context of its own, and closes it.
 */
export function sharedChromium(): Promise<Browser> {
  shared ??= launch();
  return shared;
}

async function launch(): Promise<Browser> {
  // Vitest ends a worker by SIGTERM; with a listener of Playwright's it would go on until it is killed.
  const browser = await chromium.launch({
    executablePath: await findChromium(),
    args: ARGUMENTS,
    // Without one it knows no name of a file with an umlaut, and calls it “download”.
    env: { ...process.env, LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8' },
    handleSIGTERM: false,
  });
  process.once('SIGTERM', () => process.exit());
  browser.once('disconnected', () => {
    shared = undefined;
  });
  return browser;
}

/**
 * The path of a Chromium that runs: the one named by CHROMIUM_PATH, else one found in the usual places, else one that is
 * installed now. A browser test is never left out in silence.
 *
 * @throws when there is none and none can be installed; the message says what to do
 */
export async function findChromium(say: (line: string) => void = (line) => console.warn(line)): Promise<string> {
  const named = process.env['CHROMIUM_PATH'];
  if (named) {
    if (await runs(named)) return named;
    throw new Error(`CHROMIUM_PATH is ${named}, which does not run. Correct it, or unset it to have Chromium found.`);
  }
  const found = await firstThatRuns(usualPlaces());
  if (found !== undefined) return found;
  for (const install of [installWithApt, installWithPlaywright]) {
    await install(say);
    const installed = await firstThatRuns(usualPlaces());
    if (installed !== undefined) return installed;
  }
  throw new Error(
    'The browser tests need Chromium, which is not here and could not be installed. ' +
      'Install Chromium or Google Chrome with your system, or set CHROMIUM_PATH to one, and run the tests again.',
  );
}

function usualPlaces(): string[] {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter).filter(Boolean);
  return [
    ...NAMES.flatMap((name) => folders.map((folder) => path.join(folder, name))),
    ...MAC_APPS,
    ...PLAYWRIGHT_CACHES.flatMap((cache) =>
      globSync(['chromium-*/chrome-*/chrome', 'chromium-*/*/*.app/Contents/MacOS/*'], { cwd: cache })
        .sort()
        .reverse()
        .map((name) => path.join(cache, name)),
    ),
  ];
}

async function firstThatRuns(candidates: readonly string[]): Promise<string | undefined> {
  for (const candidate of candidates) if (await runs(candidate)) return candidate;
  return undefined;
}

/** Asks it for its version: some systems have a `chromium` that only says how to install one. */
async function runs(candidate: string): Promise<boolean> {
  return run(candidate, ['--version'], { timeout: 20_000 }).then(
    ({ stdout }) => /chrom/i.test(stdout),
    () => false,
  );
}

async function installWithApt(say: (line: string) => void): Promise<void> {
  if (process.getuid?.() !== 0) return;
  say('Chromium is missing; installing it with apt-get (a minute or two)…');
  const wait = ['-o', 'DPkg::Lock::Timeout=300'];
  if (!(await succeeds('apt-get', [...wait, 'update'], say))) return;
  // The shell alone where the system has it, which is smaller.
  for (const name of ['chromium-headless-shell', 'chromium'])
    if (await succeeds('apt-get', [...wait, 'install', '-y', '--no-install-recommends', name], say)) return;
}

async function installWithPlaywright(say: (line: string) => void): Promise<void> {
  say('Chromium is missing; downloading the one that Playwright offers (about 200 MB)…');
  const cli = path.join(import.meta.dirname, '../../node_modules/playwright-core/cli.js');
  await succeeds(process.execPath, [cli, 'install', 'chromium'], say);
}

async function succeeds(command: string, parameters: string[], say: (line: string) => void): Promise<boolean> {
  try {
    const child = spawn(command, parameters, {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      timeout: 10 * 60_000,
    });
    const [code] = await once(child, 'exit');
    if (code === 0) return true;
    say(`${command} ended with ${code}.`);
  } catch (error) {
    say(`${command} could not be run: ${error instanceof Error ? error.message : error}`);
  }
  return false;
}
