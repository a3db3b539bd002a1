import { createHash } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { SecurityEventType } from 'local-google';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openGrant } from '../../src/mailboxes/grant-vault.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { recentEvents } from '../../src/tenants/system-events.ts';
import { type Company, company } from '../support/company.ts';
import { eventually } from '../support/eventually.ts';
import { startTestLetterhead, type TestLetterhead, testClient } from '../support/letterhead.ts';
import { founder, visitor } from '../support/visitor.ts';
import { sendOnly, workspace } from '../support/workspace.ts';

const minute = 60_000;

let letterhead: TestLetterhead;
beforeAll(async () => {
  letterhead = await startTestLetterhead();
  const securityEventsUrl = `${letterhead.url}/google/risc`;
  letterhead.google.policies.setApp(testClient.clientId, { securityEventsUrl });
});
afterAll(() => letterhead.close());

/** A company that was connected long enough ago for the order of things to be sure. */
async function connectedBefore(): Promise<Company> {
  const one = await company(letterhead);
  letterhead.google.clock.forward(20 * minute);
  return one;
}

const mailboxOf = ({ tenantId, mailboxId }: Company) =>
  inTenant(letterhead.database.db, tenantId, (trx) =>
    trx
      .selectFrom('mailboxes')
      .select(['state', 'state_reason', 'state_sure'])
      .where('id', '=', mailboxId)
      .executeTakeFirstOrThrow(),
  );
const historyOf = ({ tenantId, mailboxId }: Company) =>
  inTenant(letterhead.database.db, tenantId, (trx) =>
    trx
      .selectFrom('mailbox_events')
      .select(['kind', 'reason'])
      .where('mailbox_id', '=', mailboxId)
      .where('kind', '<>', 'connected')
      .orderBy('id')
      .execute(),
  );
const grantOf = ({ tenantId, mailboxId }: Company) =>
  inTenant(letterhead.database.db, tenantId, (trx) => openGrant(trx, letterhead.context.keys, tenantId, mailboxId));
const reaches = (one: Company, state: string, reason: string | null) =>
  eventually(
    () => mailboxOf(one),
    (mailbox) => mailbox.state === state && mailbox.state_reason === reason,
  );
const settled = () => letterhead.google.securityEvents.settled();
const subOf = (account: string) => letterhead.google.accounts.get(account).sub;
const passwordChanged = { state: 'needs_reconnect', state_reason: 'password_changed', state_sure: true };
/** Has Google tell of something that it alone knows a reason for. */
async function tell(account: string | null, type: SecurityEventType, detail = {}) {
  letterhead.google.securityEvents.tell(testClient.clientId, account && subOf(account), type, detail);
  await settled();
  expect(letterhead.google.securityEvents.sent().at(-1)).toMatchObject({ type, status: 202 });
}
const isSignedIn = async ({ founder }: Pick<Company, 'founder'>) =>
  (await founder.get('/settings/email')).status === 200;
const newest = async () => (await recentEvents(letterhead.database.system, 1))[0];

