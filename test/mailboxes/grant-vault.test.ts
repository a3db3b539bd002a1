import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keepGrant, keepRefreshed, type NewGrant, type OpenGrant, openGrant } from '../../src/mailboxes/grant-vault.ts';
import { KeyRingError, newKey, parseKeyRing } from '../../src/platform/key-ring.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { aMailbox } from '../support/rows.ts';

const keys = parseKeyRing(newKey('k1'));
const tokens: NewGrant = {
  issuer: 'https://accounts.google.com',
  clientId: 'the-client',
  scopes: ['openid', 'https://www.googleapis.com/auth/gmail.send'],
  refreshToken: '1//0the-refresh-token',
  accessToken: 'ya29.the-access-token',
  expiresAt: new Date('2026-11-21T10:00:00Z'),
  grantedAt: new Date('2026-11-21T09:00:00Z'),
  endsAt: null,
  number: 1,
};

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

interface Place {
  readonly tenantId: string;
  readonly mailboxId: string;
}

/** A mailbox with a grant, in a tenant of its own unless told otherwise. */
async function granted(tenantId?: string, over: Partial<NewGrant> = {}): Promise<Place> {
  const tenant = tenantId ?? (await database.tenant()).tenantId;
  const mailboxId = await inTenant(database.db, tenant, async (trx) => {
    const id = await aMailbox(trx, tenant);
    await keepGrant(trx, keys, tenant, id, { ...tokens, ...over });
    return id;
  });
  return { tenantId: tenant, mailboxId };
}

const open = ({ tenantId, mailboxId }: Place, ring = keys) =>
  inTenant(database.db, tenantId, (trx) => openGrant(trx, ring, tenantId, mailboxId));

async function opened(place: Place): Promise<OpenGrant> {
  const grant = await open(place);
  if (!grant) throw new Error('There is no grant');
  return grant;
}

const row = ({ tenantId, mailboxId }: Place) =>
  inTenant(database.db, tenantId, (trx) =>
    trx.selectFrom('grants').selectAll().where('mailbox_id', '=', mailboxId).executeTakeFirstOrThrow(),
  );
const write = ({ tenantId, mailboxId }: Place, set: { refresh_token?: Buffer | null; access_token?: Buffer | null }) =>
  inTenant(database.db, tenantId, (trx) =>
    trx.updateTable('grants').set(set).where('mailbox_id', '=', mailboxId).execute(),
  );

describe('a kept grant', () => {
  it('opens to what was granted', async () => {
    expect(await open(await granted())).toMatchObject({
      issuer: tokens.issuer,
      clientId: tokens.clientId,
      scopes: tokens.scopes,
      refreshToken: tokens.refreshToken,
      access: { token: tokens.accessToken, expiresAt: tokens.expiresAt },
    });
  });

  it('has no token in any column that could be read', async () => {
    const kept = await row(await granted());
    for (const [column, value] of Object.entries(kept)) {
      const text = Buffer.isBuffer(value) ? value.toString('latin1') : JSON.stringify(value);
      expect(text, column).not.toMatch(/the-(refresh|access)-token/);
    }
    expect(kept.refresh_token?.length).toBeGreaterThan(tokens.refreshToken.length);
  });

  it('does not open with a ring that lacks its key', async () => {
    await expect(open(await granted(), parseKeyRing(newKey('k2')))).rejects.toThrow('The key “k1” is needed');
  });

  it('is nobody else’s to see', async () => {
    const mine = await granted();
    const { tenantId } = await database.tenant();
    expect(await open({ ...mine, tenantId })).toBeUndefined();
  });
});

describe('a sealed token that was moved', () => {
  it.each(['refresh_token', 'access_token'] as const)(
    'to another mailbox of the company does not open (%s)',
    async (column) => {
      const mine = await granted();
      const other = await granted(mine.tenantId);
      await write(other, { [column]: (await row(mine))[column] });
      await expect(open(other)).rejects.toBeInstanceOf(KeyRingError);
      expect(await open(mine)).toMatchObject({ refreshToken: tokens.refreshToken });
    },
  );

  it('to another company does not open', async () => {
    const [mine, theirs] = [await granted(), await granted()];
    await write(theirs, { refresh_token: (await row(mine)).refresh_token });
    await expect(open(theirs)).rejects.toBeInstanceOf(KeyRingError);
  });

  it('to the other column does not open', async () => {
    const mine = await granted();
    await write(mine, { access_token: (await row(mine)).refresh_token });
    await expect(open(mine)).rejects.toBeInstanceOf(KeyRingError);
  });
});

describe('what a refresh brings', () => {
  const refreshedAt = new Date('2026-11-21T10:00:00Z');
  const answer = { accessToken: 'ya29.renewed', expiresAt: new Date('2026-11-21T11:00:00Z'), refreshedAt };
  const keep = ({ tenantId, mailboxId }: Place, from: OpenGrant, brought: Parameters<typeof keepRefreshed>[5]) =>
    inTenant(database.db, tenantId, (trx) => keepRefreshed(trx, keys, tenantId, mailboxId, from, brought));

  it('leaves refresh token and scopes as they are, where Google sent none', async () => {
    const place = await granted();
    await keep(place, await opened(place), answer);
    expect(await open(place)).toMatchObject({
      refreshToken: tokens.refreshToken,
      scopes: tokens.scopes,
      access: { token: 'ya29.renewed', expiresAt: answer.expiresAt },
      lastRefreshedAt: refreshedAt,
    });
  });

  it('replaces them, where Google did', async () => {
    const place = await granted();
    await keep(place, await opened(place), { ...answer, refreshToken: '1//0rotated', scopes: ['openid'] });
    expect(await open(place)).toMatchObject({ refreshToken: '1//0rotated', scopes: ['openid'] });
  });

  it('is thrown away when the mailbox was reconnected meanwhile', async () => {
    const place = await granted();
    const before = await opened(place);
    await inTenant(database.db, place.tenantId, (trx) =>
      keepGrant(trx, keys, place.tenantId, place.mailboxId, {
        ...tokens,
        refreshToken: '1//0newer',
        accessToken: 'ya29.newer',
      }),
    );
    await keep(place, before, { ...answer, refreshToken: '1//0of-the-old-one' });
    expect(await open(place)).toMatchObject({ refreshToken: '1//0newer', access: { token: 'ya29.newer' } });
  });
});
