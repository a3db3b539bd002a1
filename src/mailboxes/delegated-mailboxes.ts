import { type SqlBool, sql } from 'kysely';
import { capabilities } from '../platform/capability.ts';
import type { Database } from '../platform/database.ts';
import { capabilitiesOf } from './capabilities.ts';
import type { DelegationEnding } from './delegations.ts';
import { endMailbox } from './health.ts';
import { writeMailboxEvent } from './mailbox-events.ts';
import type { EndedReason } from './why-ended.ts';

/**
 * What is sent by delegation has a mailbox like anything else, so that a delivery can freeze it: a personal one of the
 * member, marked `delegated`, made when it is first looked for. Nobody connects or disconnects it: it comes and goes
 * with the delegation for its domain.
 */

/** What stands in the grant of a delegated mailbox, as the delegation's row has it. */
export interface DelegatedGrant {
  readonly issuer: string;
  readonly client_id: string;
  readonly scopes: readonly string[];
}

/** The domain of a mailbox. */
const domain = sql<string>`split_part(mailboxes.email, '@', 2)`;

/**
 * Makes the delegated mailboxes of these members, where the tenant may send as the people of their Workspace domain and
 * they are not there yet; a member who was removed and came back gets theirs again. Only for accounts that a Workspace manages: a consumer account can bear such an address too.
 *
 * @param db a transaction inside the tenant
 */
export async function placeDelegatedMailboxes(
  db: Database,
  tenantId: string,
  memberIds: readonly string[],
): Promise<void> {
  const missing = await db
    .selectFrom('delegations')
    .innerJoin('members', (join) =>
      join
        .onRef('members.tenant_id', '=', 'delegations.tenant_id')
        .on(sql<SqlBool>`lower(split_part(members.email, '@', 2)) = delegations.domain`),
    )
    .leftJoin('mailboxes', (join) =>
      join
        .onRef('mailboxes.member_id', '=', 'members.id')
        .on(sql<SqlBool>`mailboxes.email = lower(members.email)`)
        .on('mailboxes.delegated', '=', true),
    )
    .select(['members.id', 'members.email', 'members.name', 'members.google_sub as googleSub'])
    .select('mailboxes.id as mailboxId')
    .select(['delegations.issuer', 'delegations.client_id', 'delegations.scopes'])
    .where('delegations.tenant_id', '=', tenantId)
    .where('delegations.state', '=', 'active')
    .where(sql<SqlBool>`members.id = any(${memberIds})`)
    .where('members.hd', 'is not', null)
    .where('members.removed_at', 'is', null)
    .where((where) => where.or([where('mailboxes.id', 'is', null), where('mailboxes.state', '=', 'disconnected')]))
    .execute();
  for (const { id: memberId, email, name, googleSub, mailboxId, ...grant } of missing) {
    if (googleSub === null) continue;
    const facts = { google_sub: googleSub, wanted: capabilitiesOf(grant.scopes, capabilities) };
    const mailbox = await (mailboxId === null
      ? db
          .insertInto('mailboxes')
          .values({
            ...{ tenant_id: tenantId, member_id: memberId, kind: 'personal', delegated: true },
            ...{ email: email.toLowerCase(), display_name: name, ...facts },
          })
          .onConflict((conflict) => conflict.doNothing())
          .returning('id')
          .executeTakeFirst()
      : db
          .updateTable('mailboxes')
          .set({ ...facts, state: 'active', state_at: sql<Date>`now()` })
          .where('tenant_id', '=', tenantId)
          .where('id', '=', mailboxId)
          .where('state', '=', 'disconnected')
          .returning('id')
          .executeTakeFirst());
    // Else somebody did it at the same instant, and its grant with it.
    if (mailbox) await keepGrants(db, tenantId, [mailbox.id], grant);
  }
}

/**
 * Lets a domain's delegated mailboxes work again, whatever kept them from it but a pause: whoever paused theirs resumes it.
 * Tokens of before are dropped.
 *
 * @param grant the service account's issuer and client id, and what it may do
 * @returns the ids of all of them
 */
