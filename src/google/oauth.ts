import { errors, jwtVerify } from 'jose';
import { z } from 'zod';
import { type GoogleApp, oauthClient } from './app.ts';
import { ask } from './ask.ts';
import { GoogleError, guarded, isAnswered } from './errors.ts';
import { keysOf } from './keys.ts';

/** What the token endpoint gives for a code or a refresh token. */
export interface TokenAnswer {
  readonly accessToken: string;
  /** How long the access token lives from now on; when that is, the caller's clock says. */
  readonly expiresInMs: number;
  /** How long the refresh token lives from now on; only where access was given for a limited time. */
  readonly endsInMs?: number;
  /** Only where Google sent one: after a consent, hardly ever after a refresh. */
  readonly refreshToken?: string;
  /** Granted scopes in Google's spelling, which can be fewer than were asked; absent where Google left them out. */
  readonly scopes?: readonly string[];
}

/** Whom an ID token names, once its signature, issuer, audience, age and nonce are checked. */
export interface IdTokenClaims {
  readonly issuer: string;
  readonly sub: string;
  readonly email: string;
  readonly name: string;
  /** The Workspace domain that manages the account; null for a consumer's, whatever its address. */
  readonly hd: string | null;
}

/**
 * Trades a refresh token for a new access token.
 *
 * @throws {GoogleError} `invalid_grant` when the permission has ended, `invalid_client` when our own
 *   registration is wrong, or that Google could not be reached. It never holds the token.
 */
export async function refreshAccessToken(app: GoogleApp, refreshToken: string): Promise<TokenAnswer> {
  const client = oauthClient(app);
  client.setCredentials({ refresh_token: refreshToken });
  // The library writes the old refresh token over one that Google may have sent; its event comes before that.
  let sent: string | null | undefined;
  client.on('tokens', (tokens) => {
    sent = tokens.refresh_token;
  });
  const { credentials } = await ask(app, 'oauth', () => client.refreshAccessToken());
  return readTokens({ ...credentials, refresh_token: sent });
}

const credentials = z.object({
  access_token: z.string(),
  expiry_date: z.number(),
  refresh_token: z.string().nullish(),
  refresh_token_expires_in: z.number().nullish(),
  scope: z.string().nullish(),
});

function readTokens(raw: unknown): TokenAnswer {
  const { data: tokens } = credentials.safeParse(raw);
  if (!tokens) {
    throw new GoogleError({ kind: 'lost', code: 'UNREADABLE', message: 'Google’s answer could not be read.' });
  }
  return {
    accessToken: tokens.access_token,
    expiresInMs: tokens.expiry_date - Date.now(),
    ...(tokens.refresh_token_expires_in && { endsInMs: tokens.refresh_token_expires_in * 1_000 }),
    ...(tokens.refresh_token && { refreshToken: tokens.refresh_token }),
    ...(tokens.scope && { scopes: splitScopes(tokens.scope) }),
  };
}

/** `"openid https://…"` as a list. */
export function splitScopes(scope: string): string[] {
  return scope.split(' ').filter((part) => part !== '');
}

/**
 * Ends the user's whole grant for this Google project, so also that of every other mailbox of the
 * same Google account. A grant that is already gone is no error.
 *
 * @param token access or refresh token
 * @throws {GoogleError} when Google could not be asked
 */
export async function revokeGrant(app: GoogleApp, token: string): Promise<void> {
  try {
    await guarded(() => oauthClient(app).revokeToken(token));
  } catch (error) {
    if (isAnswered(error, 400)) return;
    throw error;
  }
}

/**
 * Checks an ID token (OpenID Connect Core 1.0, section 3.1.3.7) and reads whom it names.
 *
 * @param nonce the one that was sent with the authorization request
 * @throws {IdTokenError} when anything about it is wrong
 * @throws {GoogleError} `unreachable` when Google's keys could not be fetched
 */
export async function checkIdToken(app: GoogleApp, idToken: string, nonce: string): Promise<IdTokenClaims> {
  try {
    const { payload } = await jwtVerify(idToken, keysOf(app), {
      audience: app.clientId,
      // Google's ID tokens also carry the bare host form of the issuer.
      issuer: [app.endpoints.issuer, app.endpoints.issuer.replace(/^https?:\/\//, '')],
      algorithms: ['RS256'],
      clockTolerance: 60,
    });
    const claims = idTokenPayload.parse(payload);
    if (claims.nonce !== nonce) throw new Error('the nonce is not ours');
    // An unverified address proves nothing about who receives its mail.
    if (!claims.email_verified) throw new Error('the address is not verified by Google');
    const issuer = app.endpoints.issuer;
    const { sub, hd = null } = claims;
    return { issuer, sub, email: claims.email.toLowerCase(), name: claims.name ?? claims.email, hd };
  } catch (error) {
    // Without Google's keys nothing was found wrong with the token: it could not be checked.
    if (error instanceof errors.JWKSTimeout || error instanceof TypeError) {
      throw new GoogleError({ kind: 'lost', code: 'unreachable', message: 'Google’s keys could not be fetched.' });
    }
    throw new IdTokenError(error instanceof Error ? error.message.replaceAll(idToken, '…') : 'unreadable');
  }
}

const idTokenPayload = z.object({
  sub: z.string(),
  email: z.email(),
  email_verified: z.boolean().default(false),
  name: z.string().optional(),
  hd: z.string().optional(),
  nonce: z.string().optional(),
});

/** The ID token cannot be trusted. */
export class IdTokenError extends Error {
  override readonly name = 'IdTokenError';
  readonly code = 'id_token';
}
