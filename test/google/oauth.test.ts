import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GoogleApp } from '../../src/google/app.ts';
import { DiscoveryError, findEndpoints, googleIssuer } from '../../src/google/endpoints.ts';
import { checkIdToken, IdTokenError, splitScopes } from '../../src/google/oauth.ts';

// A provider of our own, so that each claim can be wrong by itself.
const { publicKey, privateKey } = await generateKeyPair('RS256');
const stranger = await generateKeyPair('RS256');
let documents: Record<string, unknown> = {};
const server = createServer((req, res) => {
  const body = documents[req.url ?? ''];
  if (body === undefined) res.writeHead(404).end();
  else
    res
      .writeHead(200, { 'content-type': 'application/json' })
      .end(typeof body === 'string' ? body : JSON.stringify(body));
});
let issuer = '';
let app: GoogleApp;

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  documents = {
    '/certs': { keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' }] },
    '/.well-known/openid-configuration': discovery(),
  };
  app = {
    clientId: 'the-client',
    clientSecret: 'hush',
    endpoints: await findEndpoints(issuer, `${issuer}/gmail/`, 60_000),
    timeoutMs: 60_000,
  };
});
afterAll(() => void server.close());

function discovery(over: object = {}) {
  const all = { authorization: 'auth', token: 'token', revocation: 'revoke', userinfo: 'userinfo' };
  const endpoints = Object.entries(all).map(([name, path]) => [`${name}_endpoint`, `${issuer}/${path}`]);
  return { issuer, ...Object.fromEntries(endpoints), jwks_uri: `${issuer}/certs`, ...over };
}

const claims = { email: 'Dana@Brightwater.example', email_verified: true, name: 'Dana Reyes', nonce: 'the-nonce' };

interface Wrong {
  readonly claims?: object;
  readonly iss?: string;
  readonly aud?: string;
  readonly sub?: string | null;
  readonly expires?: string;
  readonly key?: CryptoKey;
  readonly kid?: string;
}

function idToken(wrong: Wrong = {}): Promise<string> {
  const token = new SignJWT({ ...claims, ...wrong.claims })
    .setProtectedHeader({ alg: 'RS256', kid: wrong.kid ?? 'k1' })
    .setIssuer(wrong.iss ?? issuer)
    .setAudience(wrong.aud ?? 'the-client')
    .setIssuedAt()
    .setExpirationTime(wrong.expires ?? '5m');
  if (wrong.sub !== null) token.setSubject(wrong.sub ?? '1234567890');
  return token.sign(wrong.key ?? privateKey);
}

