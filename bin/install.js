// Runs before everything else (prestart, pretest …), on whatever Node the machine has from 18 on and with no package
// installed: brings node_modules, and the Node in it, to what package-lock.json says. Silent and quick when they are.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const MODULES = path.join(ROOT, 'node_modules');
const STAMP = path.join(MODULES, '.letterhead-install');
// Beside node_modules, which npm empties first.
const LOCK = path.join(ROOT, '.letterhead-installing');
const NODE = path.join(MODULES, '.bin', process.platform === 'win32' ? 'node.cmd' : 'node');
const NPM_OPTIONS =
  '--no-audit --no-fund --include=dev --include=optional --loglevel=error --fetch-retries=0 --fetch-timeout=60000';
const NETWORK_TROUBLE = /ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED|ECONNRESET|ENETUNREACH|ERR_SOCKET_TIMEOUT|network/;
const NETWORK_ROUNDS = 3;
const HEARTBEAT_MS = 2_000;
const LOCK_EXPIRES_MS = 20_000;

/** What must be installed, and for which kind of machine, as one line. */
function readWanted() {
  const manifest = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
  const { dependencies, devDependencies, optionalDependencies, overrides, allowScripts, engines } = manifest;
  const hash = createHash('sha256')
    .update(JSON.stringify([dependencies, devDependencies, optionalDependencies, overrides, allowScripts]))
    .update(fs.readFileSync(path.join(ROOT, 'package-lock.json')));
  return {
    stamp: `${process.platform}-${process.arch} ${hash.digest('hex')}\n`,
    major: Number.parseInt(engines.node.replace(/\D+/, ''), 10),
  };
}

function isFresh() {
  return readIfThere(STAMP) === wanted.stamp && hasRightNode();
}

/** Whether `node` means a Node that is new enough in npm's scripts, where node_modules/.bin comes first. */
function hasRightNode() {
  const there = fs.existsSync(NODE);
  if (!there || fs.realpathSync(NODE) === process.execPath) return isNewEnough(process.version);
  const { stdout } = spawnSync(NODE, ['--version'], { encoding: 'utf8', shell: process.platform === 'win32' });
  return isNewEnough(stdout ?? '');
}

function isNewEnough(version) {
  return Number.parseInt(version.replace('v', ''), 10) >= wanted.major;
}

async function installAlone() {
  await takeLock();
  const heartbeat = setInterval(() => fs.utimes(LOCK, new Date(), new Date(), () => {}), HEARTBEAT_MS);
  let problem;
  try {
    // Another run may have done it while this one waited for the lock.
    if (!isFresh()) problem = await install();
  } finally {
    clearInterval(heartbeat);
    fs.rmSync(LOCK, { force: true });
  }
  if (problem === undefined) return;
  console.error(`\n${problem}`);
  process.exitCode = 1;
}

/** Undefined when all went well, else what went wrong and what to do. */
async function install() {
  fs.rmSync(STAMP, { force: true });
  // npm itself would be run with it.
  if (fs.existsSync(NODE) && !hasRightNode()) fs.rmSync(NODE);
  const stopProgress = showProgress();
  let { code, output } = await runNpm();
  for (let round = 2; code !== 0 && NETWORK_TROUBLE.test(output) && round <= NETWORK_ROUNDS; round += 1) {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    ({ code, output } = await runNpm());
  }
  stopProgress(code === 0);
  if (code !== 0) return explain(code, output);
  if (!hasRightNode()) {
    return [
      `The packages are installed, but Node ${wanted.major} for this machine is not among them (this is Node ${process.version}).`,
      `What to do: install Node ${wanted.major} or newer yourself (https://nodejs.org), delete node_modules and start again.`,
    ].join('\n');
  }
  fs.writeFileSync(STAMP, wanted.stamp);
  return undefined;
}

