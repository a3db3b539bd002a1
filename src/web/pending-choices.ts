import { randomUUID } from 'node:crypto';
import type { Request } from 'express';
import type pg from 'pg';
import { z } from 'zod';
import type { Consent } from '../google/strategy.ts';
import type { ConnectRequest } from '../mailboxes/place.ts';
import { capabilities } from '../platform/capability.ts';
import type { Clock } from '../platform/clock.ts';
import { type KeyRing, KeyRingError } from '../platform/key-ring.ts';

/** A consent for another Google account than the mailbox it was asked for, until somebody says what to do with it. */
export interface PendingChoice {
  readonly request: ConnectRequest & { readonly mailboxId: string };
  readonly consent: Consent;
  /** The mailbox's own address, which was expected. */
  readonly expected: string;
}

/** Who it must be, to see or use a choice: the member, in this company. */
export interface Chooser {
  readonly tenantId: string;
  readonly memberId: string;
}

const choiceSchema = z.object({
  keptAt: z.coerce.date(),
  expected: z.string(),
  request: z.object({
    tenantId: z.string(),
    memberId: z.string(),
    kind: z.enum(['shared', 'personal']),
    mailboxId: z.string(),
    asked: z.array(z.enum(capabilities)),
  }),
  consent: z.object({
    identity: z.object({
      issuer: z.string(),
      sub: z.string(),
      email: z.string(),
      name: z.string(),
      hd: z.string().nullable(),
    }),
    accessToken: z.string(),
    expiresInMs: z.number(),
    refreshToken: z.string().nullable(),
    endsInMs: z.number().nullable(),
    scopes: z.array(z.string()),
  }),
});
const rowSchema = z.object({ sealed: z.base64() });

/** How long a choice can be thought over, in minutes. */
export const choiceMinutes = 10;

/**
 * Consents that wait for a choice. Each is sealed with the key ring, bound to its company, its member and its browser,
 * in a row beside the sessions; after ten minutes it is worth nothing. One that is not chosen is dropped and not
 * revoked: a revocation would end what else that Google account is connected for.
 */
export class PendingChoices {
  readonly #pool: pg.Pool;
  readonly #keys: KeyRing;
  readonly #clock: Clock;

  constructor(pool: pg.Pool, keys: KeyRing, clock: Clock) {
    this.#pool = pool;
    this.#keys = keys;
    this.#clock = clock;
  }

  /** Keeps a choice and returns its id. The browser came back from Google, so it has a mark of its own. */
  async keep(req: Request, choice: PendingChoice): Promise<string> {
    const id = randomUUID();
    const place = this.#place(req, choice.request, id);
    const sealed = this.#keys.seal(JSON.stringify({ ...choice, keptAt: this.#clock() }), place).toString('base64');
    await this.#pool.query(
      `insert into sessions (sid, sess, expire) values ($1, $2, now() + $3 * interval '1 minute')`,
      [sidOf(id), JSON.stringify({ sealed }), choiceMinutes],
    );
    return id;
  }

  /** Looks at a choice; undefined where it is somebody else's, another browser's, decided or too old. */
  async look(req: Request, chooser: Chooser, id: string): Promise<PendingChoice | undefined> {
    const { rows } = await this.#pool.query<{ sess: unknown }>(
      'select sess from sessions where sid = $1 and expire > now()',
      [sidOf(id)],
    );
    return rows[0] && this.#open(req, chooser, id, rows[0].sess);
  }

  /** Takes a choice out: of two answers, one finds it. */
  async take(req: Request, chooser: Chooser, id: string): Promise<PendingChoice | undefined> {
    const choice = await this.look(req, chooser, id);
    if (!choice) return undefined;
    const { rowCount } = await this.#pool.query('delete from sessions where sid = $1', [sidOf(id)]);
    return rowCount === 1 ? choice : undefined;
  }

  #open(req: Request, chooser: Chooser, id: string, row: unknown): PendingChoice | undefined {
    const { sealed } = rowSchema.parse(row);
    let plain: string;
    try {
      plain = this.#keys.open(Buffer.from(sealed, 'base64'), this.#place(req, chooser, id));
    } catch (error) {
      if (error instanceof KeyRingError) return undefined;
      throw error;
    }
    const { keptAt, consent, ...choice } = choiceSchema.parse(JSON.parse(plain));
    const age = this.#clock().getTime() - keptAt.getTime();
    if (age > choiceMinutes * 60_000) return undefined;
    const endsInMs = consent.endsInMs === null ? null : consent.endsInMs - age;
    return { ...choice, consent: { ...consent, expiresInMs: consent.expiresInMs - age, endsInMs } };
  }

  #place(req: Request, { tenantId, memberId }: Chooser, id: string): string {
    return `choice/${tenantId}/${memberId}/${req.session.browser ?? ''}/${id}`;
  }
}

// Ids of sessions have no slash, and only signed ones are taken from a cookie: the two cannot be mistaken.
function sidOf(id: string): string {
  return `choice/${id}`;
}