describe('an ID token', () => {
  it('names the Workspace domain that manages the account', async () => {
    const token = await idToken({ claims: { hd: 'brightwater.example' } });
    expect(await checkIdToken(app, token, 'the-nonce')).toMatchObject({ hd: 'brightwater.example' });
  });

  it('names whom it names, the address in small letters', async () => {
    expect(await checkIdToken(app, await idToken(), 'the-nonce')).toEqual({
      issuer,
      sub: '1234567890',
      email: 'dana@brightwater.example',
      name: 'Dana Reyes',
      hd: null,
    });
  });

  it('needs no name', async () => {
    const { name } = await checkIdToken(app, await idToken({ claims: { name: undefined } }), 'the-nonce');
    expect(name).toBe(claims.email);
  });

  it('may name Google’s issuer by its bare host', async () => {
    const real = { ...app, endpoints: { ...app.endpoints, issuer: 'https://accounts.google.com' } };
    for (const iss of ['https://accounts.google.com', 'accounts.google.com']) {
      expect(await checkIdToken(real, await idToken({ iss }), 'the-nonce')).toMatchObject({
        issuer: 'https://accounts.google.com',
      });
    }
  });

  it.each<[string, Wrong]>([
    ['another nonce', { claims: { nonce: 'another' } }],
    ['no nonce', { claims: { nonce: undefined } }],
    ['another audience', { aud: 'another-client' }],
    ['another issuer', { iss: 'https://accounts.example.com' }],
    ['another’s signature', { key: stranger.privateKey }],
    ['a key nobody knows', { kid: 'k2' }],
    ['an end in the past', { expires: '-2m' }],
    ['an address nobody verified', { claims: { email_verified: false } }],
    ['an address of which nothing is said', { claims: { email_verified: undefined } }],
    ['no address', { claims: { email: undefined } }],
    ['no subject', { sub: null }],
  ])('with %s is refused, and not shown', async (_what, wrong) => {
    const token = await idToken(wrong);
    const error: unknown = await checkIdToken(app, token, 'the-nonce').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(IdTokenError);
    expect(String(error)).not.toContain(token);
  });

  it('without a nonce is refused, also when none was sent', async () => {
    await expect(checkIdToken(app, await idToken({ claims: { nonce: undefined } }), '')).rejects.toBeInstanceOf(
      IdTokenError,
    );
  });

  it.each(['none', 'HS256'])('signed with %s is refused', async (alg) => {
    const [, payload] = (await idToken()).split('.');
    const head = Buffer.from(JSON.stringify({ alg, kid: 'k1' })).toString('base64url');
    for (const signature of ['', Buffer.from('x').toString('base64url')]) {
      await expect(checkIdToken(app, `${head}.${payload}.${signature}`, 'the-nonce')).rejects.toBeInstanceOf(
        IdTokenError,
      );
    }
  });

  it('that is no token at all is refused', async () => {
    for (const text of ['', 'x', 'a.b.c'])
      await expect(checkIdToken(app, text, 'n')).rejects.toBeInstanceOf(IdTokenError);
  });
});

describe('the endpoints', () => {
  it('of Google itself are known without asking', async () => {
    const found = await findEndpoints(googleIssuer, 'https://gmail.googleapis.com/', 1);
    const hosts = Object.values(found).map((address) => new URL(address).hostname);
    expect(hosts.every((host) => host.endsWith('.googleapis.com') || host === 'accounts.google.com')).toBe(true);
    expect(found.gmailRoot).toBe('https://gmail.googleapis.com/');
  });

  it('of another issuer stand in its discovery document', async () => {
    expect(app.endpoints).toEqual({
      issuer,
      authorize: `${issuer}/auth`,
      token: `${issuer}/token`,
      revoke: `${issuer}/revoke`,
      userinfo: `${issuer}/userinfo`,
      certs: `${issuer}/certs`,
      gmailRoot: `${issuer}/gmail/`,
    });
  });

  it.each<[string, () => Record<string, unknown>, RegExp]>([
    ['is missing', () => ({}), /answered 404/],
    ['is no JSON', () => ({ '/.well-known/openid-configuration': '<html>' }), /could not be read/],
    [
      'lacks an address',
      () => ({ '/.well-known/openid-configuration': discovery({ token_endpoint: undefined }) }),
      /token_endpoint/,
    ],
    [
      'names another issuer',
      () => ({ '/.well-known/openid-configuration': discovery({ issuer: 'https://x.example' }) }),
      /calls itself https:\/\/x\.example/,
    ],
  ])(
    'cannot be found when the document %s, and the message says which variable to check',
    async (_what, wrong, words) => {
      const right = documents;
      documents = wrong();
      try {
        const error: unknown = await findEndpoints(issuer, issuer, 60_000).catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(DiscoveryError);
        expect(String(error)).toMatch(words);
        expect(String(error)).toContain(`GOOGLE_ISSUER is ${issuer}`);
      } finally {
        documents = right;
      }
    },
  );
});

it('scopes are split at spaces, however many', () => {
  expect(splitScopes(' openid  https://www.googleapis.com/auth/gmail.send ')).toEqual([
    'openid',
    'https://www.googleapis.com/auth/gmail.send',
  ]);
});
