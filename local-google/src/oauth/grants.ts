import { createHash } from 'node:crypto';
import { SIX_MONTHS_MS } from '../clock.ts';
import type { SavedState } from '../persist.ts';
import { fingerprint, newToken } from '../secrets.ts';
import type { Client } from './clients.ts';
import { isGmailScope } from './scopes.ts';

export type Grant = SavedState['grants'][number];
export type RefreshToken = SavedState['refreshTokens'][number];
export type AccessToken = SavedState['accessTokens'][number];

/** A refresh token that once worked; `why` is how the token endpoint words its refusal. */
export type DeadToken = { why: string };

/** Access tokens live a second less than an hour, as Google says in `expires_in`. */
export const ACCESS_TOKEN_SECONDS = 3599;

/** The 101st refresh token of one account and client kills the oldest, silently (docs/google.md, fact 6). */
const REFRESH_TOKENS_PER_CLIENT = 100;

/** How many dead tokens the state remembers. */
const DEAD_REMEMBERED = 10_000;

const EXPIRED = 'Token has been expired or revoked.';

/**
 * What users allowed, and the tokens that follow from it. A grant belongs to a user and a *project*: revoking any one
 * of its tokens ends all of it (docs/google.md, fact 5). Only fingerprints of tokens are kept.
 */
export class Grants {
  #grants = new Map<string, Grant>();
  #refresh = new Map<string, RefreshToken>();
  #access = new Map<string, AccessToken>();
  /** Refresh tokens that once worked: Google words their refusal differently from a token it never saw. */
  #dead = new Map<string, string>();
  #now: () => number;
  #changed: () => void;

  constructor(now: () => number, changed: () => void) {
    this.#now = now;
    this.#changed = changed;
  }

  load(state: SavedState): void {
    for (const grant of state.grants) this.#grants.set(key(grant.sub, grant.project), grant);
    for (const token of state.refreshTokens) {
      this.#refresh.set(token.print, { ...token, usedAt: token.usedAt || token.issuedAt });
    }
    for (const token of state.accessTokens) this.#access.set(token.print, token);
    for (const { print, why } of state.deadTokens) this.#dead.set(print, why);
  }

