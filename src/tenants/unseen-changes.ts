import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';
import { type RightsChangeLine, rightsChangeLines, toLine } from './rights-changes.ts';

/** So many are shown at once; Settings → Changes has all of them. */
const mostShown = 5;

const ofCompany = sql<boolean>`rights_changes.change ->> 'kind' = 'company_changed'`;

/**
 * The changes of the company's name, tax number and bank details that an owner has not said to have seen, newest first. The
 * same go out by email where there is a mailbox (see `tellOwners`); this is there without one. Whoever made a change is
 * told, too: it may have been somebody else with their session.
 *
 * @returns none for whoever is no owner, and none from before they were a member
 */
export async function unseenCompanyChanges(
  db: Database,
  tenantId: string,
  memberId: string,
): Promise<RightsChangeLine[]> {
  const rows = await rightsChangeLines(db, tenantId)
    .innerJoin('members as reader', (join) =>
      join.onRef('reader.tenant_id', '=', 'rights_changes.tenant_id').on('reader.id', '=', memberId),
    )
    .where('reader.role', '=', 'owner')
    .where(ofCompany)
    .whereRef('rights_changes.id', '>', 'reader.company_change_seen')
    .whereRef('rights_changes.at', '>=', 'reader.created_at')
    .limit(mostShown)
    .execute();
  return rows.map(toLine);
}

/** Writes down that somebody saw the changes up to one of them. What came after it stays. */
export async function sawCompanyChanges(db: Database, tenantId: string, memberId: string, upTo: string): Promise<void> {
  const last = db
    .selectFrom('rights_changes')
    .where('tenant_id', '=', tenantId)
    .where('id', '<=', upTo)
    .select((eb) => eb.fn.max('id').as('id'));
  await db
    .updateTable('members')
    .set({ company_change_seen: sql<string>`greatest(company_change_seen, coalesce((${last}), 0))` })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', memberId)
    .execute();
}