describe('tokens-revoked', () => {
  it('marks every mailbox of the account, of whatever company, before anybody sends', async () => {
    const one = await connectedBefore();
    const { google } = letterhead;
    const mira = `mira@else${one.mailboxId.slice(0, 8)}.example`;
    google.accounts.add({ email: mira, name: 'Mira' });
    const other = await founder(letterhead, mira, 'Elsewhere');
    await other.connect(one.account);
    google.clock.forward(20 * minute);
    google.truth.resetCalls();
    google.accounts.removeAccess(one.account, testClient.clientId);
    await settled();
    expect(await mailboxOf(one)).toMatchObject({ state: 'needs_reconnect', state_reason: 'removed' });
    expect((await other.get('/settings/email')).text).toContain('Needs reconnecting');
    expect(await newest()).toMatchObject({ type: 'tokens-revoked', sub: subOf(one.account), grantsEnded: 2 });
    // It was asked about each once, and what Google says then does not undo it.
    await eventually(
      () => google.truth.calls('token'),
      (calls) => calls === 2,
    );
    expect(await historyOf(one)).toEqual([{ kind: 'ended', reason: 'removed' }]);
  });

  it('leaves another account alone', async () => {
    const [one, other] = [await connectedBefore(), await connectedBefore()];
    letterhead.google.accounts.removeAccess(one.account, testClient.clientId);
    await settled();
    expect(await mailboxOf(other)).toMatchObject({ state: 'active' });
  });

  it('holds what is queued, and lets it go when Gmail is connected again', async () => {
    const one = await connectedBefore();
    letterhead.google.accounts.removeAccess(one.account, testClient.clientId);
    await settled();
    const id = await one.send();
    expect(await one.delivery(id)).toMatchObject({ state: 'held' });
    await one.founder.signIn(one.account);
    await one.founder.connect(one.account, { mailboxId: one.mailboxId });
    await one.reaches(id, 'sent');
  });

  it('that comes late does not end what was connected after it', async () => {
    const one = await connectedBefore();
    const { google } = letterhead;
    google.policies.setApp(testClient.clientId, { securityEventsUrl: null });
    google.accounts.removeAccess(one.account, testClient.clientId);
    const at = google.clock.now();
    google.policies.setApp(testClient.clientId, { securityEventsUrl: `${letterhead.url}/google/risc` });
    google.clock.forward(10 * minute);
    await one.founder.connect(one.account, { mailboxId: one.mailboxId });
    const late = { iat: Math.floor(at / 1000), events: { [revoked]: { subject: subject(one.account) } } };
    expect((await post(await signed(late))).status).toBe(202);
    expect(await mailboxOf(one)).toMatchObject({ state: 'active' });
    // And nobody is signed out who signed in after it.
    await one.founder.signIn(one.account);
    expect((await post(await signed({ ...late, jti: 'later' }))).status).toBe(202);
    expect(await isSignedIn(one)).toBe(true);
  });

  it('so soon after connecting that the order is not sure is asked about instead', async () => {
    const one = await company(letterhead);
    letterhead.google.truth.resetCalls();
    await tell(one.account, 'tokens-revoked');
    await eventually(
      () => letterhead.google.truth.calls('token'),
      (calls) => calls === 1,
    );
    expect(await mailboxOf(one)).toMatchObject({ state: 'active' });
    letterhead.google.accounts.removeAccess(one.account, testClient.clientId);
    // Google refuses the token, and its event says why.
    await reaches(one, 'needs_reconnect', 'removed');
  });

  it('of a changed password says so, whichever of the two events comes first', async () => {
    const two = ['tokens-revoked', 'sessions-revoked'] as const;
    for (const order of [two, two.toReversed()]) {
      const one = await connectedBefore();
      letterhead.google.accounts.expireRefreshTokens(one.account, testClient.clientId);
      for (const type of order) await tell(one.account, type);
      expect(await mailboxOf(one)).toEqual(passwordChanged);
    }
  });

  it('of a changed password says so, when both come at the same time', async () => {
    const many = await Promise.all(Array.from({ length: 5 }, () => company(letterhead)));
    letterhead.google.clock.forward(20 * minute);
    for (const { account } of many) letterhead.google.accounts.changePassword(account);
    await settled();
    for (const one of many) expect(await mailboxOf(one)).toEqual(passwordChanged);
  });

  it('that is not so is taken back, as soon as Google gives a token', async () => {
    const one = await connectedBefore();
    await tell(one.account, 'tokens-revoked');
    await reaches(one, 'active', null);
    expect((await historyOf(one)).map(({ kind }) => kind)).toEqual(['ended', 'recovered']);
  });

  it('of an account that is gone says so', async () => {
    const one = await connectedBefore();
    letterhead.google.accounts.delete(one.account);
    await settled();
    await reaches(one, 'needs_reconnect', 'account_deleted');
  });

  it('explains better what a worker had noticed before', async () => {
    const one = await connectedBefore();
    const { google } = letterhead;
    google.policies.setApp(testClient.clientId, { securityEventsUrl: null });
    google.accounts.removeAccess(one.account, testClient.clientId);
    google.policies.setApp(testClient.clientId, { securityEventsUrl: `${letterhead.url}/google/risc` });
    google.clock.forward(60 * minute);
    await one.reaches(await one.send(), 'held');
    expect(await mailboxOf(one)).toMatchObject({ state_reason: 'revoked' });
    await tell(one.account, 'tokens-revoked');
    expect(await mailboxOf(one)).toMatchObject({ state_reason: 'removed' });
    expect((await historyOf(one)).map(({ kind }) => kind)).toEqual(['ended', 'explained']);
  });
});

