import type { Database } from '../platform/database.ts';

/** When a record was changed last, and by which member; null where that is not known. */
export interface LastChange {
  readonly at: Date;
  readonly by: { readonly memberId: string; readonly name: string } | null;
}

/** The last change of a record; undefined where the tenant has none with that id. */
export async function lastChange(db: Database, tenantId: string, documentId: string): Promise<LastChange | undefined> {
  const row = await db
    .selectFrom('documents')
    .leftJoin('members', 'members.id', 'documents.changed_by')
    .select(['documents.updated_at as at', 'members.id as memberId', 'members.name'])
    .where('documents.tenant_id', '=', tenantId)
    .where('documents.id', '=', documentId)
    .executeTakeFirst();
  return row && toChange(row);
}

/** The same of a contact. */
export async function lastPartyChange(
  db: Database,
  tenantId: string,
  partyId: string,
): Promise<LastChange | undefined> {
  const row = await db
    .selectFrom('parties')
    .leftJoin('members', 'members.id', 'parties.changed_by')
    .select(['parties.updated_at as at', 'members.id as memberId', 'members.name'])
    .where('parties.tenant_id', '=', tenantId)
    .where('parties.id', '=', partyId)
    .executeTakeFirst();
  return row && toChange(row);
}

function toChange({ at, memberId, name }: { at: Date; memberId: string | null; name: string | null }): LastChange {
  return { at, by: memberId === null || name === null ? null : { memberId, name } };
}
