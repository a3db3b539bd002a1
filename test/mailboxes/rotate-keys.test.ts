import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createAccessTokens } from '../../src/mailboxes/access-token.ts';
import { assertKeysFit } from '../../src/mailboxes/check-keys.ts';
import { keepDelegation, listDelegations, openDelegation } from '../../src/mailboxes/delegations.ts';
import { forgetKey } from '../../src/mailboxes/forget-key.ts';
import { keepGrant, keepRefreshed, openGrant, resealGrant } from '../../src/mailboxes/grant-vault.ts';
import { type RotateOptions, rotateKeys } from '../../src/mailboxes/rotate-keys.ts';
import { KeyRingError, newKey, parseKeyRing } from '../../src/platform/key-ring.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { countKeyUses, type GrantPlace } from '../../src/tenants/system.ts';
import { company } from '../support/company.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { startTestLetterhead } from '../support/letterhead.ts';
import { aMailbox } from '../support/rows.ts';

const [k1, k2] = [newKey('k1'), newKey('k2')];
const [old, both, renewed] = [parseKeyRing(k1), parseKeyRing(`${k2},${k1}`), parseKeyRing(k2)];

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());
/** Rotation is about all tenants, so each test begins with none that has a grant. */
beforeEach(async () => {
  for (const { id } of await database.system.selectFrom('tenants').select('id').execute()) {
    await inTenant(database.db, id, async (trx) => {
      await trx.deleteFrom('grants').execute();
      await trx.deleteFrom('delegations').execute();
    });
  }
});

/** So many mailboxes with grants, in a tenant of their own, sealed with k1 unless told otherwise. */
async function granted(count: number, keys = old): Promise<GrantPlace[]> {
  const { tenantId } = await database.tenant();
  return inTenant(database.db, tenantId, async (trx) => {
    const places: GrantPlace[] = [];
    for (let number = 0; number < count; number += 1) {
      const mailboxId = await aMailbox(trx, tenantId);
      await keepGrant(trx, keys, tenantId, mailboxId, {
        ...{ issuer: 'https://accounts.google.com', clientId: 'the-client', scopes: ['openid'] },
        ...{ refreshToken: `1//0-${mailboxId}`, accessToken: `ya29.${mailboxId}` },
        ...{ expiresAt: new Date(), grantedAt: new Date(), endsAt: null, number: 1 },
      });
      places.push({ tenantId, mailboxId });
    }
    return places;
  });
}

async function one(keys = old): Promise<GrantPlace> {
  const [place] = await granted(1, keys);
  if (!place) throw new Error('There is no grant');
  return place;
}

const withKeys = (keys = both) => ({ db: database.db, system: database.system, keys });
const rotate = (keys = both, options: RotateOptions = {}) => rotateKeys(withKeys(keys), options);
const open = ({ tenantId, mailboxId }: GrantPlace, keys = both) =>
  inTenant(database.db, tenantId, (trx) => openGrant(trx, keys, tenantId, mailboxId));
const row = ({ tenantId, mailboxId }: GrantPlace) =>
  inTenant(database.db, tenantId, (trx) =>
    trx.selectFrom('grants').selectAll().where('mailbox_id', '=', mailboxId).executeTakeFirstOrThrow(),
  );
const change = (
  { tenantId, mailboxId }: GrantPlace,
  set: Partial<Omit<Awaited<ReturnType<typeof row>>, 'granted_at'>>,
) =>
  inTenant(database.db, tenantId, (trx) =>
    trx.updateTable('grants').set(set).where('mailbox_id', '=', mailboxId).execute(),
  );
const uses = () => countKeyUses(database.system);
/** So many mailboxes, and no service account. */
const only = (mailboxes: number) => ({ mailboxes, delegations: 0 });
const words = (keys: typeof old) =>
  assertKeysFit(withKeys(keys)).then(
    () => '',
    (error: unknown) => (error instanceof Error && error.name === 'StartError' ? error.message : String(error)),
  );

