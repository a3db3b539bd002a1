import { createHash } from 'node:crypto';
import type { Request } from 'express';
import type { Account } from '../accounts.ts';
import { type Answer, Refusal } from '../answers.ts';
import { readForm } from '../body.ts';
import type { World } from '../world.ts';
import { type Client, secretFits } from './clients.ts';
import { ACCESS_TOKEN_SECONDS } from './grants.ts';
import { idToken } from './identity.ts';
import { isSignInScope, parseScopes } from './scopes.ts';
import { assertedAccount, exchangeAssertion } from './service-accounts.ts';

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

/** In Testing a refresh token lives for seven days, unless it only knows who somebody is (docs/google.md, A). */
const TESTING_LIFETIME_MS = 7 * 24 * 60 * 60 * 1000;

/** The token endpoint (docs/google.md, A): exchanges codes and refresh tokens. Throws Refusal with Google's own bodies. */
export async function exchangeToken(world: World, req: Request): Promise<Answer> {
  const form = await readForm(req);
  const grantType = form.get('grant_type');
  if (grantType === JWT_BEARER) return exchangeAssertion(world, form.get('assertion') ?? '');
  const client = authenticate(world, req, form);
  switch (grantType) {
    case 'authorization_code':
      return exchangeCode(world, client, form);
    case 'refresh_token':
      return refresh(world, client, form);
    default:
      throw refused(400, 'unsupported_grant_type', `Invalid grant_type: ${grantType ?? ''}`);
  }
}

/** Whose tokens a call is about, as far as its form tells; for the faults and the counts. */
export async function tokenAccount(world: World, req: Request): Promise<string | null> {
  const form = await readForm(req);
  const assertion = form.get('assertion');
  if (assertion !== null) return assertedAccount(assertion);
  const token = world.grants.refreshToken(form.get('refresh_token') ?? '');
  return token && 'sub' in token ? (world.accounts.bySub(token.sub)?.email ?? null) : null;
}

async function exchangeCode(world: World, client: Client, form: URLSearchParams): Promise<Answer> {
  const code = form.get('code');
  if (!code) throw refused(400, 'invalid_request', 'Missing required parameter: code');
  if (!code.startsWith('4/')) throw refused(400, 'invalid_grant', 'Malformed auth code.');
  const authorization = world.codes.take(code);
  if (!authorization || authorization.clientId !== client.id) throw refused(400, 'invalid_grant', 'Bad Request');
  if (form.get('redirect_uri') !== authorization.redirectUri) {
    throw refused(400, 'redirect_uri_mismatch', 'Bad Request');
  }
  checkVerifier(authorization.challenge, form.get('code_verifier'));
  const { sub, scopes, nonce, offline } = authorization;
  checkAccount(world, sub);
  const end = endOf(world, client, scopes);
  const refreshToken = authorization.refreshToken
    ? world.grants.issueRefreshToken(sub, client, scopes, end)
    : undefined;
  return tokens(world, client, { sub, scopes, nonce, offline, refreshToken, ...(refreshToken ? end : NO_END) });
}

/** What a consent brings an app in the end, once its code is exchanged. */
export interface GivenTokens {
  readonly accessToken: string;
  readonly expiresInMs: number;
  readonly refreshToken: string;
  /** How long the refresh token lives; null unless access was given for a limited time. */
  readonly endsInMs: number | null;
  /** In Google's own spelling. */
  readonly scopes: readonly string[];
}

/** The tokens of a first consent to all of these scopes, for a test that needs neither the pages nor the code. */
export function giveTokens(world: World, client: Client, { sub }: Account, asked: readonly string[]): GivenTokens {
  const scopes = parseScopes(asked.join(' '));
  world.grants.allow(sub, client.project, scopes);
  const end = endOf(world, client, scopes);
  return {
    refreshToken: world.grants.issueRefreshToken(sub, client, scopes, end),
    accessToken: world.grants.issueAccessToken(sub, client, scopes, true),
    expiresInMs: ACCESS_TOKEN_SECONDS * 1_000,
    endsInMs: end.timeLimited && end.expiresAt !== null ? end.expiresAt - world.now() : null,
    scopes,
  };
}

async function refresh(world: World, client: Client, form: URLSearchParams): Promise<Answer> {
  const presented = form.get('refresh_token');
  if (!presented) throw refused(400, 'invalid_request', 'Missing required parameter: refresh_token');
  const token = world.grants.refreshToken(presented);
  if (token === undefined) throw refused(400, 'invalid_grant', 'Bad Request');
  if ('why' in token) throw dead(token.why);
  if (token.clientId !== client.id) throw refused(401, 'unauthorized_client', 'Unauthorized');
  checkAccount(world, token.sub);
  world.grants.used(token);
  return tokens(world, client, { ...token, nonce: null, offline: true, refreshToken: undefined });
}

