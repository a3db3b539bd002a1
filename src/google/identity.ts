import { z } from 'zod';
import { type GoogleApp, oauthClient, once } from './app.ts';
import { ask } from './ask.ts';
import { GoogleError } from './errors.ts';
import { type AccessToken, gmailClient, readable, timeAtGoogle } from './gmail.ts';
import { splitScopes } from './oauth.ts';

/** What time it was at Google when it answered; null where the answer did not say. */
interface Timed {
  readonly at: Date | null;
}

/** What Google itself says of an access token. */
export interface TokenInfo extends Timed {
  /** The account, where the token may tell. */
  readonly sub: string | null;
  /** Granted, in Google's spelling. */
  readonly scopes: readonly string[];
}

/** Whose an access token is. */
export interface TokenOwner extends Timed {
  readonly sub: string;
  /** As Google writes it now. */
  readonly email: string | null;
}

/**
 * What a token may do, and whose it is, by Google's tokeninfo endpoint: it stands beside the token endpoint, at Google
 * and elsewhere, and discovery documents do not name it.
 *
 * @throws {GoogleError} 400 `invalid_token` for one that is over
 */
export async function readTokenInfo(app: GoogleApp, { token }: AccessToken): Promise<TokenInfo> {
  const url = new URL('tokeninfo', app.endpoints.token).href;
  const { data, headers } = await bearer(app, 'POST', url, token);
  const { sub = null, scope } = readable(tokenInfo, data);
  return { sub, scopes: splitScopes(scope), at: timeAtGoogle(headers) };
}

const tokenInfo = z.object({ sub: z.string().min(1).optional(), scope: z.string() });

/**
 * Whose a token is (OpenID Connect Core 1.0, section 5.3); it must have been granted `openid`.
 *
 * @throws {GoogleError} 401 for one that is over
 */
export async function readTokenOwner(app: GoogleApp, { token }: AccessToken): Promise<TokenOwner> {
  const { data, headers } = await bearer(app, 'GET', app.endpoints.userinfo, token);
  const { sub, email } = readable(userinfo, data);
  return { sub, email: email?.toLowerCase() ?? null, at: timeAtGoogle(headers) };
}

const userinfo = z.object({ sub: z.string().min(1), email: z.string().optional() });

/** In a header, so that it stands in nobody's log of addresses. */
function bearer(app: GoogleApp, method: 'GET' | 'POST', url: string, token: string) {
  return ask(app, 'oauth', () =>
    oauthClient(app).transporter.request<unknown>({
      ...{ url, method, timeout: app.timeoutMs, ...once },
      headers: { authorization: `Bearer ${token}` },
    }),
  );
}

/**
 * Whether there is a Gmail mailbox behind a token; it must have been granted one of compose, metadata, readonly, modify.
 *
 * @throws {GoogleError} 400 `failedPrecondition` where there is none
 */
export async function readProfile(app: GoogleApp, token: AccessToken): Promise<Timed> {
  const { data, headers } = await ask(app, 'gmail', () =>
    gmailClient(app, token).users.getProfile({ userId: 'me' }, { timeout: app.timeoutMs, ...once }),
  );
  readable(profile, data);
  return { at: timeAtGoogle(headers) };
}

const profile = z.object({ emailAddress: z.string().min(1) });

/** Whether Google takes a redirect URI for ours. `unclear`: its answer said neither. */
export type RedirectVerdict = 'accepted' | 'refused' | 'client_refused' | 'unclear';

/**
 * Asks Google whether an address may be sent people back to, without anybody being there: with `prompt=none` it either
 * leads straight back with an error of its own (OpenID Connect Core 1.0, 3.1.2.6), or shows its page about a mismatch.
 * The way back is not followed.
 *
 * @throws {GoogleError} where Google could not be reached
 */
export async function tryRedirect(app: GoogleApp, redirectUri: string): Promise<RedirectVerdict> {
  let url = authorizeUrl(app, redirectUri);
  for (let hop = 0; hop < 4; hop += 1) {
    const response = await fetchPage(url, app.timeoutMs);
    const words = `${readable64(url)} ${response.text}`;
    if (words.includes('redirect_uri_mismatch')) return 'refused';
    if (/invalid_client|deleted_client/.test(words)) return 'client_refused';
    if (response.location === null) return 'unclear';
    url = new URL(response.location, url);
    if (url.href.startsWith(`${redirectUri}?`)) return 'accepted';
    // Nobody but Google is asked.
    if (url.origin !== new URL(app.endpoints.authorize).origin) return 'unclear';
  }
  return 'unclear';
}

function authorizeUrl(app: GoogleApp, redirectUri: string): URL {
  const url = new URL(app.endpoints.authorize);
  url.search = new URLSearchParams({
    ...{ client_id: app.clientId, redirect_uri: redirectUri, response_type: 'code', scope: 'openid', prompt: 'none' },
    state: 'check-up',
  }).toString();
  return url;
}

async function fetchPage(url: URL, timeoutMs: number): Promise<{ location: string | null; text: string }> {
  try {
    const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(timeoutMs) });
    return { location: response.headers.get('location'), text: await response.text() };
  } catch {
    throw new GoogleError({ kind: 'lost', code: 'UNREACHABLE', message: 'Google’s sign-in page did not answer.' });
  }
}

/** Google's page about an error carries its reason in base64, in the parameter `authError`. */
function readable64(url: URL): string {
  return Buffer.from(url.searchParams.get('authError') ?? '', 'base64').toString('latin1');
}
