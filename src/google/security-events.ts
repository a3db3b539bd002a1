import { compactVerify, errors } from 'jose';
import { z } from 'zod';
import type { GoogleApp } from './app.ts';
import { GoogleError } from './errors.ts';
import { keysOf } from './keys.ts';

/**
 * Google's Cross-Account Protection (https://developers.google.com/identity/protocols/risc): signed tokens (RFC 8417)
 * that say what befell a Google account or a permission, pushed to us by HTTP (RFC 8935).
 */

const types = {
  'tokens-revoked': 'https://schemas.openid.net/secevent/oauth/event-type/tokens-revoked',
  'token-revoked': 'https://schemas.openid.net/secevent/oauth/event-type/token-revoked',
  'sessions-revoked': 'https://schemas.openid.net/secevent/risc/event-type/sessions-revoked',
  'account-disabled': 'https://schemas.openid.net/secevent/risc/event-type/account-disabled',
  'account-enabled': 'https://schemas.openid.net/secevent/risc/event-type/account-enabled',
  'account-credential-change-required':
    'https://schemas.openid.net/secevent/risc/event-type/account-credential-change-required',
  verification: 'https://schemas.openid.net/secevent/risc/event-type/verification',
} as const;

/** The events that Google documents. */
export type SecurityEventType = keyof typeof types;

/** How an event names one refresh token: by its first 16 characters, or by SHA-512 of SHA-512 of it. */
export interface TokenName {
  readonly by: 'prefix' | 'digest';
  /** The characters themselves, or 64 bytes. */
  readonly value: Buffer;
}

/** One event, verified. Nothing in it is a secret but a token's prefix. */
export interface SecurityEvent {
  /** Names the event within Google's stream; the same comes again when Google is not sure that it arrived. */
  readonly jti: string;
  /** Null for an event that Google did not document when this was written. */
  readonly type: SecurityEventType | null;
  /** The type's address, as it came. */
  readonly uri: string;
  readonly at: Date;
  /** Google's subject of the person it is about, where it names one. */
  readonly sub: string | null;
  /** The token it is about, where it names one. */
  readonly token: TokenName | null;
  /** Why an account was disabled (`hijacking`, `bulk-account`), or what a verification carries. */
  readonly detail: string | null;
}

/** Why an event is not accepted: the codes of RFC 8935, section 2.4. */
export type SecurityEventErrorCode =
  | 'invalid_request'
  | 'invalid_key'
  | 'invalid_issuer'
  | 'invalid_audience'
  | 'authentication_failed';

/** What came is no event for us. */
export class SecurityEventError extends Error {
  override readonly name = 'SecurityEventError';
  readonly code: SecurityEventErrorCode;

