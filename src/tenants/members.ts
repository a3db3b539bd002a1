import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';
import type { MemberRole } from '../platform/database-types.ts';
import { inTenant } from './scope.ts';
import { findPerson, membershipsOf } from './system.ts';

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
