import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';
import type { MailboxProvider } from '../platform/database-types.ts';
import type { GrantPlace } from './system.ts';
import type { ClientIdentity } from './system-grants.ts';

/**
 * What the sweeps look for across tenants (see `system.ts` for the others): places only. What is done about each is
 * decided inside its tenant.
 */

/** A page of the grants that were not renewed since a moment, of mailboxes that are in use, by mailbox id. */
export function findUnusedGrants(
  system: Database,
  usedBefore: Date,
  after: string | null,
  limit: number,
): Promise<GrantPlace[]> {
  return grantsOfMailboxes(system, after, limit)
    .where('mailboxes.state', 'in', ['active', 'paused'])
    .where('grants.last_refreshed_at', '<', usedBefore)
    .execute();
}

/**
 * A page of the grants of mailboxes that need reconnecting, by mailbox id: those that ended after a moment and whose age
 * since then is due for another look, and those that are of another client than they were thought to be.
 *
 * @param everyMs each is due in the hour in which so much time, or a multiple of it, has passed since it ended
 */
export function findEndedGrants(
  system: Database,
  client: ClientIdentity,
  { now, since, everyMs }: { readonly now: Date; readonly since: Date; readonly everyMs: number },
  after: string | null,
  limit: number,
): Promise<GrantPlace[]> {
  const hours = sql<number>`floor(extract(epoch from ${now}::timestamptz - mailboxes.state_at) / 3600)::bigint`;
  const due = sql<boolean>`(${hours} > 0 and ${hours} % ${everyMs / 3_600_000} = 0)`;
  return grantsOfMailboxes(system, after, limit)
    .where('mailboxes.state', '=', 'needs_reconnect')
    .where('grants.issuer', '=', client.issuer)
    .where('grants.client_id', '=', client.clientId)
    .where((where) =>
      where.or([
        where('mailboxes.state_reason', '=', 'app_changed'),
        where.and([where('mailboxes.state_at', '>', since), due]),
      ]),
    )
    .execute();
}

/** A page of the grants of another client, of mailboxes that are in use, by mailbox id. */
export function findGrantsOfOthers(
  system: Database,
  { issuer, clientId }: ClientIdentity,
  grantedBefore: Date,
  after: string | null,
  limit: number,
): Promise<GrantPlace[]> {
  return grantsOfMailboxes(system, after, limit)
    .where('mailboxes.state', '=', 'active')
    .where((where) => where.or([where('grants.issuer', '<>', issuer), where('grants.client_id', '<>', clientId)]))
    .where('grants.granted_at', '<', grantedBefore)
    .execute();
}

function grantsOfMailboxes(system: Database, after: string | null, limit: number) {
  return (
    system
      .selectFrom('grants')
      .innerJoin('mailboxes', 'mailboxes.id', 'grants.mailbox_id')
      .select(['grants.tenant_id as tenantId', 'grants.mailbox_id as mailboxId'])
      // A delegated one has no refresh token that could grow old, and none of this client.
      .where('grants.refresh_key_id', 'is not', null)
      .$if(after !== null, (query) => query.where('grants.mailbox_id', '>', after))
      .orderBy('grants.mailbox_id')
      .limit(limit)
  );
}

/** Endings that nobody was told of yet, oldest first. */
export function findUntoldEndings(system: Database, limit: number): Promise<{ id: string; tenantId: string }[]> {
  return system
    .selectFrom('mailbox_events')
    .select(['id', 'tenant_id as tenantId'])
    .where('kind', '=', 'ended')
    .where('noticed_at', 'is', null)
    .orderBy('id')
    .limit(limit)
    .execute();
}

/** Active mailboxes for which deliveries are held as if they were not. */
export async function findWronglyHeld(system: Database, limit: number): Promise<GrantPlace[]> {
  return system
    .selectFrom('deliveries')
    .innerJoin('mailboxes', 'mailboxes.id', 'deliveries.mailbox_id')
    .select(['deliveries.tenant_id as tenantId', 'deliveries.mailbox_id as mailboxId'])
    .distinct()
    .where('deliveries.state', '=', 'held')
    .where('deliveries.held_reason', 'in', ['mailbox_needs_reconnect', 'mailbox_paused', 'mailbox_disconnected'])
    .where('mailboxes.state', '=', 'active')
    .limit(limit)
    .execute();
}

/** Deliveries that were held for the operator's trouble with a provider between two moments, oldest first. */
export function findHeldForOperator(
  system: Database,
  provider: MailboxProvider,
  from: Date,
  until: Date,
  limit: number,
): Promise<{ deliveryId: string; tenantId: string }[]> {
  return system
    .selectFrom('deliveries')
    .select(['id as deliveryId', 'tenant_id as tenantId'])
    .where('state', '=', 'held')
    .where('held_reason', '=', 'operator')
    .where('account', 'like', `${provider}:%`)
    .where('state_at', '>=', from)
    .where('state_at', '<=', until)
    .orderBy('state_at')
    .limit(limit)
    .execute();
}
