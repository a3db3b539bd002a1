import { createHash, randomBytes } from 'node:crypto';

/** An unguessable token with Google's kind of prefix (`ya29.`, `1//0`, `4/0`). */
export function newToken(prefix: string): string {
  return prefix + randomBytes(32).toString('base64url');
}

/** What the state keeps of a token or code: enough to recognise it, nothing that could be used. */
export function fingerprint(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}
