import { OAuth2Client } from 'google-auth-library';
import { gmail, type gmail_v1 } from 'googleapis/build/src/apis/gmail/index.js';
import { onTestFinished } from 'vitest';
import { type LocalGoogle, type LocalGoogleOptions, startLocalGoogle } from '../src/local-google.ts';

export const REDIRECT = 'http://localhost:3000/connect/callback';
export const CLIENT = { id: 'letterhead', secret: 'hush', name: 'Letterhead', redirectUris: [REDIRECT] };
export const OFFICE = 'office@brightwater.example';
export const DANA = 'dana@brightwater.example';
export const MIRA = 'mira@northgate.example';
export const GMAIL = 'https://www.googleapis.com/auth/gmail.';

/** A Local Google on a free port, in which time stands but where the test moves it on; closed after the test. */
export async function start(options: Partial<LocalGoogleOptions> = {}): Promise<LocalGoogle> {
  const now = Date.now();
  const google = await startLocalGoogle({ port: 0, clients: [CLIENT], now: () => now, ...options });
  onTestFinished(() => google.close());
  return google;
}

/** The official client, pointed at Local Google. */
export function oauthClient(google: LocalGoogle, secret = CLIENT.secret): OAuth2Client {
  return new OAuth2Client({
    clientId: CLIENT.id,
    clientSecret: secret,
    redirectUri: REDIRECT,
    issuers: [google.url],
    endpoints: {
      oauth2AuthBaseUrl: `${google.url}/o/oauth2/v2/auth`,
      oauth2TokenUrl: `${google.url}/token`,
      oauth2RevokeUrl: `${google.url}/revoke`,
      tokenInfoUrl: `${google.url}/tokeninfo`,
      oauth2FederatedSignonPemCertsUrl: `${google.url}/oauth2/v1/certs`,
      oauth2FederatedSignonJwkCertsUrl: `${google.url}/oauth2/v3/certs`,
    },
  });
}

export function authorizeUrl(google: LocalGoogle, parameters: Record<string, string> = {}): string {
  const url = new URL('/o/oauth2/v2/auth', google.url);
  const all = {
    client_id: CLIENT.id,
    redirect_uri: REDIRECT,
    response_type: 'code',
    scope: `openid email ${GMAIL}send`,
    access_type: 'offline',
    prompt: 'consent',
    state: 'the-state',
    ...parameters,
  };
  for (const [name, value] of Object.entries(all)) if (value !== '') url.searchParams.set(name, value);
  return url.href;
}

/** Connects an account with these Gmail scopes (last parts: `send`) and answers the client that holds its tokens. */
export async function connect(google: LocalGoogle, account: string, scopes: readonly string[]): Promise<OAuth2Client> {
  const scope = ['openid', 'email', ...scopes.map((name) => GMAIL + name)].join(' ');
  const callback = await google.approve(authorizeUrl(google, { scope }), { account });
  const client = oauthClient(google);
  const { tokens } = await client.getToken(new URL(callback).searchParams.get('code') ?? '');
  client.setCredentials(tokens);
  return client;
}

export function gmailOf(google: LocalGoogle, auth: OAuth2Client): gmail_v1.Gmail {
  return gmail({ version: 'v1', auth, rootUrl: `${google.url}/` });
}

export function mime(headers: Record<string, string>, body = 'Good morning.'): string {
  const lines = Object.entries({ From: OFFICE, To: MIRA, Subject: 'Invoice 141', ...headers });
  return `${lines
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n${body}`;
}

/** Sends through the JSON endpoint with the official client. */
export async function send(gmailClient: gmail_v1.Gmail, headers: Record<string, string> = {}, threadId?: string) {
  const raw = Buffer.from(mime(headers)).toString('base64url');
  const requestBody = threadId === undefined ? { raw } : { raw, threadId };
  const { data } = await gmailClient.users.messages.send({ userId: 'me', requestBody });
  return { id: data.id ?? '', threadId: data.threadId ?? '', labelIds: data.labelIds ?? [] };
}

/** The status and first reason of a failed call of the official client. */
export async function refusal(call: Promise<unknown>): Promise<{ status: number; reason: string; message: string }> {
  try {
    await call;
  } catch (error) {
    const response: unknown = Reflect.get(Object(error), 'response');
    const { status, data } = Object(response);
    return {
      status,
      reason: data?.error?.errors?.[0]?.reason ?? data?.error,
      message: data?.error?.message ?? data?.error_description,
    };
  }
  throw new Error('The call went well');
}

/** Refreshes the tokens of a connected client with the official library; throws its error when Google refuses. */
export async function refresh(google: LocalGoogle, client: OAuth2Client) {
  const again = oauthClient(google);
  again.setCredentials({ refresh_token: client.credentials.refresh_token ?? null });
  return again.refreshAccessToken();
}
