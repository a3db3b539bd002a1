import { createHash } from 'node:crypto';

/**
 * How Google's security events name a refresh token (Cross-Account Protection, “OAuth token identifiers”):
 * `hash_base64_sha512_sha512` is this, in base64. Kept beside the sealed token, so that an event finds it unopened.
 */
export function tokenDigest(refreshToken: string): Buffer {
  return sha512(sha512(refreshToken));
}

/**
 * The other way, `prefix`: the first 16 characters. They are part of a secret, so only their SHA-256 is kept; a dozen
 * random characters are too many to try.
 */
export function prefixDigest(refreshToken: string): Buffer {
  return createHash('sha256').update(refreshToken.slice(0, 16)).digest();
}

function sha512(data: string | Buffer): Buffer {
  return createHash('sha512').update(data).digest();
}
