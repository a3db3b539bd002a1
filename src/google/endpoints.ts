import { z } from 'zod';

/** Where one provider that speaks Google's protocol answers. */
export interface GoogleEndpoints {
  readonly issuer: string;
  readonly authorize: string;
  readonly token: string;
  readonly revoke: string;
  readonly userinfo: string;
  readonly certs: string;
  /** Ends in a slash, e.g. `https://gmail.googleapis.com/`; API and media uploads both go there. */
  readonly gmailRoot: string;
}

/** The issuer of Google itself. */
export const googleIssuer = 'https://accounts.google.com';

const discovery = z.object({
  issuer: z.string(),
  authorization_endpoint: z.url(),
  token_endpoint: z.url(),
  revocation_endpoint: z.url(),
  userinfo_endpoint: z.url(),
  jwks_uri: z.url(),
});

/**
 * Google's own addresses are known; another issuer is asked for its discovery document
 * (OpenID Connect Discovery 1.0, section 4).
 *
 * @throws {DiscoveryError} when the issuer does not answer, or not with what it must
 */
export async function findEndpoints(issuer: string, gmailRoot: string, timeoutMs: number): Promise<GoogleEndpoints> {
  if (issuer === googleIssuer) return { ...google, gmailRoot };
  const address = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  try {
    const response = await fetch(address, { signal: AbortSignal.timeout(timeoutMs) });
    if (!response.ok) throw new Error(`it answered ${response.status}`);
    const found = discovery.parse(await response.json());
    if (found.issuer !== issuer) throw new Error(`it calls itself ${found.issuer}`);
    return {
      issuer,
      authorize: found.authorization_endpoint,
      token: found.token_endpoint,
      revoke: found.revocation_endpoint,
      userinfo: found.userinfo_endpoint,
      certs: found.jwks_uri,
      gmailRoot,
    };
  } catch (cause) {
    throw new DiscoveryError(issuer, address, cause);
  }
}

// From https://accounts.google.com/.well-known/openid-configuration; they have not changed for years,
// and a start must not depend on that page.
const google = {
  issuer: googleIssuer,
  authorize: 'https://accounts.google.com/o/oauth2/v2/auth',
  token: 'https://oauth2.googleapis.com/token',
  revoke: 'https://oauth2.googleapis.com/revoke',
  userinfo: 'https://openidconnect.googleapis.com/v1/userinfo',
  certs: 'https://www.googleapis.com/oauth2/v3/certs',
};

/** The issuer's discovery document could not be read. */
export class DiscoveryError extends Error {
  override readonly name = 'DiscoveryError';
  readonly code = 'discovery';

  constructor(issuer: string, address: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(
      `GOOGLE_ISSUER is ${issuer}, but ${address} could not be read: ${why}. Check the address, and that the server runs.`,
      { cause },
    );
  }
}
