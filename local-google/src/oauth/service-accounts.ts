import { createHash, createPublicKey } from 'node:crypto';
import { exportPKCS8, exportSPKI, generateKeyPair, jwtVerify } from 'jose';
import { z } from 'zod';
import { type Answer, Refusal } from '../answers.ts';
import type { World } from '../world.ts';
import type { ServiceAccount } from './clients.ts';
import { ACCESS_TOKEN_SECONDS } from './grants.ts';
import { parseScopes } from './scopes.ts';

/** A service account as its operator registered it. */
export interface ServiceAccountSeed {
  /** `letterhead@project.iam.gserviceaccount.com` */
  email: string;
  /** The numeric id that an administrator authorises; left out, it follows from the address. */
  clientId?: string;
  /** SPKI in PEM: who holds the private half is this service account. */
  publicKey: string;
  project?: string;
}

/** The parts of a service account's key file that client libraries read. */
export interface KeyFile {
  readonly type: 'service_account';
  readonly project_id: string;
  readonly private_key_id: string;
  readonly client_email: string;
  readonly client_id: string;
  readonly private_key: string;
  readonly token_uri: string;
}

/** Registers a service account. Throws when its public key cannot be read. */
export function registerServiceAccount(world: World, seed: ServiceAccountSeed): ServiceAccount {
  const { email, clientId = clientIdOf(email), project = email } = seed;
  const account = { email, clientId, publicKey: createPublicKey(seed.publicKey), project };
  world.serviceAccounts.set(email, account);
  world.save();
  return account;
}

/**
 * Registers a service account with a new key, and answers the key file that its owner would download. One that is there
 * already gets the new key in place of its old one. Throws a RangeError for what is no address.
 */
export async function newServiceAccount(world: World, email: string): Promise<KeyFile> {
  if (!/^[^@\s]+@[^@\s]+$/.test(email))
    throw new RangeError(`${email || 'Nothing'} is no address of a service account.`);
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
  const { clientId } = registerServiceAccount(world, { email, publicKey: await exportSPKI(publicKey) });
  return {
    type: 'service_account',
    project_id: email.replace(/^.*@/, '').split('.')[0] ?? '',
    private_key_id: createHash('sha1')
      .update(await exportSPKI(publicKey))
      .digest('hex'),
    client_email: email,
    client_id: clientId,
    private_key: await exportPKCS8(privateKey),
    token_uri: `${world.url}/token`,
  };
}

const claimsShape = z.object({
  iss: z.string(),
  sub: z.string().optional(),
  scope: z.string(),
  iat: z.number(),
  exp: z.number(),
});

/**
 * Domain-wide delegation (docs/google.md, A): an assertion signed by a service account, with `sub` the person to act as,
 * becomes an access token when the person's administrator authorised the client id and every scope.
 */
export async function exchangeAssertion(world: World, assertion: string): Promise<Answer> {
  const { issuer, payload } = readUnverified(assertion);
  const service = world.serviceAccounts.get(issuer);
  if (!service) throw refused(400, 'invalid_grant', 'Invalid grant: account not found');
  const claims = claimsShape.safeParse(payload);
  if (!claims.success) throw refused(400, 'invalid_scope', 'Invalid OAuth scope or ID token audience provided.');
  const now = world.now() / 1000;
  const { iat, exp, sub, scope } = claims.data;
  if (exp <= now || iat > now + 300 || exp - iat > 3600) {
    const rule = 'Token must be a short-lived token (60 minutes) and in a reasonable timeframe';
    throw refused(400, 'invalid_grant', `Invalid JWT: ${rule}. Check your iat and exp values in the JWT claim.`);
  }
  try {
    const audience = [`${world.url}/token`, 'https://oauth2.googleapis.com/token', world.url];
    await jwtVerify(assertion, service.publicKey, {
      audience,
      currentDate: new Date(world.now()),
      algorithms: ['RS256'],
    });
  } catch {
    throw refused(400, 'invalid_grant', 'Invalid JWT Signature.');
  }
  const scopes = parseScopes(scope);
  const person = sub === undefined ? undefined : world.accounts.byEmail(sub);
  if (sub !== undefined && person?.state !== 'active') throw refused(400, 'invalid_grant', 'Invalid email or User ID');
  const delegation = world.policies.domain(person?.hd ?? null).delegations.find((d) => d.clientId === service.clientId);
  const authorised = new Set((delegation?.scopes ?? []).flatMap(parseScopes));
  if (!person || !scopes.every((name) => authorised.has(name))) {
    const why =
      'Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.';
    throw refused(401, 'unauthorized_client', why);
  }
  const client = { id: service.clientId, project: service.project };
  const accessToken = world.grants.issueAccessToken(person.sub, client, scopes, false);
  return {
    status: 200,
    body: {
      access_token: accessToken,
      expires_in: ACCESS_TOKEN_SECONDS,
      token_type: 'Bearer',
      scope: scopes.join(' '),
    },
  };
}

/** Whom an assertion means to act as, whether it is right or not; null where it names nobody. */
export function assertedAccount(assertion: string): string | null {
  try {
    const { sub } = Object(readUnverified(assertion).payload);
    return typeof sub === 'string' ? sub.toLowerCase() : null;
  } catch {
    return null;
  }
}

function readUnverified(assertion: string): { issuer: string; payload: unknown } {
  try {
    const payload: unknown = JSON.parse(Buffer.from(assertion.split('.')[1] ?? '', 'base64url').toString('utf8'));
    return { issuer: String(Object(payload).iss ?? ''), payload };
  } catch {
    throw refused(400, 'invalid_grant', 'Invalid JWT: Failed audience check.');
  }
}

function clientIdOf(email: string): string {
  const digits = BigInt(`0x${createHash('sha256').update(email).digest('hex').slice(0, 20)}`).toString();
  return `1${digits.padStart(20, '0').slice(-20)}`;
}

function refused(status: number, error: string, description: string): Refusal {
  return new Refusal({ status, body: { error, error_description: description } });
}
