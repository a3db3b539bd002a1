import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Guard, guardAgainstOurDeath } from '../../src/platform/embedded-postgres/ephemeral.ts';
import { isAlive, postgresProcessesOn } from '../../src/platform/embedded-postgres/processes.ts';
import {
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
  startEmbeddedPostgres,
} from '../../src/platform/embedded-postgres.ts';

const MODULE = new URL('../../src/platform/embedded-postgres.ts', import.meta.url).href;

/** Making a database is the slow part, so most tests take turns on one that every test leaves stopped. */
let shared: string;
let root: string;
let dataDir: string;
let lines: string[];
let running: EmbeddedPostgres[];
let children: ChildProcess[];
/** What a test starts may be meant to outlive its process, but not this one. */
let sharedGuard: Guard;
let rootGuard: Guard;

beforeAll(async () => {
  shared = await makeFolder();
  sharedGuard = guardOf(shared);
  const postgres = await startEmbeddedPostgres({ dataDir: join(shared, 'postgres'), log: () => undefined });
  await postgres.stop();
});

afterAll(async () => {
  sharedGuard.disarm();
  await rm(shared, { recursive: true, force: true });
});

beforeEach(async () => {
  root = await makeFolder();
  rootGuard = guardOf(root);
  dataDir = join(root, 'postgres');
  lines = [];
  running = [];
  children = [];
});

afterEach(async () => {
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  for (const postgres of running) await postgres.stop();
  // What a killed child left on the folder is ended by starting and stopping on it once more.
  if (children.length > 0) await (await start()).stop();
  rootGuard.disarm();
  await rm(root, { recursive: true, force: true });
});

describe('a new database', () => {
  it('says what it is doing, answers on the loopback alone, and asks for a password that only its owner can read', async () => {
    const progress: string[] = [];
    const postgres = await start({ ephemeral: true, onProgress: (message) => progress.push(message) });
    const { ownerUrl } = postgres;
    expect(progress).toEqual(['Creating the database…', 'Starting PostgreSQL…']);
    expect(ownerUrl).toMatch(/^postgres:\/\/postgres:[\w-]{32}@127\.0\.0\.1:\d+\/letterhead$/);
    expect(await query(ownerUrl, 'SELECT current_database() AS it')).toBe('letterhead');
    expect(await query(ownerUrl, "SELECT current_setting('listen_addresses') AS it")).toBe('127.0.0.1');
    const wrong = ownerUrl.replace(/postgres:[\w-]+@/, 'postgres:wrong@');
    await expect(query(wrong, 'SELECT 1 AS it')).rejects.toMatchObject({ code: '28P01' });
    expect((await stat(join(dataDir, 'password'))).mode & 0o777).toBe(0o600);
    // Made for a test, it goes with everything it wrote.
    await postgres.stop();
    expect(await readdir(root)).toEqual([]);
  });
});

