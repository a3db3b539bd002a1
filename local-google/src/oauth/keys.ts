import { createHash, type webcrypto } from 'node:crypto';
import { exportJWK, exportSPKI, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose';

interface SigningKey {
  kid: string;
  privateKey: webcrypto.CryptoKey;
  privateJwk: JWK;
  publicJwk: JWK;
  publicPem: string;
}

/** Making one costs a tenth of a second of CPU: all Local Googles of a process that are new sign with the same. */
let ofThisProcess: Promise<JWK> | undefined;

/** The RS256 key of the ID tokens, made when it is first needed. */
export class SigningKeys {
  #key: Promise<SigningKey> | undefined;
  #made: (privateJwk: JWK) => void;

  constructor(saved: JWK | null, made: (privateJwk: JWK) => void) {
    this.#made = made;
    if (saved) this.#key = fromJwk(saved);
  }

  /** Signs claims as a JWT; `iat` and `exp` must be among them, where they are wanted. */
  async sign(claims: Record<string, unknown>, header: { typ?: string } = {}): Promise<string> {
    const { privateKey, kid } = await this.#current();
    return new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid, typ: 'JWT', ...header }).sign(privateKey);
  }

  /** The key set for `jwks_uri`. */
  async jwks(): Promise<{ keys: JWK[] }> {
    return { keys: [(await this.#current()).publicJwk] };
  }

  /** By key id, as google-auth-library reads it on Node: Google puts certificates here, we the bare public key. */
  async pems(): Promise<Record<string, string>> {
    const { kid, publicPem } = await this.#current();
    return { [kid]: publicPem };
  }

  #current(): Promise<SigningKey> {
    this.#key ??= this.#first();
    return this.#key;
  }

  async #first(): Promise<SigningKey> {
    ofThisProcess ??= generateKeyPair('RS256', { extractable: true }).then(({ privateKey }) => exportJWK(privateKey));
    const jwk = await ofThisProcess;
    this.#made(jwk);
    return fromJwk(jwk);
  }
}

/** The first half of the access token's SHA-256 (OpenID Connect Core 3.1.3.6). */
export function accessTokenHash(accessToken: string): string {
  return createHash('sha256').update(accessToken).digest().subarray(0, 16).toString('base64url');
}

async function fromJwk(privateJwk: JWK): Promise<SigningKey> {
  const { kty, n, e } = privateJwk;
  if (kty !== 'RSA' || n === undefined || e === undefined) throw new TypeError('The saved signing key is no RSA key');
  const kid = createHash('sha256').update(n).digest('hex').slice(0, 40);
  const publicJwk: JWK = { kty, n, e, alg: 'RS256', use: 'sig', kid };
  const privateKey = await importJWK(privateJwk, 'RS256');
  const publicKey = await importJWK(publicJwk, 'RS256', { extractable: true });
  if (privateKey instanceof Uint8Array || publicKey instanceof Uint8Array) {
    throw new TypeError('The saved signing key is no RSA key');
  }
  return { kid, privateKey, privateJwk, publicJwk, publicPem: await exportSPKI(publicKey) };
}
