import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';
import type { GrantPlace } from './system.ts';

/**
 * What crosses tenants about Google's security events: they name a Google account or a token, and belong to nobody. As
 * in `system.ts`, these run on the cross-tenant pool. What an event means is decided and written inside each tenant.
 */

/** An event as it is kept for the operator: no token, no address. */
export interface KeptEvent {
  readonly jti: string;
  /** A name that we know, or the address of the event's type. */
  readonly type: string;
  readonly sub: string | null;
  readonly detail: string | null;
  readonly at: Date;
}

/** What an event led to. */
export interface EventOutcome {
  /** Mailboxes that need reconnecting because of it. */
  readonly grantsEnded: number;
  /** Mailboxes that Google is asked about because of it. */
  readonly grantsChecked: number;
  /** Sessions of the person here. */
  readonly sessionsEnded: number;
}

/** How long events are kept. */
const keptMs = 180 * 86_400_000;

/**
 * Writes an event down, and drops those of half a year ago.
 *
 * @returns false where it was dealt with before: Google sends again what it is not sure of
 */
export async function noteEvent(system: Database, event: KeptEvent, now: Date): Promise<boolean> {
  await system
    .deleteFrom('security_events')
    .where('received_at', '<', new Date(now.getTime() - keptMs))
    .execute();
  const { jti, type, sub, detail, at } = event;
  const { handled_at } = await system
    .insertInto('security_events')
    .values({ jti, type, google_sub: sub, detail, event_at: at, received_at: now })
    .onConflict((conflict) => conflict.columns(['jti', 'type']).doUpdateSet({ google_sub: sub }))
    .returning('handled_at')
    .executeTakeFirstOrThrow();
  return handled_at === null;
}

/** Writes down what an event led to: it is dealt with. */
export async function finishEvent(
  system: Database,
  { jti, type }: Pick<KeptEvent, 'jti' | 'type'>,
  { grantsEnded, grantsChecked, sessionsEnded }: EventOutcome,
  now: Date,
): Promise<void> {
  await system
    .updateTable('security_events')
    .set({
      ...{ handled_at: now, grants_ended: grantsEnded, grants_checked: grantsChecked, sessions_ended: sessionsEnded },
    })
    .where('jti', '=', jti)
    .where('type', '=', type)
    .execute();
}

/** The last events, newest first. */
export function recentEvents(system: Database, limit: number) {
  return system
    .selectFrom('security_events')
    .select(['type', 'google_sub as sub', 'detail', 'event_at as at', 'received_at as receivedAt'])
    .select(['handled_at as handledAt', 'grants_ended as grantsEnded'])
    .select(['grants_checked as grantsChecked', 'sessions_ended as sessionsEnded'])
    .orderBy('received_at', 'desc')
    .limit(limit)
    .execute();
}

/** Whether Google told of such an event about the same account within so many milliseconds of this time. */
export async function hasEventNear(
  system: Database,
  { sub, type, at }: { readonly sub: string; readonly type: string; readonly at: Date },
  withinMs: number,
): Promise<boolean> {
  const row = await system
    .selectFrom('security_events')
    .select('jti')
    .where('google_sub', '=', sub)
    .where('type', '=', type)
    .where('event_at', '>=', new Date(at.getTime() - withinMs))
    .where('event_at', '<=', new Date(at.getTime() + withinMs))
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** The mailboxes of a Google account, of whatever tenant, connected or cut off. Whose issuer it is, their grants say. */
export function findMailboxesOf(system: Database, sub: string): Promise<GrantPlace[]> {
  return system
    .selectFrom('mailboxes')
    .select(['tenant_id as tenantId', 'id as mailboxId'])
    .where('google_sub', '=', sub)
    .where('state', '<>', 'disconnected')
    .orderBy('id')
    .execute();
}

/** The grants whose refresh token has this digest: of the whole token, or of its prefix. With the account they are of. */
export function findGrantsByDigest(
  system: Database,
  by: 'token' | 'prefix',
  digest: Buffer,
): Promise<(GrantPlace & { readonly sub: string })[]> {
  return system
    .selectFrom('grants')
    .innerJoin('mailboxes', 'mailboxes.id', 'grants.mailbox_id')
    .select(['grants.tenant_id as tenantId', 'grants.mailbox_id as mailboxId', 'mailboxes.google_sub as sub'])
    .where(by === 'token' ? 'grants.refresh_token_digest' : 'grants.refresh_prefix_digest', '=', digest)
    .orderBy('grants.mailbox_id')
    .limit(100)
    .execute();
}

/**
 * Says that the sessions of a Google account that began before this time are over: also one that a request under way
 * writes back after it was deleted.
 *
 * @returns the person's id; undefined when nobody has signed in with that account
 */
export async function endSessionsBefore(
  system: Database,
  { issuer, sub }: { readonly issuer: string; readonly sub: string },
  before: Date,
): Promise<string | undefined> {
  const person = await system
    .updateTable('people')
    .set({ sessions_ended_at: sql<Date>`greatest(sessions_ended_at, ${before})` })
    .where('issuer', '=', issuer)
    .where('google_sub', '=', sub)
    .returning('id')
    .executeTakeFirst();
  return person?.id;
}

/** Sessions of this person that began before it are over; null: none was ever ended so. */
export async function sessionsEndedAt(system: Database, personId: string): Promise<Date | null> {
  const person = await system
    .selectFrom('people')
    .select('sessions_ended_at')
    .where('id', '=', personId)
    .executeTakeFirst();
  return person?.sessions_ended_at ?? null;
}