describe('a rotation', () => {
  it('seals every token of every company with the newest key, over more than one page', async () => {
    const places = [...(await granted(130)), ...(await granted(3))];
    expect(await uses()).toEqual([{ keyId: 'k1', mailboxes: 133, delegations: 0 }]);
    const heard: number[] = [];
    const done = await rotate(both, { onProgress: (resealed) => heard.push(resealed.mailboxes) });
    expect(done).toEqual({
      ...{ resealed: only(133), unopened: only(0), refreshing: 0, droppable: ['k1'] },
      uses: [{ keyId: 'k2', mailboxes: 133, delegations: 0 }],
    });
    expect(heard).toEqual([100, 133]);
    // The old key can be dropped.
    for (const place of places) {
      expect(await open(place, renewed)).toMatchObject({
        refreshToken: `1//0-${place.mailboxId}`,
        access: { token: `ya29.${place.mailboxId}` },
      });
    }
  });

  it('run again changes nothing', async () => {
    const place = await one();
    await rotate();
    const before = await row(place);
    expect(await rotate()).toMatchObject({ resealed: only(0), droppable: ['k1'] });
    expect(await row(place)).toEqual(before);
  });

  it('that broke off in the middle has done what it has done, and run again does the rest', async () => {
    const places = await granted(130);
    const breaking = rotate(both, {
      onProgress: () => {
        throw new Error('killed');
      },
    });
    await expect(breaking).rejects.toThrow('killed');
    expect(await uses()).toEqual([
      { keyId: 'k1', mailboxes: 30, delegations: 0 },
      { keyId: 'k2', mailboxes: 100, delegations: 0 },
    ]);
    for (const place of places) expect(await open(place)).toMatchObject({ refreshToken: `1//0-${place.mailboxId}` });
    expect(await rotate()).toMatchObject({
      resealed: only(30),
      uses: [{ keyId: 'k2', mailboxes: 130, delegations: 0 }],
    });
  });

  it('by two at once does each grant once', async () => {
    await granted(40);
    const [first, second] = await Promise.all([rotate(), rotate()]);
    expect(first.resealed.mailboxes + second.resealed.mailboxes).toBe(40);
  });

  it('leaves a token bound to its place', async () => {
    const [mine, other] = await granted(2);
    const theirs = await one();
    await rotate();
    if (!mine || !other) throw new Error('There are no grants');
    const { refresh_token, access_token } = await row(mine);
    for (const place of [other, theirs]) {
      const kept = await row(place);
      await change(place, { refresh_token });
      await expect(open(place)).rejects.toBeInstanceOf(KeyRingError);
      await change(place, { refresh_token: kept.refresh_token, access_token });
      await expect(open(place)).rejects.toBeInstanceOf(KeyRingError);
    }
    await change(mine, { access_token: refresh_token });
    await expect(open(mine)).rejects.toBeInstanceOf(KeyRingError);
  });

  it('never carries a moved token over to the place it was moved to', async () => {
    const [mine, theirs] = [await one(), await one()];
    await change(theirs, { refresh_token: (await row(mine)).refresh_token });
    expect(await rotate()).toMatchObject({ resealed: only(1), unopened: only(1), droppable: [] });
    await expect(open(theirs)).rejects.toBeInstanceOf(KeyRingError);
    expect(await open(mine)).toBeDefined();
  });

  it('leaves alone what it cannot open, and does not say that its key can be dropped', async () => {
    const lost = await one(parseKeyRing(newKey('k0')));
    await one();
    const before = await row(lost);
    expect(await rotate()).toEqual({
      ...{ resealed: only(1), unopened: only(1), refreshing: 0, droppable: ['k1'] },
      uses: [
        { keyId: 'k0', mailboxes: 1, delegations: 0 },
        { keyId: 'k2', mailboxes: 1, delegations: 0 },
      ],
    });
    expect(await row(lost)).toEqual(before);
  });

  it('drops an access token that does not open, which the next use fetches anew', async () => {
    const place = await one();
    await change(place, { access_token: (await row(await one())).access_token });
    await rotate();
    expect(await open(place, renewed)).toMatchObject({ refreshToken: `1//0-${place.mailboxId}`, access: null });
  });
});