  constructor(code: SecurityEventErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Verifies a pushed token and reads its events, which is one in practice. Signature first: nobody else is told what is
 * wrong with the rest. They never expire: they tell of the past.
 *
 * @param body of the request, as it came
 * @throws {SecurityEventError} when it is not Google's, or not for us
 * @throws {GoogleError} when Google's keys could not be fetched: it should come again
 */
export async function readSecurityEvents(app: GoogleApp, body: string): Promise<SecurityEvent[]> {
  const { header, payload } = await verify(app, body.trim());
  if (header.typ !== undefined && !/^(application\/)?(secevent\+)?jwt$/i.test(header.typ)) {
    throw new SecurityEventError('invalid_request', 'The token is of another type than secevent+jwt.');
  }
  const claims = tokenClaims.safeParse(parseJson(payload)).data;
  if (!claims) throw new SecurityEventError('invalid_request', 'This is no security event token.');
  if (!isIssuer(app, claims.iss)) throw new SecurityEventError('invalid_issuer', 'The token is of another issuer.');
  if (![claims.aud].flat().includes(app.clientId)) {
    throw new SecurityEventError('invalid_audience', 'The token is for another client.');
  }
  const at = new Date(claims.iat * 1000);
  return Object.entries(claims.events).map(([uri, about]) => readEvent(app, { uri, jti: claims.jti, at, about }));
}

async function verify(app: GoogleApp, token: string) {
  try {
    const { protectedHeader, payload } = await compactVerify(token, keysOf(app), { algorithms: ['RS256'] });
    return { header: protectedHeader, payload };
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JOSEAlgNotAllowed) {
      throw new SecurityEventError('invalid_key', 'The token is signed with a key that is not Google’s.');
    }
    if (error instanceof errors.JWSSignatureVerificationFailed) {
      throw new SecurityEventError('authentication_failed', 'The signature is wrong.');
    }
    if (error instanceof errors.JWSInvalid || error instanceof errors.JOSENotSupported) {
      throw new SecurityEventError('invalid_request', 'This is no signed token.');
    }
    // Whatever else: the keys were not to be had, and nothing was found wrong with the token.
    throw new GoogleError({ kind: 'lost', code: 'unreachable', message: 'Google’s keys could not be fetched.' });
  }
}

/** ID tokens name Google with or without the scheme, events with a slash at the end: all of them mean Google. */
function isIssuer(app: GoogleApp, iss: string): boolean {
  const bare = (issuer: string) => issuer.replace(/^https?:\/\//, '').replace(/\/$/, '');
  return bare(iss) === bare(app.endpoints.issuer);
}

const text = z.string().min(1).max(255);

// An ID token is signed with the same keys for the same audience: what makes this one an event is `events`.
const tokenClaims = z.object({
  iss: text,
  aud: z.union([z.string(), z.array(z.string())]),
  iat: z.number().int().min(0).max(8_640_000_000_000),
  jti: text,
  events: z
    .record(text, z.unknown())
    .refine((events) => Object.keys(events).length > 0 && Object.keys(events).length <= 20),
});

const eventBody = z.object({
  subject: z
    .object({
      subject_type: z.string().optional(),
      iss: text.optional(),
      sub: text.optional(),
      token_type: z.string().optional(),
      token_identifier_alg: z.string().optional(),
      token: z.string().max(1_000).optional(),
    })
    .optional(),
  reason: z.string().optional(),
  state: z.string().optional(),
});

type Subject = NonNullable<z.output<typeof eventBody>['subject']>;

function readEvent(
  app: GoogleApp,
  { uri, jti, at, about }: { uri: string; jti: string; at: Date; about: unknown },
): SecurityEvent {
  const type = (Object.keys(types) as SecurityEventType[]).find((name) => types[name] === uri) ?? null;
  const body = eventBody.safeParse(about).data;
  if (!body) throw new SecurityEventError('invalid_request', 'The event does not say what it is about.');
  const { subject = {}, reason, state } = body;
  if (subject.iss !== undefined && !isIssuer(app, subject.iss)) {
    throw new SecurityEventError('invalid_request', 'The event is about an account of another issuer.');
  }
  const token = readToken(subject);
  const needsPerson = type !== null && type !== 'verification' && type !== 'token-revoked';
  if ((needsPerson && subject.sub === undefined) || (type === 'token-revoked' && !token && subject.sub === undefined)) {
    throw new SecurityEventError('invalid_request', 'The event does not say whom it is about.');
  }
  const detail = (type === 'verification' ? state : reason) ?? null;
  return { jti, type, uri, at, sub: subject.sub ?? null, token, detail: detail && printable(detail) };
}

/** Only refresh tokens are named: of an access token nothing is known that would find it. */
function readToken({ token_type, token_identifier_alg, token }: Subject): TokenName | null {
  if (token === undefined || (token_type !== undefined && token_type !== 'refresh_token')) return null;
  if (token_identifier_alg === 'prefix') return { by: 'prefix', value: Buffer.from(token) };
  if (token_identifier_alg !== 'hash_base64_sha512_sha512') return null;
  // Base64 in either alphabet, padded or not.
  const value = Buffer.from(token, 'base64');
  return value.length === 64 ? { by: 'digest', value } : null;
}

/** What somebody else wrote and we keep: short, and without what would break a line of a log or a database. */
function printable(value: string): string {
  return value.replace(/\p{Cc}/gu, ' ').slice(0, 200);
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}