describe('token-revoked', () => {
  it('ends the one grant that its hash names, deletes its token, and asks about the others of the account', async () => {
    const one = await connectedBefore();
    const { google } = letterhead;
    await one.founder.connect(one.account, { kind: 'personal' });
    const grant = await grantOf(one);
    google.truth.resetCalls();
    const once = createHash('sha512')
      .update(grant?.refreshToken ?? '')
      .digest();
    const tokenHash = createHash('sha512').update(once).digest('base64');
    await tell(null, 'token-revoked', { tokenHash });
    expect(await mailboxOf(one)).toMatchObject({ state: 'needs_reconnect', state_reason: 'removed' });
    expect(await grantOf(one)).toBeUndefined();
    expect(await newest()).toMatchObject({ type: 'token-revoked', grantsEnded: 1, grantsChecked: 1 });
    await eventually(
      () => google.truth.calls('token'),
      (calls) => calls === 1,
    );
    // The other one works, as Google said when it was asked.
    const others = await inTenant(letterhead.database.db, one.tenantId, (trx) =>
      trx.selectFrom('mailboxes').select('state').where('kind', '=', 'personal').execute(),
    );
    expect(others).toEqual([{ state: 'active' }]);
    expect(await isSignedIn(one)).toBe(true);
  });

  it('by its first characters asks Google', async () => {
    const one = await connectedBefore();
    const grant = await grantOf(one);
    const named = {
      token_type: 'refresh_token',
      token_identifier_alg: 'prefix',
      token: grant?.refreshToken?.slice(0, 16),
    };
    const event = { 'https://schemas.openid.net/secevent/oauth/event-type/token-revoked': { subject: named } };
    letterhead.google.truth.resetCalls();
    expect((await post(await signed({ events: event }))).status).toBe(202);
    expect(await newest()).toMatchObject({ grantsEnded: 0, grantsChecked: 1 });
    await eventually(
      () => letterhead.google.truth.calls('token'),
      (calls) => calls === 1,
    );
    expect(await mailboxOf(one)).toMatchObject({ state: 'active' });
  });

  it('of a token that is not ours any more changes nothing', async () => {
    const one = await connectedBefore();
    await tell(null, 'token-revoked', { tokenHash: createHash('sha512').update('another').digest('base64') });
    expect(await newest()).toMatchObject({ grantsEnded: 0, grantsChecked: 0 });
    expect(await mailboxOf(one)).toMatchObject({ state: 'active' });
  });

  it('comes when somebody disconnects, and harms nobody', async () => {
    const one = await connectedBefore();
    await one.founder.post(`/mailboxes/${one.mailboxId}/disconnection`);
    await settled();
    expect(await newest()).toMatchObject({ type: 'token-revoked', grantsEnded: 0 });
    expect(await mailboxOf(one)).toMatchObject({ state: 'disconnected' });
    expect(await isSignedIn(one)).toBe(true);
  });
});