describe('a rotation beside refreshes', () => {
  it('waits for one that is under way, and no longer than it is told to', async () => {
    const place = await one();
    await change(place, { refresh_lease_until: new Date(Date.now() + 3_600_000) });
    expect(await rotate(both, { patienceMs: 0 })).toMatchObject({ resealed: only(0), refreshing: 1, droppable: [] });
    await change(place, { refresh_lease_until: new Date(Date.now() + 700) });
    expect(await rotate()).toMatchObject({ resealed: only(1), refreshing: 0 });
  });

  it('loses nothing of one whose lease had run out', async () => {
    const place = await one();
    const { tenantId, mailboxId } = place;
    const refreshed = await open(place);
    if (!refreshed) throw new Error('There is no grant');
    await inTenant(database.db, tenantId, (trx) => resealGrant(trx, both, tenantId, mailboxId));
    const dates = { expiresAt: new Date(), refreshedAt: new Date() };
    const answer = { accessToken: 'ya29.late', refreshToken: '1//0-late', ...dates };
    await inTenant(database.db, tenantId, (trx) => keepRefreshed(trx, both, tenantId, mailboxId, refreshed, answer));
    expect(await open(place, renewed)).toMatchObject({ refreshToken: '1//0-late', access: { token: 'ya29.late' } });
  });

  it('overwrites none of 20 that run at the same time, and none of them takes place twice', async () => {
    const letterhead = await startTestLetterhead({ worker: false });
    try {
      const { context, google, config } = letterhead;
      const { db, system } = letterhead.database;
      const { tenantId, mailboxId, account } = await company(letterhead);
      const keys = parseKeyRing(`${k2},${config.tokenKeys}`);
      const granted = await inTenant(db, tenantId, (trx) => openGrant(trx, context.keys, tenantId, mailboxId));
      const refreshToken = granted?.refreshToken;
      if (!granted || !refreshToken) throw new Error('There is no grant');
      const mailboxIds = await inTenant(db, tenantId, async (trx) => {
        await trx.deleteFrom('grants').execute();
        const ids = await Promise.all(Array.from({ length: 20 }, () => aMailbox(trx, tenantId)));
        const dates = { expiresAt: new Date(0), grantedAt: new Date() };
        const ended = { ...granted, ...dates, refreshToken, accessToken: 'ya29.ended' };
        for (const id of ids) await keepGrant(trx, context.keys, tenantId, id, ended);
        return ids;
      });
      google.truth.resetCalls();
      google.faults.add({ method: 'token', account, times: 20, effect: { kind: 'slow', ms: 400 } });

      const tokens = createAccessTokens({ ...context, keys });
      const flights = Promise.all(mailboxIds.map((id) => tokens.of(tenantId, id)));
      await eventually(
        () => google.truth.calls('token'),
        (calls) => calls > 0,
      );
      const done = await rotateKeys({ db, system, keys });
      const given = await flights;

      expect(google.truth.calls('token')).toBe(20);
      expect(done.uses).toEqual([{ keyId: 'k2', mailboxes: 20, delegations: 0 }]);
      expect(done.droppable).toEqual(['test']);
      for (const [index, id] of mailboxIds.entries()) {
        const kept = await inTenant(db, tenantId, (trx) => openGrant(trx, renewed, tenantId, id));
        expect(kept).toMatchObject({ refreshToken, access: { token: given[index]?.token } });
      }
    } finally {
      await letterhead.close();
    }
  });
});

