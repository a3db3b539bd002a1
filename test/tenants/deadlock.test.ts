import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keepGrant, keepRefreshed, type NewGrant, openGrant } from '../../src/mailboxes/grant-vault.ts';
import { endMailbox, recoverMailbox } from '../../src/mailboxes/health.ts';
import { placeMailbox } from '../../src/mailboxes/place.ts';
import type { Database } from '../../src/platform/database.ts';
import { newKey, parseKeyRing } from '../../src/platform/key-ring.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { aMailbox } from '../support/rows.ts';

let database: TestDatabase;
let tenantId: string;
let memberId: string;
beforeAll(async () => {
  database = await testDatabase();
  ({ tenantId, memberId } = await database.tenant());
});
afterAll(() => database.close());

/** Resolves once a transaction of this database waits for a lock of another. */
function somebodyWaits(): Promise<unknown> {
  const waiting = sql<{ count: number }>`
    select count(*)::int as count from pg_locks join pg_stat_activity using (pid)
    where not granted and datname = current_database()`;
  return eventually(
    async () => (await waiting.execute(database.system)).rows[0]?.count ?? 0,
    (count) => count > 0,
  );
}

const rename = (trx: Database, id: string, name: string) =>
  trx.updateTable('mailboxes').set({ display_name: name }).where('id', '=', id).execute();

describe('two transactions that wait for each other', () => {
  it('both end well: the one that PostgreSQL ends begins once more', async () => {
    const ids = await inTenant(database.db, tenantId, async (trx) => [
      await aMailbox(trx, tenantId),
      await aMailbox(trx, tenantId),
    ]);
    const [one = '', other = ''] = ids;
    let begun = 0;
    const both: (() => void)[] = [];
    /** Goes on when both hold their first row. */
    const together = () =>
      new Promise<void>((resolve) => {
        both.push(resolve);
        if (both.length >= 2) for (const go of both) go();
      });
    const write = (first: string, second: string, name: string) =>
      inTenant(database.db, tenantId, async (trx) => {
        begun += 1;
        await rename(trx, first, name);
        await together();
        await rename(trx, second, name);
        return name;
      });
    expect(await Promise.all([write(one, other, 'Up'), write(other, one, 'Down')])).toEqual(['Up', 'Down']);
    expect(begun).toBe(3);
    const names = await inTenant(database.db, tenantId, (trx) =>
      trx.selectFrom('mailboxes').select('display_name').where('id', 'in', ids).execute(),
    );
    expect(new Set(names.map((row) => row.display_name)).size).toBe(1);
  });
});

describe('a refresh that ends while somebody connects the mailbox again', () => {
  const keys = parseKeyRing(newKey('k1'));
  const grant: NewGrant = {
    issuer: 'https://accounts.google.com',
    clientId: 'the-client',
    scopes: ['openid', 'https://www.googleapis.com/auth/gmail.send'],
    refreshToken: '1//0the-old-one',
    accessToken: 'ya29.the-old-one',
    expiresAt: new Date('2026-11-21T10:00:00Z'),
    grantedAt: new Date('2026-11-21T09:00:00Z'),
    endsAt: null,
    number: 1,
  };
  const at = new Date('2026-11-21T09:30:00Z');

  it('waits for it from its first row on, so that neither is begun anew and the new consent stays', async () => {
    const mailboxId = await inTenant(database.db, tenantId, async (trx) => {
      const id = await aMailbox(trx, tenantId);
      await keepGrant(trx, keys, tenantId, id, grant);
      await endMailbox(trx, tenantId, id, { reason: 'removed', sure: false, from: 'told', at });
      return id;
    });
    const old = await inTenant(database.db, tenantId, (trx) => openGrant(trx, keys, tenantId, mailboxId));
    if (!old) throw new Error('There is no grant');
    const { google_sub: sub } = await inTenant(database.db, tenantId, (trx) =>
      trx.selectFrom('mailboxes').select('google_sub').where('id', '=', mailboxId).executeTakeFirstOrThrow(),
    );
    const begun = { reconnects: 0, refreshes: 0 };
    let refreshing: Promise<boolean> | undefined;
    await inTenant(database.db, tenantId, async (trx) => {
      begun.reconnects += 1;
      const identity = { issuer: grant.issuer, sub, email: 'office@brightwater.example', name: 'Office', hd: null };
      await placeMailbox(trx, { tenantId, memberId, kind: 'shared', mailboxId, asked: [] }, identity);
      refreshing ??= inTenant(database.db, tenantId, async (other) => {
        begun.refreshes += 1;
        const brought = { accessToken: 'ya29.refreshed', expiresAt: at, refreshedAt: at };
        const kept = await keepRefreshed(other, keys, tenantId, mailboxId, old, brought);
        if (kept) await recoverMailbox(other, tenantId, mailboxId, at, 'token');
        return kept;
      });
      await somebodyWaits();
      await keepGrant(trx, keys, tenantId, mailboxId, { ...grant, refreshToken: '1//0the-new-one' });
    });
    expect(await refreshing).toBe(false);
    expect(begun).toEqual({ reconnects: 1, refreshes: 1 });
    const standing = await inTenant(database.db, tenantId, (trx) => openGrant(trx, keys, tenantId, mailboxId));
    expect(standing?.refreshToken).toBe('1//0the-new-one');
  });
});