  save(): Pick<SavedState, 'grants' | 'refreshTokens' | 'accessTokens' | 'deadTokens'> {
    const now = this.#now();
    for (const [print, token] of this.#access) if (token.expiresAt <= now) this.#access.delete(print);
    return {
      grants: [...this.#grants.values()],
      refreshTokens: [...this.#refresh.values()],
      accessTokens: [...this.#access.values()],
      deadTokens: [...this.#dead].slice(-DEAD_REMEMBERED).map(([print, why]) => ({ print, why })),
    };
  }

  /** Scopes the user ever allowed this project and has not taken back. */
  granted(sub: string, project: string): readonly string[] {
    return this.#grants.get(key(sub, project))?.scopes ?? [];
  }

  /** Every project this user gave something to. */
  ofAccount(sub: string): Grant[] {
    return [...this.#grants.values()].filter((grant) => grant.sub === sub);
  }

  /** Living refresh tokens of one account, of one client or of all. */
  refreshTokens(sub: string, clientId?: string): RefreshToken[] {
    return [...this.#refresh.values()].filter(
      (token) => token.sub === sub && (clientId === undefined || token.clientId === clientId) && !this.#ended(token),
    );
  }

  /** Adds to what the user allowed. */
  allow(sub: string, project: string, scopes: readonly string[]): void {
    const grant = this.#grants.get(key(sub, project)) ?? { sub, project, scopes: [], since: this.#now() };
    grant.scopes = [...new Set([...grant.scopes, ...scopes])];
    this.#grants.set(key(sub, project), grant);
    this.#changed();
  }

  /** A new refresh token; `end` gives it an end of its own, told to the app (`timeLimited`) or not. */
  issueRefreshToken(
    sub: string,
    client: Client,
    scopes: readonly string[],
    end: { expiresAt: number | null; timeLimited: boolean } = { expiresAt: null, timeLimited: false },
  ): string {
    const mine = this.refreshTokens(sub, client.id);
    for (const oldest of mine.slice(0, Math.max(0, mine.length + 1 - REFRESH_TOKENS_PER_CLIENT))) {
      this.#kill(oldest);
    }
    const token = newToken('1//0');
    const { id: clientId, project } = client;
    const now = this.#now();
    this.#refresh.set(fingerprint(token), {
      ...{ print: fingerprint(token), hash: doubleHash(token), sub, clientId, project, scopes: [...scopes] },
      ...{ issuedAt: now, usedAt: now, ...end },
    });
    this.#changed();
    return token;
  }

  issueAccessToken(
    sub: string,
    client: Pick<Client, 'id' | 'project'>,
    scopes: readonly string[],
    offline: boolean,
  ): string {
    const token = newToken('ya29.a0');
    const print = fingerprint(token);
    const expiresAt = this.#now() + ACCESS_TOKEN_SECONDS * 1000;
    const { id: clientId, project } = client;
    this.#access.set(print, { print, sub, clientId, project, scopes: [...scopes], expiresAt, offline });
    this.#changed();
    return token;
  }

  /** The living access token; undefined when unknown, expired or revoked. */
  accessToken(token: string): AccessToken | undefined {
    const found = this.#access.get(fingerprint(token));
    return found && found.expiresAt > this.#now() ? found : undefined;
  }

  /** A refresh token: living, dead with the reason, or never seen. */
  refreshToken(token: string): RefreshToken | DeadToken | undefined {
    const print = fingerprint(token);
    const found = this.#refresh.get(print);
    if (found && !this.#ended(found)) return found;
    if (found) this.#kill(found);
    const why = this.#dead.get(print);
    return why === undefined ? undefined : { why };
  }

  /** Remembers that a refresh token was used: its six months begin anew. */
  used(token: RefreshToken): void {
    token.usedAt = this.#now();
  }

  /** The living access or refresh token behind a string, whichever it is. */
  anyToken(token: string): { sub: string; project: string } | undefined {
    const refresh = this.refreshToken(token);
    return this.accessToken(token) ?? (refresh && !('why' in refresh) ? refresh : undefined);
  }

  /** Ends what a user gave a project: every token of every one of its clients. Answers the refresh tokens that died. */
  remove(sub: string, project: string): RefreshToken[] {
    this.#grants.delete(key(sub, project));
    return this.kill((token) => token.sub === sub && token.project === project);
  }

  /** Ends tokens, and answers the refresh tokens among them; `why` words the refusal of those. */
  kill(dies: (token: { sub: string; project: string; scopes: string[] }) => boolean, why = EXPIRED): RefreshToken[] {
    const dead = [...this.#refresh.values()].filter(dies);
    for (const token of dead) this.#kill(token, why);
    for (const [print, token] of this.#access) if (dies(token)) this.#access.delete(print);
    this.#changed();
    return dead;
  }

  /** Ends refresh tokens only; access tokens live out their hour. */
  killRefreshTokens(dies: (token: RefreshToken) => boolean, why = EXPIRED): RefreshToken[] {
    const dead = [...this.#refresh.values()].filter(dies);
    for (const token of dead) this.#kill(token, why);
    this.#changed();
    return dead;
  }

  /** Takes the Gmail scopes out of what an account allowed, so that consent is asked again. */
  forgetGmailScopes(sub: string): void {
    for (const grant of this.ofAccount(sub)) grant.scopes = grant.scopes.filter((scope) => !isGmailScope(scope));
    this.#changed();
  }

  /** Ends the living access tokens of an account before their time. */
  expireAccessTokens(sub: string): void {
    for (const [print, token] of this.#access) if (token.sub === sub) this.#access.delete(print);
    this.#changed();
  }

  #ended(token: RefreshToken): boolean {
    const now = this.#now();
    return (token.expiresAt !== null && token.expiresAt <= now) || token.usedAt + SIX_MONTHS_MS <= now;
  }

  #kill(token: RefreshToken, why = EXPIRED): void {
    this.#refresh.delete(token.print);
    this.#dead.set(token.print, why);
  }
}

/** How a security event names a token without telling it: base64 of SHA-512 of SHA-512. */
function doubleHash(token: string): string {
  const once = createHash('sha512').update(token).digest();
  return createHash('sha512').update(once).digest('base64');
}

function key(sub: string, project: string): string {
  return `${sub} ${project}`;
}
