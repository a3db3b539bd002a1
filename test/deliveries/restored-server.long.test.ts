import { execFile } from 'node:child_process';
import { appendFile, chmod, chown, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { openDatabase } from '../../src/platform/database.ts';
import { type Guard, guardAgainstOurDeath } from '../../src/platform/embedded-postgres/ephemeral.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/platform/embedded-postgres.ts';
import { migrate } from '../../src/platform/migrate.ts';
import { deriveUrls } from '../../src/platform/roles.ts';
import { readIdentity } from '../../src/tenants/system-identity.ts';
import type { TestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import type { TestLetterhead } from '../support/letterhead.ts';
import { permittedSender } from '../support/permitted.ts';
import { type Product, startProduct } from '../support/product.ts';

/** A PostgreSQL of its own, which is stopped, copied, and put back to the copy while a worker runs. */
let root: string;
let postgres: EmbeddedPostgres;
let guard: Guard;
let product: Product;
let letterhead: TestLetterhead;
const passwords = { app: 'app', system: 'system' };

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'letterhead-restore-'));
  // As root, PostgreSQL runs as somebody else, who must come in.
  await chmod(root, 0o755);
  guard = guardAgainstOurDeath([path.join(root, 'postgres'), root]);
  // Beyond what the system gives to whoever asks for any: nobody takes it while PostgreSQL is down.
  postgres = await start(15_000 + Math.floor(Math.random() * 10_000));
  const urls = deriveUrls(postgres.ownerUrl, passwords);
  await migrate(urls);
  product = await startProduct(urls);
  const { db, system } = product.context;
  const tenant = () => Promise.reject(new Error('Companies are founded otherwise here.'));
  const database: TestDatabase = { urls, db, system, pool: product.pool, tenant, close: async () => {} };
  letterhead = { ...product, database };
});
afterAll(async () => {
  await product.close();
  await postgres.stop();
  guard.disarm();
  await rm(root, { recursive: true, force: true });
});

const start = (port?: number) =>
  startEmbeddedPostgres({ dataDir: path.join(root, 'postgres'), log: () => {}, ...(port && { port }) });

/** Does something while PostgreSQL is down; it comes back on its port, under the worker's hands. */
async function whileStopped(work: (data: string) => Promise<void>): Promise<void> {
  const { port, dataDir } = postgres;
  await postgres.stop();
  await work(dataDir);
  postgres = await start(port);
}

/** With owners and modes, which PostgreSQL insists on. */
const copy = async (from: string, to: string) => void (await promisify(execFile)('cp', ['-a', from, to]));

const identity = () => eventually(() => readIdentity(product.context.system).catch(() => null), Boolean);

it('after a rewind to a backup nothing is sent twice: it is looked up in Gmail, or somebody is asked', async () => {
  const blind = await permittedSender(letterhead, ['send']);
  const looking = await permittedSender(letterhead, ['send', 'tracking']);
  const sendAt = new Date(product.google.clock.now() + 3_600_000);
  const [unseen, seen] = [await blind.send({ sendAt }), await looking.send({ sendAt })];
  const first = await identity();

  const backup = path.join(root, 'backup');
  await whileStopped((data) => copy(data, backup));
  // A restart is no restore.
  expect(await identity()).toBe(first);
  product.google.clock.forward(3_600_000);
  await blind.reaches(unseen, 'sent');
  await looking.reaches(seen, 'sent');

  await whileStopped(async (data) => {
    await rm(data, { recursive: true });
    await copy(backup, data);
    // What point-in-time recovery leaves behind: a timeline of its own.
    await writeFile(path.join(data, 'recovery.signal'), '');
    await appendFile(path.join(data, 'postgresql.auto.conf'), `restore_command = 'false'\n`);
    const { uid, gid } = await stat(path.join(data, 'PG_VERSION'));
    await chown(path.join(data, 'recovery.signal'), uid, gid);
  });
  const restored = await eventually(
    () => blind.delivery(unseen).catch(() => null),
    (delivery) => delivery?.heldReason === 'restored',
  );
  expect(restored?.notBefore).toBeNull();
  expect(await identity()).not.toBe(first);
  const found = await looking.reaches(seen, 'sent');
  expect(found.events[0]?.detail).toBe('Found in Gmail’s Sent folder: it was sent.');

  // The worker works on: what is new leaves, and nothing left twice.
  const next = await blind.send();
  await blind.reaches(next, 'sent');
  expect((await blind.delivery(unseen)).heldReason).toBe('restored');
  for (const [sender, id] of [
    [blind, unseen],
    [looking, seen],
    [blind, next],
  ] as const) {
    expect(sender.accepted(id)).toHaveLength(1);
  }
});

it('another server and another database have other identities', async () => {
  const template = new URL(inject('templateUrl'));
  const elsewhere = openDatabase(template.href, 1, () => {});
  template.pathname = '/postgres';
  try {
    const [here, there] = [await identity(), await readIdentity(elsewhere.db)];
    expect(here?.split('/')).toHaveLength(4);
    expect(there?.split('/')[0]).not.toBe(here?.split('/')[0]);
    expect([here, there].join()).not.toContain('?');
  } finally {
    await elsewhere.close();
  }
});