describe('at the start', () => {
  it('keys that fit are not spoken of, nor is an installation without mailboxes', async () => {
    expect(await words(both)).toBe('');
    await one();
    expect(await words(old)).toBe('');
    expect(await words(both)).toBe('');
  });

  it('a missing key is named, with how many mailboxes need it and both ways out', async () => {
    await granted(2);
    await one(renewed);
    const said = await words(renewed);
    expect(said).toContain('The key “k1” is not in TOKEN_KEYS. It seals the tokens of 2 mailboxes.');
    expect(said).toContain('TOKEN_KEYS=k2:…,k1:…');
    expect(said).toContain('keys forget k1');
  });

  it('a wrong key under a known id is named', async () => {
    await one();
    const said = await words(parseKeyRing(newKey('k1')));
    expect(said).toContain('The key “k1” in TOKEN_KEYS is another than the one that sealed the tokens of 1 mailbox');
    expect(said).toContain('keys forget k1');
    for (const secret of [k1, k2]) expect(said).not.toContain(secret.split(':')[1]);
  });

  it('one damaged row keeps nobody else from working', async () => {
    const [mine, other] = await granted(2);
    if (!mine || !other) throw new Error('There are no grants');
    await change(other, { refresh_token: (await row(mine)).refresh_token, access_token: Buffer.of(1) });
    expect(await words(old)).toBe('');
    expect(await uses()).toContainEqual({ keyId: '', mailboxes: 1, delegations: 0 });
  });
});

describe('giving up a lost key', () => {
  const mailbox = ({ tenantId, mailboxId }: GrantPlace) =>
    inTenant(database.db, tenantId, (trx) =>
      trx.selectFrom('mailboxes').select(['state', 'state_reason']).where('id', '=', mailboxId).executeTakeFirst(),
    );

  it('first only counts; then drops those grants and asks for the mailboxes to be connected again', async () => {
    const [lost, fine] = [await one(), await one(renewed)];
    expect(await forgetKey(withKeys(renewed), 'k1', false)).toEqual({ givenUp: only(1), kept: only(0) });
    expect(await mailbox(lost)).toMatchObject({ state: 'active' });
    expect(await forgetKey(withKeys(renewed), 'k1', true)).toEqual({ givenUp: only(1), kept: only(0) });
    expect(await mailbox(lost)).toEqual({ state: 'needs_reconnect', state_reason: 'key_lost' });
    expect(await open(lost)).toBeUndefined();
    expect(await mailbox(fine)).toMatchObject({ state: 'active' });
    expect(await words(renewed)).toBe('');
  });

  it('takes nothing from what still opens', async () => {
    const place = await one();
    expect(await forgetKey(withKeys(both), 'k1', true)).toEqual({ givenUp: only(0), kept: only(1) });
    expect(await open(place)).toMatchObject({ refreshToken: `1//0-${place.mailboxId}` });
  });

  it('costs no connection where only an access token needs it', async () => {
    const place = await one(renewed);
    const { access_token } = await row(await one());
    await change(place, { access_token });
    expect(await forgetKey(withKeys(renewed), 'k1', true)).toEqual({ givenUp: only(1), kept: only(1) });
    expect(await open(place)).toMatchObject({ access: null, refreshToken: `1//0-${place.mailboxId}` });
    expect(await words(renewed)).toBe('');
  });
});

