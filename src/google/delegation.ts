import { importPKCS8, SignJWT } from 'jose';
import { z } from 'zod';
import { type GoogleApp, oauthClient, once, scopes } from './app.ts';
import { GoogleError, type GoogleFailure, guarded } from './errors.ts';
import { splitScopes, type TokenAnswer } from './oauth.ts';

/** What it takes to speak as a service account. Keep it in a variable, never in a log, an error or an answer. */
export interface ServiceAccount {
  /** `letterhead@project.iam.gserviceaccount.com` */
  readonly clientEmail: string;
  /** PKCS #8 in PEM, as in the key file. */
  readonly privateKey: string;
  readonly privateKeyId: string | null;
}

/** Without these nothing can be sent as somebody: the send itself, and whose account it is. */
export const delegationScopes = [scopes.email, scopes.gmailSend] as const;

/** How long an assertion may be used, in seconds. Google allows an hour; it is used once, now. */
const assertionSeconds = 600;

/**
 * An access token for somebody of a Workspace domain, by domain-wide delegation: an assertion that names them as `sub`,
 * signed by the service account (RFC 7523; Google: “Using OAuth 2.0 for server to server applications”).
 *
 * @param subject the address of the person to act as
 * @param now by the caller's clock; the library's own client would take the machine's, and Google's own token address
 * @throws {GoogleError} see {@link delegationTrouble}
 */
export async function delegatedAccessToken(
  app: GoogleApp,
  account: ServiceAccount,
  subject: string,
  asked: readonly string[],
  now: Date,
): Promise<TokenAnswer> {
  const assertion = await sign(app, account, subject, asked, now);
  const data = new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion });
  const response = await guarded(() =>
    oauthClient(app).transporter.request<unknown>({ url: app.endpoints.token, method: 'POST', data, ...once }),
  );
  const answer = tokenAnswer.safeParse(response.data).data;
  if (!answer)
    throw new GoogleError({ kind: 'lost', code: 'UNREADABLE', message: 'Google’s answer could not be read.' });
  return {
    accessToken: answer.access_token,
    expiresInMs: answer.expires_in * 1000,
    ...(answer.scope && { scopes: splitScopes(answer.scope) }),
  };
}

const tokenAnswer = z.object({
  access_token: z.string().min(1),
  expires_in: z.number().positive(),
  scope: z.string().optional(),
});

async function sign(app: GoogleApp, account: ServiceAccount, subject: string, asked: readonly string[], now: Date) {
  const iat = Math.floor(now.getTime() / 1000);
  return new SignJWT({ scope: asked.join(' ') })
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT', ...(account.privateKeyId && { kid: account.privateKeyId }) })
    .setIssuer(account.clientEmail)
    .setSubject(subject)
    .setAudience(app.endpoints.token)
    .setIssuedAt(iat)
    .setExpirationTime(iat + assertionSeconds)
    .sign(await importPKCS8(account.privateKey, 'RS256'));
}

/** Whether this is a private key that can sign for Google: RSA in PKCS #8. */
export async function isSigningKey(pem: string): Promise<boolean> {
  try {
    await importPKCS8(pem, 'RS256');
    return true;
  } catch {
    return false;
  }
}

/**
 * What keeps a service account from acting as somebody.
 *
 * - `not_authorized`: the Workspace administrator has not allowed it, or not for all of these scopes, or no longer.
 * - `key_refused`: the service account or this key of it is deleted.
 * - `person_unknown`: the domain has no such account, or it is suspended.
 * - `clock`: this machine's clock is wrong.
 */
export type DelegationTrouble = 'not_authorized' | 'key_refused' | 'person_unknown' | 'clock';

/** Tells Google's refusals of an assertion apart, by its sentences; null where it is none of them, and may pass. */
export function delegationTrouble(failure: GoogleFailure): DelegationTrouble | null {
  if (failure.kind !== 'answered') return null;
  const { reason, message } = failure;
  if (reason === 'unauthorized_client' || reason === 'access_denied') return 'not_authorized';
  if (reason !== 'invalid_grant') return null;
  if (/short-lived token|reasonable timeframe/i.test(message)) return 'clock';
  if (/account not found|JWT signature|no valid verifier/i.test(message)) return 'key_refused';
  return 'person_unknown';
}

/**
 * Whose account an access token is for.
 *
 * @returns Google's subject and the address
 * @throws {GoogleError}
 */
export async function personBehind(app: GoogleApp, accessToken: string): Promise<{ sub: string; email: string }> {
  const response = await guarded(() =>
    oauthClient(app).transporter.request<unknown>({
      url: app.endpoints.userinfo,
      headers: { authorization: `Bearer ${accessToken}` },
    }),
  );
  const person = userinfo.safeParse(response.data).data;
  if (!person)
    throw new GoogleError({ kind: 'lost', code: 'UNREADABLE', message: 'Google’s answer could not be read.' });
  return person;
}

const userinfo = z.object({ sub: z.string().min(1), email: z.string().toLowerCase() });