describe('account-disabled', () => {
  it.each([['hijacking'], ['bulk-account'], [undefined]] as const)(
    '(%s) ends mailboxes and sessions',
    async (reason) => {
      const one = await connectedBefore();
      letterhead.google.accounts.disable(one.account, reason);
      await settled();
      expect(await mailboxOf(one)).toMatchObject({ state: 'needs_reconnect', state_reason: 'account_disabled' });
      expect(await newest()).toMatchObject({ detail: reason ?? null, grantsEnded: 1, sessionsEnded: 1 });
      expect((await one.founder.get('/settings/email')).location).toMatch('/sign-in');
    },
  );

  it('ends a delegated mailbox too, and account-enabled brings it back by itself', async () => {
    const one = await workspace(letterhead);
    one.authorise(sendOnly);
    await one.store();
    await one.reaches(await one.sendAsTom(), 'sent');
    const { google } = letterhead;
    // Tom gave the app nothing but his name; Google tells of him all the same.
    google.accounts.disable(one.tom.account);
    await settled();
    await eventually(one.tomsMailbox, ({ state }) => state === 'needs_reconnect');
    const id = await one.sendAsTom();
    expect(await one.delivery(id)).toMatchObject({ state: 'held' });
    google.accounts.enable(one.tom.account);
    await settled();
    await eventually(one.tomsMailbox, ({ state }) => state === 'active');
    await one.reaches(id, 'sent');
  });
});

/** Events that come so soon after a consent that nobody knows which was first. */
describe('what ends a connection that is minutes old is told by its own name', () => {
  it.each([
    ['account_disabled', (account: string) => letterhead.google.accounts.disable(account)],
    ['removed', (account: string) => letterhead.google.accounts.removeAccess(account, testClient.clientId)],
    ['password_changed', (account: string) => letterhead.google.accounts.changePassword(account)],
  ] as const)('%s', async (reason, befall) => {
    const one = await company(letterhead);
    befall(one.account);
    await settled();
    await reaches(one, 'needs_reconnect', reason);
  });
});

it('an account that is enabled again is not called disabled any more', async () => {
  const one = await connectedBefore();
  const { google } = letterhead;
  google.accounts.disable(one.account);
  await settled();
  await reaches(one, 'needs_reconnect', 'account_disabled');
  google.accounts.enable(one.account);
  await settled();
  await reaches(one, 'needs_reconnect', 'was_disabled');
});

describe('sessions-revoked', () => {
  it('signs that person out everywhere, and nobody else', async () => {
    const [one, other] = [await connectedBefore(), await connectedBefore()];
    const phone = visitor(letterhead);
    await phone.signIn(one.account);
    await tell(one.account, 'sessions-revoked');
    expect(await newest()).toMatchObject({ sessionsEnded: 2, grantsEnded: 0 });
    for (const browser of [one.founder, phone]) {
      expect((await browser.get('/settings/email')).location).toMatch('/sign-in');
      const saving = await browser.post('/settings/company', {});
      expect([saving.status, saving.text]).toEqual([401, expect.stringContaining('You are signed out')]);
    }
    expect(await isSignedIn(other)).toBe(true);
    expect(await mailboxOf(one)).toMatchObject({ state: 'active' });
    await phone.signIn(one.account);
    expect((await phone.get('/settings/email')).status).toBe(200);
  });

  it('ends also a session that a request under way writes back', async () => {
    const one = await connectedBefore();
    const kept = await letterhead.pool.query('select * from sessions where sess::text like $1', ['%personId%']);
    await tell(one.account, 'sessions-revoked');
    for (const { sid, sess, expire } of kept.rows) {
      const text = 'insert into sessions (sid, sess, expire) values ($1, $2, $3) on conflict do nothing';
      await letterhead.pool.query(text, [sid, sess, expire]);
    }
    expect(await isSignedIn(one)).toBe(false);
  });
});

