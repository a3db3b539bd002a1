import { createHash } from 'node:crypto';
import type { Request } from 'express';
import { type Answer, Refusal } from '../answers.ts';
import { readForm } from '../body.ts';
import type { World } from '../world.ts';
import { type Client, secretFits } from './clients.ts';
import { ACCESS_TOKEN_SECONDS } from './grants.ts';
import { idToken } from './identity.ts';

/** The token endpoint (google.md, A): exchanges codes and refresh tokens. Throws Refusal with Google's own bodies. */
export async function exchangeToken(world: World, req: Request): Promise<Answer> {
  const form = await readForm(req);
  const client = authenticate(world, req, form);
  const grantType = form.get('grant_type');
  switch (grantType) {
    case 'authorization_code':
      return exchangeCode(world, client, form);
    case 'refresh_token':
      return refresh(world, client, form);
    default:
      throw refused(400, 'unsupported_grant_type', `Invalid grant_type: ${grantType ?? ''}`);
  }
}

/** Whose tokens a call is about, as far as its form tells; for the faults. */
export async function tokenAccount(world: World, req: Request): Promise<string | null> {
  const token = world.grants.refreshToken((await readForm(req)).get('refresh_token') ?? '');
  return token && token !== 'dead' ? (world.accounts.bySub(token.sub)?.email ?? null) : null;
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
  if (!world.accounts.bySub(sub)) throw refused(400, 'invalid_grant', 'The account has been deleted');
  const refreshToken = authorization.refreshToken ? world.grants.issueRefreshToken(sub, client, scopes) : undefined;
  return tokens(world, client, { sub, scopes, nonce, offline, refreshToken });
}

async function refresh(world: World, client: Client, form: URLSearchParams): Promise<Answer> {
  const presented = form.get('refresh_token');
  if (!presented) throw refused(400, 'invalid_request', 'Missing required parameter: refresh_token');
  const token = world.grants.refreshToken(presented);
  if (token === undefined) throw refused(400, 'invalid_grant', 'Bad Request');
  if (token === 'dead') throw refused(400, 'invalid_grant', 'Token has been expired or revoked.');
  if (token.clientId !== client.id) throw refused(401, 'unauthorized_client', 'Unauthorized');
  if (!world.accounts.bySub(token.sub)) throw refused(400, 'invalid_grant', 'The account has been deleted');
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
  },
): Promise<Answer> {
  const { sub, scopes, nonce, offline, refreshToken } = given;
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
  if (secret === '') throw refused(400, 'invalid_request', 'client_secret is missing.');
  if (!secretFits(client, secret)) throw refused(401, 'invalid_client', 'The provided client secret is invalid.');
  return client;
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
