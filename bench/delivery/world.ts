import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sql } from 'kysely';
import { approve } from 'local-google';
import { scopesFor } from '../../src/mailboxes/capabilities.ts';
import { keepGrant } from '../../src/mailboxes/grant-vault.ts';
import type { Capability } from '../../src/platform/capability.ts';
import { type Database, openDatabase } from '../../src/platform/database.ts';
import { startEmbeddedPostgres } from '../../src/platform/embedded-postgres.ts';
import { newKey, parseKeyRing } from '../../src/platform/key-ring.ts';
import { migrate } from '../../src/platform/migrate.ts';
import { type DatabaseUrls, deriveUrls } from '../../src/platform/roles.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { rememberPerson } from '../../src/tenants/system.ts';
import { createTenant } from '../../src/tenants/tenants.ts';

const root = path.join(import.meta.dirname, '../..');
const client = { id: 'bench', secret: 'bench-secret', redirect: 'http://localhost:1/callback' };

/** A connected mailbox, in a tenant with others. */
export interface BenchMailbox {
  readonly tenantId: string;
  readonly memberId: string;
  readonly mailboxId: string;
  readonly account: string;
  readonly email: string;
  readonly accessToken: string;
}

/** A process of the product or of Local Google. */
export interface BenchProcess {
  readonly pid: number;
  stop(): Promise<void>;
}