describe('what is only noted', () => {
  it('is a verification, with its state', async () => {
    await tell(null, 'verification', { state: 'hello\u0007 there' });
    expect(await newest()).toMatchObject({ type: 'verification', detail: 'hello  there', sub: null });
    expect(letterhead.logged()).toContain('"detail":"hello  there"');
  });

  it('is a credential change, and an event that nobody knows yet', async () => {
    const one = await connectedBefore();
    await tell(one.account, 'account-credential-change-required');
    expect(await newest()).toMatchObject({
      type: 'account-credential-change-required',
      grantsEnded: 0,
      sessionsEnded: 0,
    });
    const uri = 'https://schemas.openid.net/secevent/risc/event-type/account-teleported';
    expect((await post(await signed({ events: { [uri]: { subject: subject(one.account) } } }))).status).toBe(202);
    expect(await newest()).toMatchObject({ type: uri, sub: subOf(one.account) });
    expect(await isSignedIn(one)).toBe(true);
  });
});

type PrivateKey = Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];

const revoked = 'https://schemas.openid.net/secevent/oauth/event-type/tokens-revoked';
const subject = (account: string) => ({
  ...{ subject_type: 'iss-sub', iss: `${letterhead.google.url}/` },
  sub: subOf(account),
});

/** An event as Google would sign it, and changed where a test says so. */
async function signed(
  over: Record<string, unknown>,
  { header = {}, key }: { header?: object; key?: PrivateKey } = {},
): Promise<string> {
  const claims = {
    ...{ iss: `${letterhead.google.url}/`, aud: testClient.clientId, jti: crypto.randomUUID() },
    iat: Math.floor(letterhead.google.clock.now() / 1000),
    events: { 'https://schemas.openid.net/secevent/risc/event-type/verification': { state: '' } },
    ...over,
  };
  if (!key) return letterhead.google.securityEvents.sign(claims, header);
  return new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'mine', ...header }).sign(key);
}

