import { randomBytes } from 'node:crypto';
import type { Request } from 'express';
import type pg from 'pg';
import { z } from 'zod';
import type { ConsentStore } from '../google/strategy.ts';
import { capabilities } from '../platform/capability.ts';
import { keptFormSchema } from './kept-fields.ts';
import { saveSession } from './session.ts';

/** The two flows. Each has its own states, so that a state of one is worth nothing in the other. */
export type Flow = 'sign-in' | 'connect';

const purposeSchema = z.object({
  /** Where to go afterwards: a path of ours. */
  returnTo: z.string(),
  /** Of the sign-in: a form that came too late, to be filled in again. */
  kept: keptFormSchema.optional(),
  /** Of the connect flow: for whom, and which mailbox. */
  connect: z
    .object({
      tenantId: z.string(),
      memberId: z.string(),
      kind: z.enum(['shared', 'personal']),
      mailboxId: z.string().nullable(),
      asked: z.array(z.enum(capabilities)),
    })
    .optional(),
});
const pendingSchema = z.object({ verifier: z.string(), nonce: z.string(), purpose: purposeSchema });

/** What a consent was begun for. */
export type Purpose = Readonly<z.infer<typeof purposeSchema>>;
type Pending = z.infer<typeof pendingSchema>;

/** What a route hands to passport, and passport to the store. */
export interface BeginState {
  readonly nonce: string;
  readonly purpose: Purpose;
}

/** How long somebody may take on Google's pages. */
const maxAgeMinutes = 30;

type Stored = (error: Error | null, state?: unknown) => void;
type Verdict = (error: Error | null, ok: boolean, state: unknown) => void;

/**
 * States of consents under way, several at once: two tabs must both work. Each is good for one answer, in
 * the browser that began it. They are rows of their own beside the sessions: a session is written as a
 * whole, and of two requests at the same instant the later one would undo what the other began.
 *
 * passport-oauth2 chooses how to call a store by the number of its parameters, hence the overloads.
 */
export class PendingConsents implements ConsentStore {
  readonly #flow: Flow;
  readonly #pool: pg.Pool;
  readonly #taken = new WeakMap<Request, Pending>();

  constructor(flow: Flow, pool: pg.Pool) {
    this.#flow = flow;
    this.#pool = pool;
  }

  store(req: Request, callback: Stored): void;
  store(req: Request, meta: unknown, callback: Stored): void;
  store(req: Request, verifier: string, begin: BeginState, meta: unknown, callback: Stored): void;
  store(req: Request, verifier: unknown, begin?: unknown, _meta?: unknown, callback?: Stored): void {
    if (typeof verifier !== 'string' || !isBeginState(begin) || !callback)
      throw new TypeError('PKCE is off: the store was called without a verifier');
    const state = randomBytes(32).toString('base64url');
    const pending = { verifier, nonce: begin.nonce, purpose: begin.purpose };
    this.#keep(req, state, pending).then(
      () => callback(null, state),
      (error) => callback(error),
    );
  }

  verify(req: Request, state: string, callback: Verdict): void;
  verify(req: Request, state: string, meta: unknown, callback: Verdict): void;
  verify(req: Request, state: string, _meta: unknown, callback?: Verdict): void {
    if (!callback) throw new TypeError('The store was called without a callback');
    this.take(req, state).then(
      // With PKCE the library takes the verifier in the place of `true`, which its types do not know.
      (pending) => Reflect.apply(callback, null, [null, pending?.verifier ?? false, {}]),
      (error) => callback(error, false, {}),
    );
  }

  async #keep(req: Request, state: string, pending: Pending): Promise<void> {
    if (req.session.browser === undefined) {
      req.session.browser = randomBytes(32).toString('base64url');
      await saveSession(req);
    }
    await this.#pool.query(
      'delete from sessions where sid in (select sid from sessions where expire < now() limit 100)',
    );
    await this.#pool.query(
      `insert into sessions (sid, sess, expire) values ($1, $2, now() + $3 * interval '1 minute')`,
      [this.#sid(state), JSON.stringify({ ...pending, browser: req.session.browser }), maxAgeMinutes],
    );
  }

  /** Takes a state out: the second to come with it finds nothing. Undefined when it is not ours, used or too old. */
  async take(req: Request, state: unknown): Promise<Pending | undefined> {
    const { browser } = req.session;
    if (typeof state !== 'string' || browser === undefined) return undefined;
    const { rows } = await this.#pool.query<{ sess: unknown }>(
      `delete from sessions where sid = $1 and sess->>'browser' = $2 and expire > now() returning sess`,
      [this.#sid(state), browser],
    );
    const pending = rows[0] && pendingSchema.parse(rows[0].sess);
    if (pending) this.#taken.set(req, pending);
    return pending;
  }

  // Ids of sessions have no slash, and only signed ones are taken from a cookie: the two cannot be mistaken.
  #sid(state: string): string {
    return `consent/${this.#flow}/${state}`;
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
