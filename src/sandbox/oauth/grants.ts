import type { SavedState } from '../persist.ts';
import { fingerprint, newToken } from '../secrets.ts';
import type { Client } from './clients.ts';
import { isGmailScope } from './scopes.ts';

export type Grant = SavedState['grants'][number];
export type RefreshToken = SavedState['refreshTokens'][number];
export type AccessToken = SavedState['accessTokens'][number];

/** Access tokens live a second less than an hour, as Google says in `expires_in`. */
export const ACCESS_TOKEN_SECONDS = 3599;

/** The 101st refresh token of one account and client kills the oldest, silently (google.md, fact 6). */
const REFRESH_TOKENS_PER_CLIENT = 100;

/**
 * What users allowed, and the tokens that follow from it. A grant belongs to a user and a *project*: revoking any one
 * of its tokens ends all of it (google.md, fact 5). Only fingerprints of tokens are kept.
 */
export class Grants {
  #grants = new Map<string, Grant>();
  #refresh = new Map<string, RefreshToken>();
  #access = new Map<string, AccessToken>();
  /** Refresh tokens that once worked: Google words their refusal differently from a token it never saw. */
  #dead = new Set<string>();
  #now: () => number;
  #changed: () => void;

  constructor(now: () => number, changed: () => void) {
    this.#now = now;
    this.#changed = changed;
  }

  load(state: SavedState): void {
    for (const grant of state.grants) this.#grants.set(key(grant.sub, grant.project), grant);
    for (const token of state.refreshTokens) this.#refresh.set(token.print, token);
    for (const token of state.accessTokens) this.#access.set(token.print, token);
  }

  save(): Pick<SavedState, 'grants' | 'refreshTokens' | 'accessTokens'> {
    const now = this.#now();
    for (const [print, token] of this.#access) if (token.expiresAt <= now) this.#access.delete(print);
    return {
      grants: [...this.#grants.values()],
      refreshTokens: [...this.#refresh.values()],
      accessTokens: [...this.#access.values()],
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

  /** Living refresh tokens of one account and client. */
  refreshTokens(sub: string, clientId: string): RefreshToken[] {
    return [...this.#refresh.values()].filter((token) => token.sub === sub && token.clientId === clientId);
  }

  /** Adds to what the user allowed. */
  allow(sub: string, project: string, scopes: readonly string[]): void {
    const grant = this.#grants.get(key(sub, project)) ?? { sub, project, scopes: [], since: this.#now() };
    grant.scopes = [...new Set([...grant.scopes, ...scopes])];
    this.#grants.set(key(sub, project), grant);
    this.#changed();
  }

  issueRefreshToken(sub: string, client: Client, scopes: readonly string[]): string {
    const mine = this.refreshTokens(sub, client.id);
    for (const oldest of mine.slice(0, Math.max(0, mine.length + 1 - REFRESH_TOKENS_PER_CLIENT))) {
      this.#kill(oldest);
    }
    const token = newToken('1//0');
    const print = fingerprint(token);
    const { id: clientId, project } = client;
    this.#refresh.set(print, { print, sub, clientId, project, scopes: [...scopes], issuedAt: this.#now() });
    this.#changed();
    return token;
  }

  issueAccessToken(sub: string, client: Client, scopes: readonly string[], offline: boolean): string {
    const token = newToken('ya29.a0');
    const print = fingerprint(token);
    const expiresAt = this.#now() + ACCESS_TOKEN_SECONDS * 1000;
    this.#access.set(print, {
      print,
      sub,
      clientId: client.id,
      project: client.project,
      scopes: [...scopes],
      expiresAt,
      offline,
    });
    this.#changed();
    return token;
  }

  /** The living access token; undefined when unknown, expired or revoked. */
  accessToken(token: string): AccessToken | undefined {
    const found = this.#access.get(fingerprint(token));
    return found && found.expiresAt > this.#now() ? found : undefined;
  }

  /** A refresh token: living, once living (`dead`), or never seen. */
  refreshToken(token: string): RefreshToken | 'dead' | undefined {
    const print = fingerprint(token);
    return this.#refresh.get(print) ?? (this.#dead.has(print) ? 'dead' : undefined);
  }

  /** Ends the whole grant behind an access or refresh token. false: no such living token. */
  revoke(token: string): boolean {
    const refresh = this.refreshToken(token);
    const found = this.accessToken(token) ?? (refresh === 'dead' ? undefined : refresh);
    if (!found) return false;
    this.remove(found.sub, found.project);
    return true;
  }

  /** Ends what a user gave a project: every token of every one of its clients. */
  remove(sub: string, project: string): void {
    this.#grants.delete(key(sub, project));
    this.#killWhere((token) => token.sub === sub && token.project === project);
    this.#changed();
  }

  /** A changed password kills every grant with a Gmail scope (google.md, A). */
  passwordChanged(sub: string): void {
    for (const grant of this.ofAccount(sub)) grant.scopes = grant.scopes.filter((scope) => !isGmailScope(scope));
    this.#killWhere((token) => token.sub === sub && token.scopes.some(isGmailScope));
    this.#changed();
  }

  /** Ends one refresh token quietly, as Google does after six unused months. */
  expireRefreshTokens(sub: string, clientId: string): void {
    for (const token of this.refreshTokens(sub, clientId)) this.#kill(token);
    this.#changed();
  }

  /** Ends the living access tokens of an account before their time. */
  expireAccessTokens(sub: string): void {
    for (const [print, token] of this.#access) if (token.sub === sub) this.#access.delete(print);
    this.#changed();
  }

  #killWhere(dies: (token: { sub: string; project: string; scopes: string[] }) => boolean): void {
    for (const token of this.#refresh.values()) if (dies(token)) this.#kill(token);
    for (const [print, token] of this.#access) if (dies(token)) this.#access.delete(print);
  }

  #kill(token: RefreshToken): void {
    this.#refresh.delete(token.print);
    this.#dead.add(token.print);
  }
}

function key(sub: string, project: string): string {
  return `${sub} ${project}`;
}
