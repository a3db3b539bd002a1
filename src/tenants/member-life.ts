import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';
import type { MemberRole } from '../platform/database-types.ts';
import { type ByMember, noteChange } from './rights-changes.ts';

/** What became of a change to a member. */
export type MemberChange =
  | { readonly kind: 'done'; readonly name: string; readonly email: string; readonly was: MemberRole }
  /** There is no such member (any more). */
  | { readonly kind: 'not_found' }
  /** A company keeps an owner. */
  | { readonly kind: 'last_owner' }
  /** Owners are made and unmade by owners alone. */
  | { readonly kind: 'owners_only' }
  /** Whoever asks is no owner or admin (any more). */
  | { readonly kind: 'not_allowed' }
  /** Removal only: their own Gmail is connected, and must be disconnected first. */
  | { readonly kind: 'still_connected'; readonly mailboxId: string };

/**
 * Gives a member another role. It holds from their next request on.
 *
 * @param trx a transaction inside the tenant
 * @param by the member who decides it
 */
export async function changeRole(
  trx: Database,
  tenantId: string,
  memberId: string,
  role: MemberRole,
  by: ByMember,
): Promise<MemberChange> {
  const change = await judge(trx, tenantId, memberId, role, by.memberId);
  if (change.kind !== 'done' || change.was === role) return change;
  await trx.updateTable('members').set({ role }).where('tenant_id', '=', tenantId).where('id', '=', memberId).execute();
  const { name, email, was } = change;
  await noteChange(trx, tenantId, by, { kind: 'role_changed', of: { name, email }, from: was, to: role });
  if (role !== 'owner' && role !== 'admin') await withdrawInvitationsBy(trx, tenantId, memberId, by);
  return change;
}

/**
 * Takes a member out of the tenant from their next request on: an owner or admin does it, or they leave themselves. Their row stays, and with it their name on what they
 * wrote and sent; what they were given is taken back. No former member has a connected Gmail of their own: where there
 * still is one, nothing is done, and it has to be disconnected first.
 *
 * @param trx a transaction inside the tenant
 * @param by the member who decides it
 */
export async function removeMember(
  trx: Database,
  tenantId: string,
  memberId: string,
  by: ByMember,
): Promise<MemberChange> {
  const change = await judge(trx, tenantId, memberId, null, by.memberId);
  if (change.kind !== 'done') return change;
  const connected = await trx
    .selectFrom('mailboxes')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('member_id', '=', memberId)
    .where('state', '<>', 'disconnected')
    // What is sent by delegation is the company's own Workspace account.
    .where('delegated', '=', false)
    .executeTakeFirst();
  if (connected) return { kind: 'still_connected', mailboxId: connected.id };
  await trx
    .updateTable('members')
    .set({ removed_at: by.at, removed_by: by.memberId, default_mailbox_id: null })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', memberId)
    .execute();
  await trx.deleteFrom('mailbox_members').where('tenant_id', '=', tenantId).where('member_id', '=', memberId).execute();
  const { name, email, was } = change;
  await noteChange(trx, tenantId, by, { kind: 'member_removed', of: { name, email }, was });
  await withdrawInvitationsBy(trx, tenantId, memberId, by);
  return change;
}

/** Whoever may not invite any more has invited nobody: a way back in may not be left behind. */
async function withdrawInvitationsBy(trx: Database, tenantId: string, memberId: string, by: ByMember): Promise<void> {
  const withdrawn = await trx
    .deleteFrom('invitations')
    .where('tenant_id', '=', tenantId)
    .where('invited_by', '=', memberId)
    .where('accepted_at', 'is', null)
    .returning(['email', 'role', 'declined_at'])
    .execute();
  for (const { email, role, declined_at } of withdrawn)
    if (declined_at === null) await noteChange(trx, tenantId, by, { kind: 'invitation_withdrawn', email, role });
}

/**
 * The role of a member who is there, undefined otherwise. Holds their row until the transaction ends: whoever removes
 * them, or changes the role, waits.
 *
 * @param trx a transaction inside the tenant
 */
export async function heldRole(trx: Database, tenantId: string, memberId: string): Promise<MemberRole | undefined> {
  const member = await trx
    .selectFrom('members')
    .select('role')
    .where('tenant_id', '=', tenantId)
    .where('id', '=', memberId)
    .where('removed_at', 'is', null)
    .forShare()
    .executeTakeFirst();
  return member?.role;
}

/**
 * Whether the change may be made. Locks the owners, so that of two who unmake each other one is left, and the member,
 * so that nobody connects a Gmail for somebody who is being removed.
 *
 * @param role null for a removal
 */
async function judge(
  trx: Database,
  tenantId: string,
  memberId: string,
  role: MemberRole | null,
  byId: string,
): Promise<MemberChange> {
  const rows = await trx
    .selectFrom('members')
    .select(['id', 'name', 'email', 'role'])
    .where('tenant_id', '=', tenantId)
    .where('removed_at', 'is', null)
    .where(sql<boolean>`(role = 'owner' or id in (${memberId}, ${byId}))`)
    .orderBy('id')
    .forUpdate()
    .execute();
  const by = rows.find((row) => row.id === byId);
  // Everybody may leave.
  const leaves = role === null && memberId === byId;
  if (by?.role !== 'owner' && by?.role !== 'admin' && !leaves) return { kind: 'not_allowed' };
  const member = rows.find((row) => row.id === memberId);
  if (!member) return { kind: 'not_found' };
  if (by?.role !== 'owner' && (member.role === 'owner' || role === 'owner')) return { kind: 'owners_only' };
  const owners = rows.filter((row) => row.role === 'owner').length;
  if (member.role === 'owner' && role !== 'owner' && owners === 1) return { kind: 'last_owner' };
  return { kind: 'done', name: member.name, email: member.email, was: member.role };
}
