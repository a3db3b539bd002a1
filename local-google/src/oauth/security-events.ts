import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Later } from '../later.ts';
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

/** The Cross-Account Protection events that Google sends (docs/google.md, A). */
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

/**
 * One event on its way to an app: `status` is what the app answered last (202 is right), null while or when it did not.
 * `tries` counts the posts so far; `nextAt` is when it is posted again, null when it is not.
 */
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
  tries: number;
  nextAt: number | null;
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

/**
 * How long after each post that was not answered with 202 it is posted again, by this Local Google's clock. Google says
 * “limited retries” and no more, so the numbers are ours.
 */
const RETRY_AFTER_MS = [60_000, 5 * 60_000, 30 * 60_000, 2 * 3_600_000] as const;

interface Context {
  readonly url: string;
  readonly keys: SigningKeys;
  readonly policies: Policies;
  readonly clients: ReadonlyMap<string, Client>;
  readonly now: () => number;
  readonly later: Later;
  readonly closing: AbortSignal;
}

/**
 * Signs security events and posts each to the project's configured address, a few times while that does not answer 202;
 * keeps the last 1,000 to look at.
 */
export class SecurityEvents {
  #context: Context;
  #sent: SecurityEvent[] = [];
  #underWay = new Set<Promise<void>>();

  constructor(context: Context) {
    this.#context = context;
  }

  /** Starts telling a project about one of its users (`sub`), if it wants to know. */
  tell(project: string, sub: string | null, type: SecurityEventType, detail: Detail = {}): void {
    const url = this.#context.policies.app(project).securityEventsUrl;
    if (url === null || this.#context.closing.aborted) return;
    this.#track(this.#send(url, project, sub, type, detail));
  }

  /** Signs any claims with the key of the events: what an app must refuse has to be made somewhere. */
  sign(claims: Record<string, unknown>, header: { typ?: string } = {}): Promise<string> {
    return this.#context.keys.sign(claims, header);
  }

  /** The last events, oldest first, with what the app answered. */
  sent(): readonly SecurityEvent[] {
    return this.#sent;
  }

  /** Resolves when nothing is under way; what is posted again later is not. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  async #send(url: string, project: string, sub: string | null, type: SecurityEventType, detail: Detail) {
    const { keys, now } = this.#context;
    const jti = randomUUID();
    const at = now();
    const token = await keys.sign({
      iss: this.#issuer(),
      aud: [...this.#context.clients.values()].filter((client) => client.project === project).map(({ id }) => id),
      iat: Math.floor(at / 1000),
      jti,
      events: { [TYPES[type] + type]: this.#about(sub, type, detail) },
    });
    const event: SecurityEvent = {
      ...{ jti, type, project, sub, at, url, token },
      ...{ status: null, problem: null, tries: 0, nextAt: null },
    };
    this.#sent = [...this.#sent, event].slice(-1000);
    await this.#post(event);
  }

  async #post(event: SecurityEvent): Promise<void> {
    const { closing } = this.#context;
    event.tries += 1;
    event.nextAt = null;
    try {
      const response = await fetch(event.url, {
        method: 'POST',
        headers: { 'content-type': 'application/secevent+jwt', accept: 'application/json' },
        body: event.token,
        redirect: 'manual',
        signal: AbortSignal.any([closing, AbortSignal.timeout(TIMEOUT_MS)]),
      });
      event.status = response.status;
      event.problem = null;
      await response.body?.cancel();
    } catch (error) {
      event.status = null;
      event.problem = error instanceof Error ? (error.cause instanceof Error ? error.cause : error).message : 'unknown';
    }
    if (event.status !== 202 && !closing.aborted) this.#postAgain(event);
  }

  #postAgain(event: SecurityEvent): void {
    const { later, now, closing } = this.#context;
    const wait = RETRY_AFTER_MS[event.tries - 1];
    if (wait === undefined) return;
    event.nextAt = now() + wait;
    later.at(event.nextAt, () => {
      if (!closing.aborted) this.#track(this.#post(event));
    });
    // The clock can be moved there, or get there by itself.
    setTimeout(() => later.catchUp(), wait + 1).unref();
  }

  #track(posting: Promise<void>): void {
    const tracked = posting.finally(() => this.#underWay.delete(tracked));
    this.#underWay.add(tracked);
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
