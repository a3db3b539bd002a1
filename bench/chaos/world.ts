import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sql } from 'kysely';
import { findEndpoints } from '../../src/google/endpoints.ts';
import { createAccessTokens } from '../../src/mailboxes/access-token.ts';
import type { ConnectContext } from '../../src/mailboxes/connect.ts';
import { scaledClock } from '../../src/platform/clock.ts';
import { type Database, openDatabase } from '../../src/platform/database.ts';
import { startEmbeddedPostgres } from '../../src/platform/embedded-postgres.ts';
import { newKey, parseKeyRing } from '../../src/platform/key-ring.ts';
import { migrate } from '../../src/platform/migrate.ts';
import { deriveUrls } from '../../src/platform/roles.ts';
import { connectTenant } from './connect.ts';
import { type Program, startProgram } from './processes.ts';
import type { Sender, SetName } from './senders.ts';

/** How the world is made. */
export interface WorldOptions {
  readonly sets: readonly SetName[];
  /** Mailboxes for each set. */
  readonly mailboxes: number;
  /** Whether the workers' classifier is broken on purpose. */
  readonly brokenClassifier: boolean;
}

/** Everything that runs, on one machine: only Local Google is never killed. */
export interface World {
  readonly owner: Database;
  readonly context: ConnectContext;
  readonly googleUrl: string;
  readonly senders: readonly Sender[];
  startWorker(): Promise<Program>;
  /** Keeps a copy of the database as it is. Nobody is connected to it meanwhile. */
  backUp(): Promise<void>;
  /** Puts the copy in its place: whatever was written since is gone. */
  restore(): Promise<void>;
  /** The process that PostgreSQL's others live by. */
  postmasterPid(): number;
  close(): Promise<void>;
}

/** So many times as fast: a deadline of 90 s and a settle time of 60 take five seconds together. */
const speed = 30;
const client = { id: 'chaos', secret: 'chaos-secret', redirect: 'http://localhost:1/callback' };