export async function reviveDelegated(
  db: Database,
  tenantId: string,
  domainName: string,
  grant: DelegatedGrant,
  at: Date,
): Promise<string[]> {
  const found = await db
    .selectFrom('mailboxes')
    .select(['id', 'state'])
    .where('tenant_id', '=', tenantId)
    .where('delegated', '=', true)
    .where(domain, '=', domainName)
    // Nobody sends as a former member.
    .where(sql<SqlBool>`exists (select from members where members.id = member_id and removed_at is null)`)
    .forUpdate()
    .execute();
  for (const { id, state } of found) {
    await db
      .updateTable('mailboxes')
      .set({ state_reason: null, state_sure: true, connected_at: at })
      .set({ wanted: capabilitiesOf(grant.scopes, capabilities) })
      .$if(state !== 'paused', (query) => query.set({ state: 'active', state_at: at }))
      .where('tenant_id', '=', tenantId)
      .where('id', '=', id)
      .execute();
    const kind = state === 'disconnected' ? 'connected' : 'recovered';
    if (state !== 'active' && state !== 'paused') await writeMailboxEvent(db, tenantId, { mailboxId: id, kind, at });
  }
  const ids = found.map(({ id }) => id);
  await keepGrants(db, tenantId, ids, grant);
  return ids;
}

/**
 * Ends a delegation that works, and with it every mailbox that lives by it.
 *
 * @returns whether this call ended it: of many that notice the same, one does
 */
export async function endDelegation(
  db: Database,
  tenantId: string,
  delegationId: string,
  reason: DelegationEnding,
  at: Date,
): Promise<boolean> {
  const ended = await db
    .updateTable('delegations')
    .set({ state: 'ended', state_reason: reason, state_at: at })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', delegationId)
    .where('state', '=', 'active')
    .returning('domain')
    .executeTakeFirst();
  if (!ended) return false;
  const mailboxReason = 'delegation_ended' satisfies EndedReason;
  const mailboxes = await db
    .updateTable('mailboxes')
    .set({ state: 'needs_reconnect', state_reason: mailboxReason, state_sure: true, state_at: at })
    .where('tenant_id', '=', tenantId)
    .where('delegated', '=', true)
    .where(domain, '=', ended.domain)
    .where('state', '=', 'active')
    .returning('id')
    .execute();
  // What is wrong with a paused one shows when its owner resumes it; what was wrong with another may be another's word.
  const others = await db
    .selectFrom('mailboxes')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('delegated', '=', true)
    .where(domain, '=', ended.domain)
    .where('state', 'in', ['paused', 'needs_reconnect'])
    .where('state_reason', 'is distinct from', mailboxReason)
    .execute();
  for (const { id } of others)
    await endMailbox(db, tenantId, id, { reason: mailboxReason, sure: true, from: 'connection', at });
  // It is one thing that happened, and is told once: with the first of them.
  for (const [index, { id }] of mailboxes.entries()) {
    const told = index > 0 && { noticedAt: at };
    await writeMailboxEvent(db, tenantId, { mailboxId: id, kind: 'ended', reason: mailboxReason, at, ...told });
  }
  return true;
}

/** Disconnects a domain's delegated mailboxes and forgets their tokens. Returns their ids. */
export async function dropDelegated(db: Database, tenantId: string, domainName: string, at: Date): Promise<string[]> {
  const dropped = await db
    .updateTable('mailboxes')
    .set({ state: 'disconnected', state_reason: null, state_sure: true, state_at: at })
    .where('tenant_id', '=', tenantId)
    .where('delegated', '=', true)
    .where(domain, '=', domainName)
    .where('state', '<>', 'disconnected')
    .returning('id')
    .execute();
  for (const { id } of dropped) await writeMailboxEvent(db, tenantId, { mailboxId: id, kind: 'disconnected', at });
  const ids = dropped.map(({ id }) => id);
  if (ids.length > 0)
    await db.deleteFrom('grants').where('tenant_id', '=', tenantId).where('mailbox_id', 'in', ids).execute();
  return ids;
}

async function keepGrants(
  db: Database,
  tenantId: string,
  mailboxIds: readonly string[],
  { issuer, client_id, scopes }: DelegatedGrant,
): Promise<void> {
  if (mailboxIds.length === 0) return;
  const grant = {
    ...{ kind: 'delegated' as const, issuer, client_id, scopes: [...scopes] },
    ...{ access_token: null, access_token_expires_at: null, refresh_lease_until: null, refresh_lease_by: null },
  };
  await db
    .insertInto('grants')
    .values(mailboxIds.map((mailboxId) => ({ tenant_id: tenantId, mailbox_id: mailboxId, ...grant })))
    .onConflict((conflict) => conflict.column('mailbox_id').doUpdateSet(grant))
    .execute();
}