/** PostgreSQL, Local Google and connected mailboxes, on one machine, each server a process of its own. */
export interface World {
  readonly urls: DatabaseUrls;
  /** As the owner: for filling and counting without row security in the way. */
  readonly owner: Database;
  readonly app: Database;
  readonly googleUrl: string;
  readonly googlePid: number;
  readonly mailboxes: readonly BenchMailbox[];
  /** Starts `node src/main.ts work` (or `serve`) as the Dockerfile does, with these variables beside the usual ones. */
  start(command: 'work' | 'serve', env?: Readonly<Record<string, string>>): Promise<BenchProcess>;
  /** How slowly Google answers every send, in milliseconds; 0 for at once. */
  answerAfter(ms: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts it.
 *
 * @param count mailboxes, ten to a tenant
 * @param capabilities what each may do
 */
export async function startWorld(count: number, capabilities: readonly Capability[] = ['send']): Promise<World> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'letterhead-bench-'));
  const postgres = await startEmbeddedPostgres({ dataDir, log: () => {} });
  const urls = deriveUrls(postgres.ownerUrl, { app: 'app', system: 'system' });
  await migrate(urls);
  const emails = Array.from({ length: count }, (_, index) => `office${index}@bench.example`);
  const google = await startGoogle(dataDir, emails);
  const owner = openDatabase(urls.owner, 4, () => {});
  const app = openDatabase(urls.app, 8, () => {});
  const system = openDatabase(urls.system, 2, () => {});
  const tokenKeys = newKey('bench');
  const mailboxes = await connectAll(
    { app: app.db, system: system.db, google: google.url, tokenKeys, capabilities },
    emails,
  );
  await sql`analyze`.execute(owner.db);

  const running: BenchProcess[] = [];
  return {
    ...{ urls, owner: owner.db, app: app.db, googleUrl: google.url, googlePid: google.pid, mailboxes },
    async start(command, env = {}) {
      const started = await startProcess(command, {
        ...{ DATABASE_URL: urls.app, DATABASE_SYSTEM_URL: urls.system, TOKEN_KEYS: tokenKeys },
        ...{ GOOGLE_CLIENT_ID: client.id, GOOGLE_CLIENT_SECRET: client.secret, GOOGLE_ISSUER: google.url },
        ...{
          GMAIL_ROOT_URL: `${google.url}/`,
          PUBLIC_URL: 'http://localhost:4999',
          SESSION_SECRET: 's'.repeat(32),
          RATE_LIMITS: 'no',
          RECIPIENTS_PER_DAY: '0',
        },
        ...{ PORT: '4999', HOST: '127.0.0.1', LOG_LEVEL: 'info' },
        ...env,
      });
      running.push(started);
      return started;
    },
    async answerAfter(ms) {
      await fetch(`${google.url}/control/faults`, { method: 'DELETE' });
      if (ms === 0) return;
      const effect = { kind: 'slow', ms };
      for (const method of ['messages.send', 'drafts.create', 'drafts.send']) {
        const body = JSON.stringify({ method, effect, times: 10_000_000 });
        const headers = { 'content-type': 'application/json' };
        const response = await fetch(`${google.url}/control/faults`, { method: 'POST', headers, body });
        if (!response.ok) throw new Error(`Local Google answered ${response.status}: ${await response.text()}`);
      }
    },
    async close() {
      await Promise.all(running.map((each) => each.stop()));
      await Promise.all([app.close(), system.close(), owner.close()]);
      await google.stop();
      await postgres.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

interface Connecting {
  readonly app: Database;
  readonly system: Database;
  readonly google: string;
  readonly tokenKeys: string;
  readonly capabilities: readonly Capability[];
}

async function connectAll(world: Connecting, emails: readonly string[]): Promise<BenchMailbox[]> {
  const mailboxes: BenchMailbox[] = [];
  let tenant: { tenantId: string; memberId: string } | null = null;
  for (const [index, email] of emails.entries()) {
    if (!tenant || index % 10 === 0) {
      const person = { email: `owner${index}@bench.example`, name: `Owner ${index}` };
      const personId = await rememberPerson(world.system, { issuer: world.google, sub: `owner-${index}`, ...person });
      const about = { name: `Bench ${index / 10}`, country: 'IE', currency: 'EUR', timeZone: 'Europe/Dublin' };
      tenant = await createTenant(world.app, about, { personId, ...person });
    }
    mailboxes.push(await connect(world, tenant, email, index % 10 === 0));
  }
  return mailboxes;
}

async function connect(
  { app, google, tokenKeys, capabilities }: Connecting,
  { tenantId, memberId }: { tenantId: string; memberId: string },
  email: string,
  isDefault: boolean,
): Promise<BenchMailbox> {
  const authorize = new URL(`${google}/o/oauth2/v2/auth`);
  const query = { client_id: client.id, redirect_uri: client.redirect, response_type: 'code', access_type: 'offline' };
  const scope = scopesFor(capabilities).join(' ');
  authorize.search = new URLSearchParams({ ...query, scope, prompt: 'consent', login_hint: email }).toString();
  const code = new URL(await approve(authorize.href, { account: email })).searchParams.get('code') ?? '';
  const form = { client_id: client.id, client_secret: client.secret, redirect_uri: client.redirect };
  const response = await fetch(`${google}/token`, {
    method: 'POST',
    body: new URLSearchParams({ ...form, grant_type: 'authorization_code', code }),
  });
  const tokens = (await response.json()) as { access_token: string; refresh_token: string; scope: string };
  const sub = `sub-${email}`;
  const account = `gmail:${sub}`;
  const mailboxId = await inTenant(app, tenantId, async (trx) => {
    const { id } = await trx
      .insertInto('mailboxes')
      .values({
        ...{ tenant_id: tenantId, kind: 'shared', google_sub: sub, email, display_name: 'Bench' },
        ...{ is_default: isDefault, daily_limit: 100_000, wanted: [...capabilities] },
      })
      .returning('id')
      .executeTakeFirstOrThrow();
    await keepGrant(trx, parseKeyRing(tokenKeys), tenantId, id, {
      ...{ issuer: google, clientId: client.id, scopes: tokens.scope.split(' '), refreshToken: tokens.refresh_token },
      ...{ accessToken: tokens.access_token, expiresAt: new Date(Date.now() + 3_500_000), grantedAt: new Date() },
      ...{ endsAt: null, number: 1 },
    });
    return id;
  });
  return { tenantId, memberId, mailboxId, account, email, accessToken: tokens.access_token };
}

async function startGoogle(dataDir: string, emails: readonly string[]) {
  const seed = path.join(dataDir, 'seed.json');
  const accounts = emails.map((email) => ({ email, name: email }));
  const clients = [{ id: client.id, secret: client.secret, name: 'Bench', redirectUris: [client.redirect] }];
  writeFileSync(seed, JSON.stringify({ accounts, clients }));
  const args = ['local-google/src/main.ts', '--port', '0', '--memory', '--headers-only', '--seed', seed];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  const said = await saying(child, /ready at (\S+)/);
  return { url: said[1] ?? '', ...stoppable(child) };
}

async function startProcess(command: string, env: Readonly<Record<string, string>>): Promise<BenchProcess> {
  const child = spawn(process.execPath, ['--max-semi-space-size=4', 'src/main.ts', command], {
    ...{ cwd: root, stdio: ['ignore', 'pipe', 'inherit'] as const },
    env: { PATH: process.env['PATH'], ...env },
  });
  await saying(child, /"(working|serving)"/);
  return stoppable(child);
}

function saying(child: ChildProcess, words: RegExp): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    let said = '';
    child.stdout?.on('data', (chunk) => {
      said = `${said}${chunk}`.slice(-4_000);
      const found = words.exec(said);
      if (found) resolve(found);
    });
    child.once('exit', (exit) => reject(new Error(`A process ended with ${exit}: ${said}`)));
  });
}

function stoppable(child: ChildProcess): BenchProcess {
  return {
    pid: child.pid ?? 0,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
    },
  };
}

/**
 * CPU seconds that processes used so far, from /proc (Linux).
 *
 * @param withEnded whether those of their children that ended are added
 */
export function cpuSeconds(pids: readonly number[], withEnded = false): number {
  return pids.reduce((sum, pid) => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold blanks. Two after it: the parent; 12th to 15th: user and system time of its own,
    // then of ended children, in ticks of 10 ms.
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    return sum + fields.slice(11, withEnded ? 15 : 13).reduce((ticks, each) => ticks + each, 0) / 100;
  }, 0);
}