describe('a database that is there', () => {
  beforeEach(useShared);

  it('knows upper and lower case beyond ASCII, and sorts names as people do when asked to', async () => {
    const { ownerUrl } = await start();
    expect(await query(ownerUrl, "SELECT lower('ÉCLAIR ŁÓDŹ') AS it")).toBe('éclair łódź');
    const sorted = `SELECT string_agg(n, ' ' ORDER BY n COLLATE "und-x-icu") AS it FROM unnest(ARRAY['Zoe','Émile','adam']) n`;
    expect(await query(ownerUrl, sorted)).toBe('adam Émile Zoe');
  });

  it('takes the preferred port, and another one where that is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const beside = await start({ port });
    expect(beside.port).not.toBe(port);
    other.close();
    await once(other, 'close');
    await beside.stop();
    expect((await start({ port })).port).toBe(port);
  });

  it('finds the data of the one before', async () => {
    const first = await start();
    await keepSomething(first.ownerUrl);
    await first.stop();
    const second = await start();
    expect(await query(second.ownerUrl, 'SELECT it FROM kept')).toBe(42);
  });

  it('leaves no process behind when it stops', async () => {
    const postgres = await start();
    const pid = await postmasterPid();
    await postgres.stop();
    expect(await isAlive(pid)).toBe(false);
    await expect(query(postgres.ownerUrl, 'SELECT 1 AS it')).rejects.toThrow();
  });

  it('is not barred by a pid file whose number went to another program', async () => {
    await (await start()).stop();
    await writeFile(join(dataDir, 'data', 'postmaster.pid'), `${process.pid}\n${dataDir}\n0\n5432\n`);
    const postgres = await start();
    expect(await query(postgres.ownerUrl, 'SELECT 1 AS it')).toBe(1);
  });

  it('gives the database a new password when the file with the old one is lost', async () => {
    const first = await start();
    await keepSomething(first.ownerUrl);
    await first.stop();
    await rm(join(dataDir, 'password'));
    const second = await start();
    expect(second.ownerUrl).not.toBe(first.ownerUrl);
    expect(await query(second.ownerUrl, 'SELECT it FROM kept')).toBe(42);
  });

  it('begins again where creating the database was cut off', async () => {
    dataDir = join(root, 'postgres');
    const child = spawnChild();
    const creating = async () => (await readdir(dataDir).catch(() => [])).some((name) => name.startsWith('creating-'));
    await until(creating);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const postgres = await start();
    expect(await query(postgres.ownerUrl, 'SELECT 1 AS it')).toBe(1);
    expect(await creating()).toBe(false);
  });

  it('says what to do when the data was written by another version of PostgreSQL', async () => {
    await (await start()).stop();
    const versionFile = join(dataDir, 'data', 'PG_VERSION');
    const version = await readFile(versionFile, 'utf8');
    await writeFile(versionFile, '12\n');
    await expect(start()).rejects.toMatchObject({ name: 'EmbeddedPostgresError', code: 'other_version' });
    await writeFile(versionFile, version);
  });
});

describe('a process that dies', () => {
  beforeEach(useShared);

  it('leaves a PostgreSQL that the next start replaces, with the data and on the same port', async () => {
    const child = await startChild();
    await keepSomething(child.ownerUrl);
    const orphan = await postmasterPid();
    child.process.kill('SIGKILL');
    await once(child.process, 'exit');
    expect(await isAlive(orphan)).toBe(true);
    const postgres = await start();
    expect(postgres.port).toBe(child.port);
    expect(await query(postgres.ownerUrl, 'SELECT it FROM kept')).toBe(42);
    expect(await isAlive(orphan)).toBe(false);
    expect(lines.join()).toContain(`process ${orphan}`);
  });

  it('takes an ephemeral database with it, even when it is killed', async () => {
    dataDir = join(root, 'postgres');
    const child = await startChild({ ephemeral: true });
    const pid = await postmasterPid();
    child.process.kill('SIGKILL');
    await until(async () => !(await isAlive(pid)));
    await until(async () => (await readdir(root)).length === 0);
    children = [];
  });

  it('takes an ephemeral database with it, even when it is killed while that is starting', async () => {
    dataDir = join(root, 'postgres');
    const child = spawnChild({ ephemeral: true });
    let started: number[] = [];
    await until(async () => {
      started = await postgresProcessesOn(join(dataDir, 'data'));
      return started.length > 0;
    });
    child.kill('SIGKILL');
    await until(async () => (await postgresProcessesOn(join(dataDir, 'data'))).length === 0);
    for (const pid of started) expect(await isAlive(pid)).toBe(false);
    await until(async () => (await readdir(root)).length === 0);
    children = [];
  });

  it('does not take PostgreSQL along at Ctrl-C, so that it can drain first', async () => {
    const child = await startChild();
    const pid = await postmasterPid();
    // What a terminal does: the signal goes to the whole foreground group.
    if (child.process.pid === undefined) throw new Error('The child has no process id.');
    process.kill(-child.process.pid, 'SIGINT');
    await once(child.process, 'exit');
    expect(await isAlive(pid)).toBe(true);
    expect(await query(child.ownerUrl, 'SELECT 1 AS it')).toBe(1);
  });
});