/** `npm ci`: exactly what the lock says, from nothing. No retries of npm's own: without a network they take ten minutes. */
async function runNpm() {
  const within = process.env.npm_execpath ?? '';
  const [command, ...first] = within.endsWith('npm-cli.js') ? [process.execPath, within] : ['npm'];
  const child = spawn(command, [...first, 'ci', ...NPM_OPTIONS.split(' ')], {
    cwd: ROOT,
    env: { ...process.env, PATH: `${path.dirname(NODE)}${path.delimiter}${process.env.PATH ?? ''}` },
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32' && first.length === 0,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: error.code, output }));
    child.once('close', (code, signal) => resolve({ code: code ?? signal, output }));
  });
}

function showProgress() {
  const text = 'Installing packages (about half a minute, the first time only)…';
  const started = Date.now();
  const seconds = () => `${Math.round((Date.now() - started) / 1_000)} s`;
  const { isTTY } = process.stdout;
  process.stdout.write(text);
  const tick = () => process.stdout.write(isTTY ? `\r${text} ${seconds()}` : ` ${seconds()}…`);
  const timer = setInterval(tick, isTTY ? 1_000 : 10_000);
  return (done) => {
    clearInterval(timer);
    process.stdout.write(done ? ` done in ${seconds()}.\n` : '\n');
  };
}

const KNOWN_PROBLEMS = [
  [/^ENOENT$/, 'npm was not found.', 'Install Node with npm (https://nodejs.org) and start again.'],
  [
    NETWORK_TROUBLE,
    'npm could not reach its registry.',
    'Check the network, and a proxy or registry set in your .npmrc, and start again: what was fetched already is kept.',
  ],
  [/ENOSPC/, 'The disk is full.', 'Free about 1 GB and start again.'],
  [
    /EACCES|EPERM|EROFS/,
    'npm may not write here.',
    'Make the folder, and node_modules in it, yours (chown), and start again.',
  ],
  [
    /EUSAGE/,
    'package.json asks for what package-lock.json does not hold.',
    'Run `npm install` to bring the lock file up to date, and start again.',
  ],
  [/EINTEGRITY/, 'A package differs from what the lock file says.', 'Run `npm cache clean --force` and start again.'],
];

function explain(code, output) {
  const said = output.trim().split('\n').slice(0, 8).join('\n');
  const [, what, todo] = KNOWN_PROBLEMS.find(([pattern]) => pattern.test(`${code}`) || pattern.test(output)) ?? [
    undefined,
    `npm ended with ${code}.`,
    'Read what npm said above; deleting node_modules and starting again often helps.',
  ];
  return `${said}\n\nThe packages could not be installed: ${what}\nWhat to do: ${todo}`.trimStart();
}

/** Waits until this is the only run that installs here. The holder touches the lock; one left untouched is nobody's. */
async function takeLock() {
  const mine = `${hostname()} ${process.pid}`;
  for (let told = false; ; ) {
    try {
      fs.writeFileSync(LOCK, mine, { flag: 'wx' });
      return;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const holder = readIfThere(LOCK);
    if (isAbandoned(holder)) {
      takeAway(holder);
      continue;
    }
    if (!told) console.log('Another run is installing the packages; waiting for it…');
    told = true;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

function isAbandoned(holder) {
  const touched = fs.statSync(LOCK, { throwIfNoEntry: false })?.mtimeMs;
  if (touched === undefined) return false;
  if (Date.now() - touched > LOCK_EXPIRES_MS) return true;
  const [host, pid] = (holder ?? '').split(' ');
  if (host !== hostname() || !pid) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

/** Renamed first: of several runs that saw the same abandoned lock one succeeds, and a newer lock is put back. */
function takeAway(holder) {
  const aside = `${LOCK}-${process.pid}`;
  try {
    fs.renameSync(LOCK, aside);
    if (readIfThere(aside) === holder) fs.rmSync(aside);
    else fs.renameSync(aside, LOCK);
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
}

function readIfThere(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

const wanted = readWanted();
if (!isFresh()) await installAlone();
