import { fingerprint, newToken } from '../secrets.ts';

/** Ten minutes, then an authorization code is worth nothing. */
const CODE_LIFETIME_MS = 10 * 60 * 1000;

/** What a user allowed in one consent, until its code is exchanged. */
export interface Authorization {
  sub: string;
  clientId: string;
  redirectUri: string;
  scopes: readonly string[];
  nonce: string | null;
  challenge: { value: string; method: 'S256' | 'plain' } | null;
  /** A refresh token follows: access_type=offline, and a consent page was really shown. */
  refreshToken: boolean;
  offline: boolean;
}

/** Authorization codes: each works once, for ten minutes. */
export class Codes {
  #codes = new Map<string, { authorization: Authorization; expiresAt: number }>();
  #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  issue(authorization: Authorization): string {
    const now = this.#now();
    for (const [print, { expiresAt }] of this.#codes) if (expiresAt <= now) this.#codes.delete(print);
    const code = newToken('4/0A');
    this.#codes.set(fingerprint(code), { authorization, expiresAt: now + CODE_LIFETIME_MS });
    return code;
  }

  /** Uses a code up, whatever comes of it. undefined: unknown, used or too old. */
  take(code: string): Authorization | undefined {
    const print = fingerprint(code);
    const found = this.#codes.get(print);
    this.#codes.delete(print);
    return found && found.expiresAt > this.#now() ? found.authorization : undefined;
  }
}