describe('a PostgreSQL that dies', () => {
  beforeEach(useShared);

  it('is started again on the same port with what was committed', async () => {
    const postgres = await start();
    await keepSomething(postgres.ownerUrl);
    const pid = await postmasterPid();
    process.kill(pid, 'SIGKILL');
    await until(() => lines.some((line) => line.includes(`runs again`)));
    expect(await query(postgres.ownerUrl, 'SELECT it FROM kept')).toBe(42);
    expect(await postmasterPid()).not.toBe(pid);
  });

  it('is started again as often as it dies', async () => {
    const postgres = await start();
    for (let times = 1; times <= 3; times += 1) {
      process.kill(await postmasterPid(), 'SIGKILL');
      await until(() => lines.filter((line) => line.includes('runs again')).length === times);
      expect(await query(postgres.ownerUrl, 'SELECT 1 AS it')).toBe(1);
    }
  });

  it('stays down when it is stopped while it is being started again', async () => {
    const postgres = await start();
    process.kill(await postmasterPid(), 'SIGKILL');
    await until(() => lines.some((line) => line.includes('stopped by itself')));
    await postgres.stop();
    await expect(query(postgres.ownerUrl, 'SELECT 1 AS it')).rejects.toThrow();
    await expect(stat(join(dataDir, 'data', 'postmaster.pid'))).rejects.toThrow();
  });
});

describe('a second process on the same folder', () => {
  beforeEach(useShared);

  it('is refused and told which process holds it', async () => {
    const child = await startChild();
    await expect(start()).rejects.toMatchObject({
      code: 'in_use',
      message: expect.stringContaining(`in use by process ${child.process.pid}`),
    });
    expect(await query(child.ownerUrl, 'SELECT 1 AS it')).toBe(1);
  });

  it('may have it once the first one stopped', async () => {
    const first = await start();
    await expect(start()).rejects.toMatchObject({ code: 'in_use' });
    await first.stop();
    expect(await query((await start()).ownerUrl, 'SELECT 1 AS it')).toBe(1);
  });
});

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'letterhead-test-'));
  await chmod(folder, 0o755);
  return folder;
}

function guardOf(folder: string): Guard {
  return guardAgainstOurDeath([join(folder, 'postgres'), folder]);
}

function useShared(): void {
  dataDir = join(shared, 'postgres');
}

async function start(options: Partial<EmbeddedPostgresOptions> = {}): Promise<EmbeddedPostgres> {
  const postgres = await startEmbeddedPostgres({ dataDir, log: (line) => lines.push(line), ...options });
  running.push(postgres);
  return postgres;
}

function spawnChild(options: Partial<EmbeddedPostgresOptions> = {}) {
  const script = `
    import { startEmbeddedPostgres } from ${JSON.stringify(MODULE)};
    const options = { dataDir: ${JSON.stringify(dataDir)}, log: () => {}, ...${JSON.stringify(options)} };
    const { ownerUrl, port } = await startEmbeddedPostgres(options);
    console.log(JSON.stringify({ ownerUrl, port }));
    setInterval(() => {}, 60_000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  return child;
}

async function startChild(options: Partial<EmbeddedPostgresOptions> = {}) {
  const child = spawnChild(options);
  for await (const line of createInterface(child.stdout)) {
    const { ownerUrl, port } = JSON.parse(line) as { ownerUrl: string; port: number };
    return { process: child, ownerUrl, port };
  }
  throw new Error('The child said nothing.');
}

async function query(url: string, sql: string): Promise<unknown> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<{ it: unknown }>(sql)).rows[0]?.it;
  } finally {
    await client.end();
  }
}

async function keepSomething(url: string): Promise<void> {
  await query(url, 'DROP TABLE IF EXISTS kept');
  await query(url, 'CREATE TABLE kept AS SELECT 42 AS it');
}

async function postmasterPid(): Promise<number> {
  return Number.parseInt(await readFile(join(dataDir, 'data', 'postmaster.pid'), 'utf8'), 10);
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 90_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('It did not happen within 90 s.');
    await wait(20);
  }
}
