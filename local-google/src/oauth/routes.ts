import { type Request, Router } from 'express';
import { revokeToken } from '../account-life.ts';
import { type Answer, Refusal } from '../answers.ts';
import { readForm } from '../body.ts';
import { serveEndpoint } from '../endpoint.ts';
import type { World } from '../world.ts';
import { authorizeRoutes } from './authorize.ts';
import { bearerToken } from './bearer.ts';
import type { AccessToken } from './grants.ts';
import { claims } from './identity.ts';
import { EMAIL_SCOPE } from './scopes.ts';
import type { Sessions } from './sessions.ts';
import { exchangeToken, tokenAccount } from './token.ts';

/** Everything of Google's OAuth, under one origin. */
export function oauthRoutes(world: World, sessions: Sessions): Router {
  const router = Router();
  const nobody = () => null;
  const bearer = (req: Request) => accountOf(world, bearerToken(req));

  router.get('/.well-known/openid-configuration', (_req, res) => {
    res.set('Cache-Control', 'public, max-age=3600').json(discovery(world.url));
  });
  router.get(
    '/oauth2/v3/certs',
    serveEndpoint(world, { method: 'certs', account: nobody, work: async () => ok(await world.keys.jwks()) }),
  );
  router.get(
    '/oauth2/v1/certs',
    serveEndpoint(world, { method: 'certs', account: nobody, work: async () => ok(await world.keys.pems()) }),
  );
  router.post(
    ['/token', '/oauth2/v4/token'],
    serveEndpoint(world, {
      method: 'token',
      account: (req) => tokenAccount(world, req),
      work: (req) => exchangeToken(world, req),
    }),
  );
  router.all(
    ['/revoke', '/o/oauth2/revoke'],
    serveEndpoint(world, {
      method: 'revoke',
      account: async (req) => accountOf(world, await namedToken(req)),
      work: async (req) => revoke(world, await namedToken(req)),
    }),
  );
  router.all(
    ['/v1/userinfo', '/oauth2/v3/userinfo'],
    serveEndpoint(world, { method: 'userinfo', account: bearer, work: (req) => userinfo(world, bearerToken(req)) }),
  );
  router.all(
    ['/tokeninfo', '/oauth2/v3/tokeninfo'],
    serveEndpoint(world, {
      method: 'tokeninfo',
      account: nobody,
      work: async (req) => tokeninfo(world, (await parameter(req, 'access_token')) ?? bearerToken(req)),
    }),
  );
  router.use(authorizeRoutes(world, sessions));
  return router;
}

/** The discovery document; every address in it is this server's own. */
function discovery(url: string): Record<string, unknown> {
  return {
    issuer: url,
    authorization_endpoint: `${url}/o/oauth2/v2/auth`,
    token_endpoint: `${url}/token`,
    userinfo_endpoint: `${url}/v1/userinfo`,
    revocation_endpoint: `${url}/revoke`,
    jwks_uri: `${url}/oauth2/v3/certs`,
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    scopes_supported: ['openid', 'email', 'profile'],
    token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
    claims_supported: [
      'aud',
      'email',
      'email_verified',
      'exp',
      'family_name',
      'given_name',
      'iat',
      'iss',
      'name',
      'picture',
      'sub',
    ],
    code_challenge_methods_supported: ['plain', 'S256'],
    grant_types_supported: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:jwt-bearer'],
  };
}

function accountOf(world: World, token: string): string | null {
  const found = world.grants.anyToken(token);
  return found ? (world.accounts.bySub(found.sub)?.email ?? null) : null;
}

async function parameter(req: Request, name: string): Promise<string | null> {
  const query = new URL(req.originalUrl, 'http://local').searchParams.get(name);
  return query ?? (req.method === 'POST' ? (await readForm(req)).get(name) : null);
}

async function namedToken(req: Request): Promise<string> {
  return (await parameter(req, 'token')) ?? '';
}

function revoke(world: World, token: string): Answer {
  if (token === '') throw refusal(400, 'invalid_request', 'Missing required parameter: token');
  if (!revokeToken(world, token)) throw refusal(400, 'invalid_token', 'Token expired or revoked');
  return ok({});
}

function userinfo(world: World, token: string): Answer {
  const access = world.grants.accessToken(token);
  const account = access && world.accounts.bySub(access.sub);
  if (!access || !account) throw refusal(401, 'invalid_request', 'Invalid Credentials');
  return ok(claims(world, account, access.scopes));
}

function tokeninfo(world: World, token: string): Answer {
  const access: AccessToken | undefined = world.grants.accessToken(token);
  const account = access && world.accounts.bySub(access.sub);
  if (!access || !account) throw refusal(400, 'invalid_token', 'Invalid Value');
  return ok({
    azp: access.clientId,
    aud: access.clientId,
    sub: access.sub,
    scope: access.scopes.join(' '),
    exp: String(Math.floor(access.expiresAt / 1000)),
    expires_in: String(Math.floor((access.expiresAt - world.now()) / 1000)),
    ...(access.scopes.includes(EMAIL_SCOPE) ? { email: account.email, email_verified: 'true' } : {}),
    access_type: access.offline ? 'offline' : 'online',
  });
}

function ok(body: unknown): Answer {
  return { status: 200, body };
}

function refusal(status: number, error: string, description: string): Refusal {
  return new Refusal({ status, body: { error, error_description: description } });
}
