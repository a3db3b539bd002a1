import { randomBytes } from 'node:crypto';
import type { Request } from 'express';
import type { ConsentStore } from '../google/strategy.ts';

/** The two flows. Each has its own states, so that a state of one is worth nothing in the other. */
export type Flow = 'sign-in' | 'connect';

/** What a consent was begun for. */
export interface Purpose {
  /** Where to go afterwards: a path of ours. */
  readonly returnTo: string;
  /** Of the connect flow: for whom, and which mailbox. */
  readonly connect?: {
    readonly tenantId: string;
    readonly memberId: string;
    readonly kind: 'shared' | 'personal';
    readonly mailboxId: string | null;
  };
}

interface Pending {
  readonly verifier: string;
  readonly nonce: string;
  readonly begunAt: number;
  readonly purpose: Purpose;
}

/** As kept in the session. */
export type PendingBag = { [flow in Flow]?: Record<string, Pending> };

/** What a route hands to passport, and passport to the store. */
export interface BeginState {
  readonly nonce: string;
  readonly purpose: Purpose;
}

const maxAgeMs = 30 * 60_000;
const maxPending = 10;

type Stored = (error: Error | null, state?: unknown) => void;
type Verdict = (error: Error | null, ok: boolean, state: unknown) => void;

/**
 * States of consents under way, several at once: two tabs must both work. Each is good for one answer.
 * passport-oauth2 chooses how to call a store by the number of its parameters, hence the overloads.
 */
export class PendingConsents implements ConsentStore {
  readonly #flow: Flow;
  readonly #taken = new WeakMap<Request, Pending>();

  constructor(flow: Flow) {
    this.#flow = flow;
  }

  store(req: Request, callback: Stored): void;
  store(req: Request, meta: unknown, callback: Stored): void;
  store(req: Request, verifier: string, begin: BeginState, meta: unknown, callback: Stored): void;
  store(req: Request, verifier: unknown, begin?: unknown, _meta?: unknown, callback?: Stored): void {
    if (typeof verifier !== 'string' || !isBeginState(begin) || !callback)
      throw new TypeError('PKCE is off: the store was called without a verifier');
    const state = randomBytes(32).toString('base64url');
    const pending = { verifier, nonce: begin.nonce, begunAt: Date.now(), purpose: begin.purpose };
    const kept = Object.entries(req.session.pending?.[this.#flow] ?? {})
      .filter(([, each]) => Date.now() - each.begunAt < maxAgeMs)
      .slice(1 - maxPending);
    req.session.pending = { ...req.session.pending, [this.#flow]: { ...Object.fromEntries(kept), [state]: pending } };
    req.session.save((error) => callback(error ?? null, state));
  }

  verify(req: Request, state: string, callback: Verdict): void;
  verify(req: Request, state: string, meta: unknown, callback: Verdict): void;
  verify(req: Request, state: string, _meta: unknown, callback?: Verdict): void {
    if (!callback) throw new TypeError('The store was called without a callback');
    const pending = this.take(req, state);
    // With PKCE the library takes the verifier in the place of `true`, which its types do not know.
    req.session.save((error) => Reflect.apply(callback, null, [error ?? null, pending?.verifier ?? false, {}]));
  }

  /** Takes a state out: the second to come with it finds nothing. Undefined when it is not ours, used or too old. */
  take(req: Request, state: unknown): Pending | undefined {
    const bag = req.session.pending?.[this.#flow];
    if (typeof state !== 'string' || !bag || !Object.hasOwn(bag, state)) return undefined;
    const { [state]: pending, ...rest } = bag;
    req.session.pending = { ...req.session.pending, [this.#flow]: rest };
    if (!pending || Date.now() - pending.begunAt > maxAgeMs) return undefined;
    this.#taken.set(req, pending);
    return pending;
  }

  nonceOf(req: Request): string {
    return this.#taken.get(req)?.nonce ?? '';
  }

  /** What the consent that this request brings back was begun for. */
  purposeOf(req: Request): Purpose | undefined {
    return this.#taken.get(req)?.purpose;
  }
}

function isBeginState(value: unknown): value is BeginState {
  return typeof value === 'object' && value !== null && 'nonce' in value && 'purpose' in value;
}