/** Starts PostgreSQL and Local Google, and connects the mailboxes. */
export async function startWorld({ sets: names, mailboxes, brokenClassifier }: WorldOptions): Promise<World> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'letterhead-chaos-'));
  const since = new Date();
  const scale = `${speed}@${since.toISOString()}`;
  const emails = names.flatMap((set) =>
    Array.from({ length: mailboxes }, (_, index) => ({
      ...{ set, email: `office${index}@${set.replace('+', '')}.example`.replace('_', '-') },
    })),
  );
  const [postgres, google] = await Promise.all([
    startEmbeddedPostgres({ dataDir: path.join(dataDir, 'postgres'), ephemeral: true, log: () => {} }),
    startGoogle(dataDir, emails, scale),
  ]);
  const urls = deriveUrls(postgres.ownerUrl, { app: 'app', system: 'system' });
  await migrate(urls);
  await commitForGood(urls.owner);

  const quiet = () => {};
  const [owner, app, system] = [
    openDatabase(urls.owner, 3, quiet),
    openDatabase(urls.app, 3, quiet),
    openDatabase(urls.system, 2, quiet),
  ];
  const googleUrl = google.said[1] ?? '';
  const tokenKeys = newKey('chaos');
  const endpoints = await findEndpoints(googleUrl, `${googleUrl}/`, 60_000);
  const base = {
    ...{ db: app.db, system: system.db, keys: parseKeyRing(tokenKeys), clock: scaledClock({ speed, since }) },
    google: { clientId: client.id, clientSecret: client.secret, endpoints, timeoutMs: 60_000 },
  };
  const context = { ...base, tokens: createAccessTokens(base) };
  const senders: Sender[] = [];
  for (const { set, email } of emails) senders.push(await connectTenant(context, set, email));

  const env = {
    ...{ DATABASE_URL: urls.app, DATABASE_SYSTEM_URL: urls.system, TOKEN_KEYS: tokenKeys, TIME_SCALE: scale },
    ...{ GOOGLE_CLIENT_ID: client.id, GOOGLE_CLIENT_SECRET: client.secret, GOOGLE_ISSUER: googleUrl },
    ...{
      GMAIL_ROOT_URL: `${googleUrl}/`,
      PUBLIC_URL: 'http://localhost:4998',
      SESSION_SECRET: 's'.repeat(32),
      RATE_LIMITS: 'no',
      RECIPIENTS_PER_DAY: '0',
    },
    ...{ SEND_DEADLINE_SECONDS: '90', SETTLE_SECONDS: '60', GOOGLE_TIMEOUT_SECONDS: '1' },
    ...{ GMAIL_UNITS_PER_MINUTE: '0', GMAIL_PROJECT_UNITS_PER_MINUTE: '0', GMAIL_IN_FLIGHT: '5', LOG_LEVEL: 'info' },
  };
  const broken = ['--import', path.join(import.meta.dirname, 'break-classifier.ts')];
  const args = [...(brokenClassifier ? broken : []), 'src/main.ts', 'work'];
  return {
    ...{ owner: owner.db, context, googleUrl, senders },
    startWorker: () => startProgram(args, env, /"working"/),
    backUp: () => copyDatabase(urls.owner, 'letterhead', 'letterhead_backup'),
    async restore() {
      await copyDatabase(urls.owner, 'letterhead_backup', 'letterhead');
      await commitForGood(urls.owner);
    },
    postmasterPid: () => Number(readFileSync(path.join(postgres.dataDir, 'postmaster.pid'), 'utf8').split('\n')[0]),
    async close() {
      await Promise.all([app.close(), system.close(), owner.close()]);
      await google.stop();
      await postgres.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

function startGoogle(dataDir: string, emails: readonly { readonly email: string }[], scale: string): Promise<Program> {
  const seed = path.join(dataDir, 'seed.json');
  const accounts = emails.map(({ email }) => ({ email, name: email }));
  const clients = [{ id: client.id, secret: client.secret, name: 'Chaos', redirectUris: [client.redirect] }];
  writeFileSync(seed, JSON.stringify({ accounts, clients }));
  const args = ['local-google/src/main.ts', '--port', '0', '--memory', '--time-scale', scale, '--seed', seed];
  return startProgram(args, {}, /ready at (\S+)/);
}

/** A throw-away PostgreSQL is quick because it forgets its last commits when it is killed; this one must not. */
async function commitForGood(ownerUrl: string): Promise<void> {
  const owner = openDatabase(ownerUrl, 1, () => {});
  await sql`alter database letterhead set synchronous_commit = on`.execute(owner.db);
  await owner.close();
}

/**
 * Copies a database over another one. Whoever is connected to either is thrown out, and comes back: the other one has another
 * number from then on, as if it had been restored from a dump.
 */
async function copyDatabase(ownerUrl: string, from: string, to: string): Promise<void> {
  const url = new URL(ownerUrl);
  url.pathname = '/postgres';
  const admin = openDatabase(url.href, 1, () => {});
  try {
    await sql`alter database ${sql.ref(from)} with allow_connections false`.execute(admin.db);
    await sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${from}`.execute(admin.db);
    await sql`drop database if exists ${sql.ref(to)} with (force)`.execute(admin.db);
    await sql`create database ${sql.ref(to)} template ${sql.ref(from)}`.execute(admin.db);
  } finally {
    await sql`alter database ${sql.ref(from)} with allow_connections true`.execute(admin.db);
    await admin.close();
  }
}

/** Asks Local Google's control for JSON. */
export async function control(
  { googleUrl }: Pick<World, 'googleUrl'>,
  call: string,
  method: 'GET' | 'POST' = 'GET',
  body?: unknown,
): Promise<unknown> {
  const response = await fetch(`${googleUrl}/control/${call}`, {
    method,
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`Local Google answered ${response.status} to ${call}: ${await response.text()}`);
  return response.json();
}