describe('the key of a service account', () => {
  const secret = '-----BEGIN PRIVATE KEY-----\nMIIEv-the-private-key\n-----END PRIVATE KEY-----';

  /** A delegation, in a tenant of its own. */
  async function kept(keys = old): Promise<{ tenantId: string; delegationId: string; domain: string }> {
    const { tenantId } = await database.tenant();
    const domain = 'brightwater.example';
    const about = { domain, issuer: 'https://accounts.google.com', clientId: '112233', addedBy: null, scopes: [] };
    const account = { clientEmail: 'robot@project.iam.gserviceaccount.com', privateKey: secret, privateKeyId: null };
    const delegationId = await inTenant(database.db, tenantId, (trx) =>
      keepDelegation(trx, keys, tenantId, { ...about, ...account }, new Date()),
    );
    return { tenantId, delegationId, domain };
  }
  const openKey = ({ tenantId, domain }: Awaited<ReturnType<typeof kept>>, keys = both) =>
    inTenant(database.db, tenantId, (trx) => openDelegation(trx, keys, tenantId, domain));
  const alone = { mailboxes: 0, delegations: 1 };

  it('is counted, and sealed with the newest key like any token', async () => {
    const place = await kept();
    await one();
    expect(await uses()).toEqual([{ keyId: 'k1', mailboxes: 1, delegations: 1 }]);
    expect(await words(renewed)).toContain('It seals the tokens of 1 mailbox and the key of 1 service account.');
    expect(await rotate()).toMatchObject({
      ...{ resealed: { mailboxes: 1, delegations: 1 }, droppable: ['k1'] },
      uses: [{ keyId: 'k2', mailboxes: 1, delegations: 1 }],
    });
    expect(await openKey(place, renewed)).toMatchObject({ privateKey: secret });
    expect(await rotate()).toMatchObject({ resealed: only(0) });
  });

  it('that no key opens is left alone, and named at the start though nothing else is sealed with its key', async () => {
    await kept(parseKeyRing(newKey('k0')));
    expect(await rotate()).toMatchObject({ resealed: only(0), unopened: alone, droppable: ['k1'] });
    expect(await words(both)).toContain('The key “k0” is not in TOKEN_KEYS. It seals the key of 1 service account.');
    expect(await words(parseKeyRing(newKey('k0')))).toContain(
      'is another than the one that sealed the key of 1 service',
    );
  });

  it('is given up where its key is lost, and only there: the file must be given again', async () => {
    const [lost, fine] = [await kept(), await kept(renewed)];
    expect(await forgetKey(withKeys(both), 'k1', true)).toEqual({ givenUp: only(0), kept: alone });
    expect(await forgetKey(withKeys(renewed), 'k1', false)).toEqual({ givenUp: alone, kept: only(0) });
    expect(await openKey(lost)).toMatchObject({ privateKey: secret });
    expect(await forgetKey(withKeys(renewed), 'k1', true)).toEqual({ givenUp: alone, kept: only(0) });
    expect(await openKey(lost)).toBeUndefined();
    const [after] = await inTenant(database.db, lost.tenantId, (trx) => listDelegations(trx, lost.tenantId));
    expect(after).toMatchObject({ state: 'ended', stateReason: 'key_lost' });
    expect(await openKey(fine, renewed)).toMatchObject({ privateKey: secret });
    expect(await words(renewed)).toBe('');
    expect(await uses()).toEqual([{ keyId: 'k2', mailboxes: 0, delegations: 1 }]);
  });

  it('is read across tenants as little as any token', async () => {
    await kept();
    for (const column of ['private_key', 'client_email', 'domain', 'scopes'] as const) {
      const reading = database.system.selectFrom('delegations').select(column).execute();
      await expect(reading, column).rejects.toThrow(/permission denied/);
    }
  });
});

describe('the role that crosses tenants', () => {
  it('reads of a grant which keys seal it, whose app it belongs to, how old it is and what it allows, and nothing else', async () => {
    await one();
    const keyIds = ['mailbox_id', 'tenant_id', 'refresh_key_id', 'access_key_id'] as const;
    // What it allows says what a delivery will ask of Gmail, which the pacer charges.
    const about = ['issuer', 'client_id', 'granted_at', 'last_refreshed_at', 'scopes'] as const;
    const digests = ['refresh_token_digest', 'refresh_prefix_digest'] as const;
    const readable = [...keyIds, ...about, ...digests];
    expect(await database.system.selectFrom('grants').select(readable).execute()).toHaveLength(1);
    for (const column of Object.keys(await row(await one()))) {
      if (readable.some((name) => name === column)) continue;
      const reading = database.system
        .selectFrom('grants')
        .select((eb) => eb.ref(column as 'issuer').as('it'))
        .execute();
      await expect(reading, column).rejects.toThrow(/permission denied/);
    }
  });
});