async function post(token: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${letterhead.url}/google/risc`, {
    method: 'POST',
    headers: { 'content-type': 'application/secevent+jwt', ...headers },
    body: token,
  });
  const text = await response.text();
  return { status: response.status, type: response.headers.get('content-type'), body: text ? JSON.parse(text) : '' };
}

describe('an event', () => {
  it('is answered with 202 and nothing else, by whatever label it came and whoever else would be refused', async () => {
    expect(await post(await signed({}))).toMatchObject({ status: 202, body: '' });
    const elsewhere = { origin: 'https://accounts.google.com', 'sec-fetch-site': 'cross-site' };
    expect((await post(await signed({}), { 'content-type': 'text/plain', ...elsewhere })).status).toBe(202);
  });

  it('that comes again is dealt with once', async () => {
    const one = await connectedBefore();
    letterhead.google.accounts.expireRefreshTokens(one.account, testClient.clientId);
    const token = await signed({ events: { [revoked]: { subject: subject(one.account) } } });
    const answers = await Promise.all([post(token), post(token), post(token)]);
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
    expect((await historyOf(one)).filter(({ kind }) => kind === 'ended')).toHaveLength(1);
    await one.founder.signIn(one.account);
    await one.founder.connect(one.account, { mailboxId: one.mailboxId });
    expect((await post(token)).status).toBe(202);
    expect(await mailboxOf(one)).toMatchObject({ state: 'active' });
    expect(await isSignedIn(one)).toBe(true);
  });

  it('may name Google with or without scheme and slash, and us among others', async () => {
    const { url } = letterhead.google;
    for (const iss of [url, `${url}/`, new URL(url).host, `${new URL(url).host}/`]) {
      expect((await post(await signed({ iss }))).status, iss).toBe(202);
    }
    expect((await post(await signed({ aud: ['another', testClient.clientId] }))).status).toBe(202);
  });

  it('needs no end, and an end in the past does not matter', async () => {
    expect((await post(await signed({ exp: 1 }))).status).toBe(202);
  });

  it.each<[string, () => Promise<string>, string]>([
    ['nothing', async () => '', 'invalid_request'],
    ['no token', async () => 'hello', 'invalid_request'],
    ['a page of a token', async () => `${await signed({})}.x`, 'invalid_request'],
    ['another issuer’s', () => signed({ iss: 'https://accounts.evil.example/' }), 'invalid_issuer'],
    ['another client’s', () => signed({ aud: 'another.apps' }), 'invalid_audience'],
    ['nobody’s', () => signed({ aud: [] }), 'invalid_audience'],
    ['another type of token', () => signed({}, { header: { typ: 'at+jwt' } }), 'invalid_request'],
    ['an ID token', () => signed({ events: undefined, sub: '1', nonce: 'x' }), 'invalid_request'],
    ['without an id', () => signed({ jti: undefined }), 'invalid_request'],
    ['without a time', () => signed({ iat: undefined }), 'invalid_request'],
    ['without events', () => signed({ events: {} }), 'invalid_request'],
    ['about nobody', () => signed({ events: { [revoked]: {} } }), 'invalid_request'],
    [
      'about another Google’s account',
      () => signed({ events: { [revoked]: { subject: { iss: 'https://evil.example', sub: '1' } } } }),
      'invalid_request',
    ],
    [
      'signed by somebody else',
      async () => signed({}, { key: (await generateKeyPair('RS256')).privateKey }),
      'invalid_key',
    ],
    [
      'signed by somebody else in Google’s name',
      async () => {
        const [head = ''] = (await signed({})).split('.');
        const { kid } = JSON.parse(Buffer.from(head, 'base64url').toString());
        return signed({}, { key: (await generateKeyPair('RS256')).privateKey, header: { kid } });
      },
      'authentication_failed',
    ],
    ['changed on the way', async () => changed(await signed({})), 'authentication_failed'],
    [
      'signed with Google’s public key as a secret',
      async () => {
        const { publicKey } = await generateKeyPair('RS256', { extractable: true });
        const secret = Buffer.from(JSON.stringify(await exportJWK(publicKey)));
        return new SignJWT({ events: {} }).setProtectedHeader({ alg: 'HS256' }).sign(secret);
      },
      'invalid_key',
    ],
    ['not signed at all', async () => unsigned(), 'invalid_key'],
  ])('%s is refused in JSON', async (_what, make, err) => {
    const before = await newest();
    const token = await make();
    expect(await post(token)).toEqual({
      ...{ status: 400, type: 'application/json; charset=utf-8' },
      body: { err, description: expect.stringMatching(/\.$/) },
    });
    expect(await newest()).toEqual(before);
    if (token.length > 40) expect(letterhead.logged()).not.toContain(token.slice(-40));
  });

  it('that is far too large is refused before it is read', async () => {
    expect(await post('x'.repeat(20_000))).toMatchObject({ status: 400, body: { err: 'invalid_request' } });
  });

  it('is asked for again while Google’s keys cannot be had', async () => {
    const fresh = await startTestLetterhead({ worker: false });
    try {
      fresh.google.faults.add({
        method: 'certs',
        times: 1,
        effect: { kind: 'serverError', status: 503, when: 'before' },
      });
      const verification = 'https://schemas.openid.net/secevent/risc/event-type/verification';
      const token = await fresh.google.securityEvents.sign({
        ...{ iss: fresh.google.url, aud: testClient.clientId, jti: 'j', iat: 1, events: { [verification]: {} } },
      });
      const ask = () => fetch(`${fresh.url}/google/risc`, { method: 'POST', body: token });
      expect((await ask()).status).toBe(503);
      expect((await ask()).status).toBe(202);
    } finally {
      await fresh.close();
    }
  });

  it('is kept without anybody’s address or token', async () => {
    const rows = await letterhead.database.system.selectFrom('security_events').selectAll().execute();
    expect(rows.length).toBeGreaterThan(10);
    expect(JSON.stringify(rows)).not.toMatch(/@|1\/\//);
  });
});

function changed(token: string): string {
  const [head = '', body = '', signature = ''] = token.split('.');
  const claims = { ...JSON.parse(Buffer.from(body, 'base64url').toString()), jti: 'changed' };
  return [head, Buffer.from(JSON.stringify(claims)).toString('base64url'), signature].join('.');
}

function unsigned(): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none' })}.${part({ iss: letterhead.google.url, aud: testClient.clientId })}.`;
}
