import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Policies } from '../policies.ts';
import type { Client } from './clients.ts';
import type { SigningKeys } from './keys.ts';

const RISC = 'https://schemas.openid.net/secevent/risc/event-type/';
const OAUTH = 'https://schemas.openid.net/secevent/oauth/event-type/';

const TYPES = {
  'tokens-revoked': OAUTH,
  'token-revoked': OAUTH,
  'sessions-revoked': RISC,
  'account-disabled': RISC,
  'account-enabled': RISC,
  'account-credential-change-required': RISC,
  verification: RISC,
} as const;

/** The Cross-Account Protection events that Google sends (google.md, A). */
export type SecurityEventType = keyof typeof TYPES;

/** A name of {@link SecurityEventType}, from outside. */
export const securityEventType = z.enum([
  'tokens-revoked',
  'token-revoked',
  'sessions-revoked',
  'account-disabled',
  'account-enabled',
  'account-credential-change-required',
  'verification',
]);

/** One event on its way to an app: `status` is what the app answered (202 is right), null while or when it did not. */
export interface SecurityEvent {
  readonly jti: string;
  readonly type: SecurityEventType;
  readonly project: string;
  readonly sub: string | null;
  readonly at: number;
  readonly url: string;
  readonly token: string;
  status: number | null;
  problem: string | null;
}

/** What an event says beside its type and its person. */
interface Detail {
  reason?: 'hijacking' | 'bulk-account';
  /** Double SHA-512 of the refresh token that a `token-revoked` is about. */
  tokenHash?: string;
  /** What a `verification` carries back. */
  state?: string;
}

const TIMEOUT_MS = 5000;

/** Signs security events and posts each once to the project's configured address; keeps the last 1,000 to look at. */
export class SecurityEvents {
  #context: {
    url: string;
    keys: SigningKeys;
    policies: Policies;
    clients: ReadonlyMap<string, Client>;
    now: () => number;
    closing: AbortSignal;
  };
  #sent: SecurityEvent[] = [];
  #underWay = new Set<Promise<void>>();

  constructor(context: {
    url: string;
    keys: SigningKeys;
    policies: Policies;
    clients: ReadonlyMap<string, Client>;
    now: () => number;
    closing: AbortSignal;
  }) {
    this.#context = context;
  }

  /** Starts telling a project about one of its users (`sub`), if it wants to know. */
  tell(project: string, sub: string | null, type: SecurityEventType, detail: Detail = {}): void {
    const url = this.#context.policies.app(project).securityEventsUrl;
    if (url === null || this.#context.closing.aborted) return;
    const telling = this.#send(url, project, sub, type, detail).finally(() => this.#underWay.delete(telling));
    this.#underWay.add(telling);
  }

  /** The last events, oldest first, with what the app answered. */
  sent(): readonly SecurityEvent[] {
    return this.#sent;
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  async #send(url: string, project: string, sub: string | null, type: SecurityEventType, detail: Detail) {
    const { keys, now, closing } = this.#context;
    const jti = randomUUID();
    const at = now();
    const token = await keys.sign({
      iss: this.#issuer(),
      aud: [...this.#context.clients.values()].filter((client) => client.project === project).map(({ id }) => id),
      iat: Math.floor(at / 1000),
      jti,
      events: { [TYPES[type] + type]: this.#about(sub, type, detail) },
    });
    const event: SecurityEvent = { jti, type, project, sub, at, url, token, status: null, problem: null };
    this.#sent = [...this.#sent, event].slice(-1000);
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/secevent+jwt', accept: 'application/json' },
        body: token,
        redirect: 'manual',
        signal: AbortSignal.any([closing, AbortSignal.timeout(TIMEOUT_MS)]),
      });
      event.status = response.status;
      await response.body?.cancel();
    } catch (error) {
      event.problem = error instanceof Error ? (error.cause instanceof Error ? error.cause : error).message : 'unknown';
    }
  }

  #about(sub: string | null, type: SecurityEventType, { reason, tokenHash, state }: Detail): Record<string, unknown> {
    if (type === 'verification') return { state: state ?? '' };
    if (type === 'token-revoked') {
      const token = {
        token_type: 'refresh_token',
        token_identifier_alg: 'hash_base64_sha512_sha512',
        token: tokenHash,
      };
      return { subject: { subject_type: 'oauth_token', ...token } };
    }
    const subject = { subject_type: 'iss-sub', iss: this.#issuer(), sub };
    return { subject, ...(reason === undefined ? {} : { reason }) };
  }

  /** Security events name their issuer with a slash at the end, unlike ID tokens. */
  #issuer(): string {
    return `${this.#context.url}/`;
  }
}
