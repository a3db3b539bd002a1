import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';
import type { MemberRole } from '../platform/database-types.ts';
import { type ByMember, noteChange } from './rights-changes.ts';
import { inTenant } from './scope.ts';
import { findPerson, invitationsFor, membershipsOf } from './system.ts';

/** A member as the settings page lists them. */
export interface Member {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly role: MemberRole;
}

/**
 * The members of a tenant, by name; former ones left out.
 *
 * @param after the id of the last member of the page before
 * @param search part of a name or an address
 * @returns at most `limit` members (50 unless told), and `next` when there are more
 */
export async function listMembers(
  db: Database,
  tenantId: string,
  {
    after,
    search = '',
    limit = 50,
  }: { readonly after?: string | undefined; readonly search?: string; readonly limit?: number } = {},
): Promise<{ readonly rows: Member[]; readonly next?: string }> {
  let query = db
    .selectFrom('members')
    .select(['id', 'email', 'name', 'role'])
    .where('tenant_id', '=', tenantId)
    .where('removed_at', 'is', null)
    .orderBy('name')
    .orderBy('id')
    .limit(limit + 1);
  if (search) query = query.where(sql<boolean>`position(lower(${search}) in lower(name || ' ' || email)) > 0`);
  if (after) {
    const place = sql`(select name, id from members where tenant_id = ${tenantId} and id = ${after})`;
    query = query.where(sql<boolean>`(name, id) > ${place}`);
  }
  const members = await query.execute();
  const rows = members.slice(0, limit);
  const last = rows.at(-1);
  return members.length > limit && last ? { rows, next: last.id } : { rows };
}

/** Invitations that nobody has followed yet, newest first. */
export function listInvitations(db: Database, tenantId: string) {
  return db
    .selectFrom('invitations')
    .select(['id', 'email', 'role', 'created_at as createdAt'])
    .where('tenant_id', '=', tenantId)
    .where('accepted_at', 'is', null)
    .orderBy('created_at', 'desc')
    .limit(500)
    .execute();
}

/**
 * Invites an address: whoever signs in with it joins the tenant. Inviting again changes the role.
 *
 * @returns false when somebody with that address is a member already
 */
export async function invite(
  trx: Database,
  tenantId: string,
  invitation: { readonly email: string; readonly role: Exclude<MemberRole, 'owner'> },
  by: ByMember,
): Promise<boolean> {
  const email = invitation.email.toLowerCase();
  const member = await trx
    .selectFrom('members')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where(sql<string>`lower(email)`, '=', email)
    .where('removed_at', 'is', null)
    .executeTakeFirst();
  if (member) return false;
  await trx
    .deleteFrom('invitations')
    .where('tenant_id', '=', tenantId)
    .where(sql<string>`lower(email)`, '=', email)
    .where('accepted_at', 'is', null)
    .execute();
  await trx
    .insertInto('invitations')
    .values({ tenant_id: tenantId, email, role: invitation.role, invited_by: by.memberId })
    .execute();
  await noteChange(trx, tenantId, by, { kind: 'member_invited', email, role: invitation.role });
  return true;
}

/** Takes an invitation back. Returns false when it is not there, or was followed already. */
export async function withdrawInvitation(
  trx: Database,
  tenantId: string,
  invitationId: string,
  by: ByMember,
): Promise<boolean> {
  const withdrawn = await trx
    .deleteFrom('invitations')
    .where('tenant_id', '=', tenantId)
    .where('id', '=', invitationId)
    .where('accepted_at', 'is', null)
    .returning(['email', 'role'])
    .executeTakeFirst();
  if (!withdrawn) return false;
  await noteChange(trx, tenantId, by, { kind: 'invitation_withdrawn', ...withdrawn });
  return true;
}

/**
 * Lets a person into every tenant that invited their address. Google has verified that the address is theirs.
 * A former member comes back as the one they were, with what they wrote and sent. Returns the ids of the tenants they are in now because of it.
 *
 * @param pools the app's pool, and the cross-tenant one to find the invitations
 */
export async function joinInvited(
  pools: { readonly db: Database; readonly system: Database },
  person: { readonly personId: string; readonly email: string; readonly name: string },
  now: Date,
): Promise<string[]> {
  const joined: string[] = [];
  for (const { id, tenantId, role } of await invitationsFor(pools.system, person.email)) {
    await inTenant(pools.db, tenantId, async (trx) => {
      const { numUpdatedRows } = await trx
        .updateTable('invitations')
        .set({ accepted_at: now })
        .where('id', '=', id)
        .where('accepted_at', 'is', null)
        .executeTakeFirst();
      if (numUpdatedRows === 0n) return;
      const member = await trx
        .insertInto('members')
        .values({ tenant_id: tenantId, person_id: person.personId, email: person.email, name: person.name, role })
        .onConflict((conflict) =>
          conflict
            .columns(['tenant_id', 'person_id'])
            .doUpdateSet({ email: person.email, name: person.name, role, removed_at: null })
            .where('members.removed_at', 'is not', null),
        )
        .returning('id')
        .executeTakeFirst();
      // Else they are a member already, under another address.
      if (member) await noteChange(trx, tenantId, { memberId: member.id, at: now }, { kind: 'member_joined', role });
      joined.push(tenantId);
    });
  }
  return joined;
}

/**
 * Notes with each of a person's memberships who they are to Google, and which Workspace manages their account. Inside a
 * tenant nothing else of a person can be seen.
 *
 * @param pools the app's pool, and the cross-tenant one to find person and memberships
 */
export async function noteIdentity(
  pools: { readonly db: Database; readonly system: Database },
  personId: string,
): Promise<void> {
  const person = await findPerson(pools.system, personId);
  if (!person) return;
  for (const { tenantId, memberId } of await membershipsOf(pools.system, personId)) {
    await inTenant(pools.db, tenantId, (trx) =>
      trx
        .updateTable('members')
        .set({ google_sub: person.googleSub, hd: person.hd })
        .where('tenant_id', '=', tenantId)
        .where('id', '=', memberId)
        .execute(),
    );
  }
}
