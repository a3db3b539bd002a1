import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type LocalGoogle, startLocalGoogle } from 'local-google';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keepGrant, openGrant } from '../../src/mailboxes/grant-vault.ts';
import { newKey, parseKeyRing } from '../../src/platform/key-ring.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { countKeyUses } from '../../src/tenants/system.ts';
import { ranHere } from '../support/command.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { aMailbox } from '../support/rows.ts';

const [k1, k2] = [newKey('k1'), newKey('k2')];
const count = 400;
const dataDir = mkdtempSync(path.join(tmpdir(), 'letterhead-keys-'));
let database: TestDatabase;
let google: LocalGoogle;
let tenantId: string;

beforeAll(async () => {
  database = await testDatabase();
  google = await startLocalGoogle({ port: 0, unverified: false, clients: [] });
  ({ tenantId } = await database.tenant());
  const dates = { expiresAt: new Date(), grantedAt: new Date(), endsAt: null };
  const grant = {
    issuer: 'https://accounts.google.com',
    clientId: 'the-client',
    scopes: ['openid'],
    number: 1,
    ...dates,
  };
  await inTenant(database.db, tenantId, async (trx) => {
    for (let number = 0; number < count; number += 1) {
      const tokens = { refreshToken: '1//0the-refresh-token', accessToken: 'ya29.the-access-token' };
      await keepGrant(trx, parseKeyRing(k1), tenantId, await aMailbox(trx, tenantId), { ...grant, ...tokens });
    }
  });
});
afterAll(async () => {
  rmSync(dataDir, { recursive: true, force: true });
  await google.close();
  await database.close();
});

const environment = (tokenKeys: string) => ({
  PATH: process.env['PATH'],
  DATABASE_URL: database.urls.app,
  DATABASE_SYSTEM_URL: database.urls.system,
  TOKEN_KEYS: tokenKeys,
  // Empty: the checkout may have a data folder of its own, with keys in it.
  DATA_DIR: dataDir,
  ...{ GOOGLE_ISSUER: google.url, GMAIL_ROOT_URL: `${google.url}/` },
  PUBLIC_URL: 'https://letterhead.example.com',
  ...{ GOOGLE_CLIENT_ID: 'the-client', GOOGLE_CLIENT_SECRET: 'the-secret', SESSION_SECRET: 's'.repeat(40) },
});

/** `node src/main.ts …` on the test's database. */
function start(tokenKeys: string, ...args: string[]) {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, '../../src/main.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environment(tokenKeys),
  });
  let output = '';
  const hear = (chunk: Buffer) => {
    output += String(chunk);
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, output }));
  return { child, ended };
}

/** Runs to its end; nothing it prints is ever a secret. */
async function kept<Ending extends { readonly output: string }>(
  tokenKeys: string,
  ran: Promise<Ending>,
): Promise<Ending> {
  const ending = await ran;
  for (const secret of [...tokenKeys.split(','), k1, k2].map((key) => key.split(':')[1] ?? key).filter(Boolean)) {
    expect(ending.output).not.toContain(secret);
  }
  expect(ending.output).not.toMatch(/the-(refresh|access)-token/);
  return ending;
}
const run = (tokenKeys: string, ...args: string[]) => kept(tokenKeys, start(tokenKeys, ...args).ended);
/** `keys …`, without a process of its own. */
const keys = (tokenKeys: string, ...args: string[]) => kept(tokenKeys, ranHere('keys', environment(tokenKeys), args));

const uses = () => countKeyUses(database.system);

describe('letterhead keys', () => {
  it('without more says what there is, and refuses what there is not', async () => {
    expect(await run(k1, 'keys')).toMatchObject({ code: 0, output: expect.stringContaining('keys rotate') });
    const wrong = [['turn'], ['forget'], ['rotate', 'k1'], ['list', '--all']];
    for (const args of wrong) {
      const { code, output } = await keys(k1, ...args);
      expect(code).toBe(1);
      expect(output).toContain('That is no way to call it.');
      expect(output).toContain('keys forget ID');
    }
    expect(await keys('', 'list')).toMatchObject({ code: 1, output: expect.stringContaining('TOKEN_KEYS') });
  });

  it('lists ids and counts', async () => {
    const { code, output } = await keys(k2, 'list');
    expect(code).toBe(0);
    expect(output).toMatch(/k1 +seals the tokens of 400 mailboxes \(not in TOKEN_KEYS\)/);
    expect(output).toMatch(/k2 +seals the tokens of 0 mailboxes \(newest\)/);
  });

  it('rotates although it is killed on the way, and then says that the old key can go', async () => {
    // It comes to the last one, and no further.
    const owner = new pg.Client({ connectionString: database.urls.owner });
    await owner.connect();
    await owner.query('begin');
    await owner.query('select from grants order by mailbox_id desc limit 1 for update');
    const { child, ended } = start(`${k2},${k1}`, 'keys', 'rotate');
    await eventually(
      () =>
        database.pool.query(
          `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
        ),
      ({ rowCount }) => rowCount === 1,
    );
    child.kill('SIGKILL');
    await ended;
    await owner.query('rollback');
    await owner.end();
    expect(await uses()).toEqual([
      { keyId: 'k1', mailboxes: 1, delegations: 0 },
      { keyId: 'k2', mailboxes: count - 1, delegations: 0 },
    ]);

    const { code, output } = await keys(`${k2},${k1}`, 'rotate');
    expect(code).toBe(0);
    expect(output).toContain('Sealed the tokens of 1 mailbox with “k2”');
    expect(output).toContain('Can be dropped from TOKEN_KEYS: “k1”');
    expect(await uses()).toEqual([{ keyId: 'k2', mailboxes: count, delegations: 0 }]);
    const opened = await inTenant(database.db, tenantId, async (trx) => {
      const mailboxes = await trx.selectFrom('mailboxes').select('id').execute();
      return Promise.all(mailboxes.map(({ id }) => openGrant(trx, parseKeyRing(k2), tenantId, id)));
    });
    expect(new Set(opened.map((grant) => grant?.refreshToken))).toEqual(new Set(['1//0the-refresh-token']));
  });

  it('with a lost key: serve and work say so and end, forgetting asks first, and after it none is needed', async () => {
    const lost = newKey('k3');
    const [served, worked] = await Promise.all([run(lost, 'serve'), run(lost, 'work')]);
    const rotated = await keys(lost, 'rotate');
    const asked = await keys(lost, 'forget', 'k2');
    for (const { code, output } of [served, worked]) {
      expect(code).toBe(1);
      expect(output).toContain('The key “k2” is not in TOKEN_KEYS. It seals the tokens of 400 mailboxes.');
      expect(output).not.toContain('    at ');
    }
    expect(rotated.code).toBe(1);
    expect(rotated.output).toContain('do not open the tokens of 400 mailboxes');

    expect(asked.output).toContain('keys forget k2 --yes');
    expect(await uses()).toEqual([{ keyId: 'k2', mailboxes: count, delegations: 0 }]);
    expect(await keys(k2, 'forget', 'k2', '--yes')).toMatchObject({
      output: expect.stringContaining('nothing is taken from: the tokens of 400 mailboxes'),
    });
    const { output } = await keys(lost, 'forget', 'k2', '--yes');
    expect(output).toContain('Gave up the tokens of 400 mailboxes: each of these mailboxes must be connected again.');
    expect(await uses()).toEqual([]);
  });
});