async function tokens(
  world: World,
  client: Client,
  given: {
    sub: string;
    scopes: readonly string[];
    nonce: string | null;
    offline: boolean;
    refreshToken: string | undefined;
    expiresAt: number | null;
    timeLimited: boolean;
  },
): Promise<Answer> {
  const { sub, scopes, nonce, offline, refreshToken, expiresAt, timeLimited } = given;
  const left = timeLimited && expiresAt !== null ? Math.floor((expiresAt - world.now()) / 1000) : null;
  const accessToken = world.grants.issueAccessToken(sub, client, scopes, offline);
  const account = world.accounts.bySub(sub);
  const identity =
    account && scopes.includes('openid') ? await idToken(world, client, account, { scopes, nonce, accessToken }) : null;
  return {
    status: 200,
    body: {
      access_token: accessToken,
      expires_in: ACCESS_TOKEN_SECONDS,
      ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
      ...(left === null ? {} : { refresh_token_expires_in: left }),
      scope: scopes.join(' '),
      token_type: 'Bearer',
      ...(identity === null ? {} : { id_token: identity }),
    },
  };
}

/** The client behind a request, by its form or by Basic authentication (RFC 6749 2.3.1). */
function authenticate(world: World, req: Request, form: URLSearchParams): Client {
  const basic = /^Basic (.+)$/i.exec(req.headers.authorization ?? '')?.[1];
  const [basicId, basicSecret] = basic ? Buffer.from(basic, 'base64').toString('utf8').split(':') : [];
  const id = form.get('client_id') ?? decodeURIComponent(basicId ?? '');
  const secret = form.get('client_secret') ?? decodeURIComponent(basicSecret ?? '');
  if (id === '') throw refused(400, 'invalid_request', 'Could not determine client ID from request.');
  const client = world.clients.get(id);
  if (!client) throw refused(401, 'invalid_client', 'The OAuth client was not found.');
  if (world.policies.isDeleted(id)) throw refused(401, 'deleted_client', 'The OAuth client was deleted.');
  if (secret === '') throw refused(400, 'invalid_request', 'client_secret is missing.');
  if (!secretFits(client, secret)) throw refused(401, 'invalid_client', 'The provided client secret is invalid.');
  return client;
}

const NO_END = { expiresAt: null, timeLimited: false };

/** When a new refresh token ends by itself: time-limited access says so to the app, Testing does not. */
function endOf(
  world: World,
  client: Client,
  scopes: readonly string[],
): { expiresAt: number | null; timeLimited: boolean } {
  const { accessSeconds, publishing } = world.policies.app(client.project);
  if (accessSeconds !== null) return { expiresAt: world.now() + accessSeconds * 1000, timeLimited: true };
  const testing = publishing === 'testing' && !scopes.every(isSignInScope);
  return testing ? { expiresAt: world.now() + TESTING_LIFETIME_MS, timeLimited: false } : NO_END;
}

function checkAccount(world: World, sub: string): void {
  const account = world.accounts.bySub(sub);
  if (!account) throw refused(400, 'invalid_grant', 'The account has been deleted');
  if (account.state === 'disabled') throw refused(400, 'invalid_grant', 'Token has been expired or revoked.');
}

/** The refusal of a refresh token that once worked; a wanted sign-in carries its own subtype. */
function dead(why: string): Refusal {
  if (!why.includes('invalid_rapt')) return refused(400, 'invalid_grant', why);
  const body = { error: 'invalid_grant', error_description: why, error_subtype: 'invalid_rapt' };
  return new Refusal({ status: 400, body: { ...body, error_uri: 'https://support.google.com/a/answer/9368756' } });
}

function checkVerifier(challenge: { value: string; method: 'S256' | 'plain' } | null, verifier: string | null): void {
  if (!challenge) return;
  if (!verifier) throw refused(400, 'invalid_grant', 'Missing code verifier.');
  const shown = challenge.method === 'plain' ? verifier : createHash('sha256').update(verifier).digest('base64url');
  if (shown !== challenge.value) throw refused(400, 'invalid_grant', 'Invalid code verifier.');
}

function refused(status: number, error: string, description: string): Refusal {
  return new Refusal({ status, body: { error, error_description: description } });
}
