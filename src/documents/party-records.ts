import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';

/** What a contact's email means for its records: what is written on a record counts, else the contact's. */
export interface RecordAddresses {
  /** Open records with an email of their own that is another one than the contact's. */
  readonly elsewhere: number;
  /** Open records without an email: they go to the contact's. */
  readonly here: number;
}

/** Counts a contact's records that may still be sent, by where they go. */
export async function addressesOfRecords(
  db: Database,
  tenantId: string,
  partyId: string,
  email: string | undefined,
): Promise<RecordAddresses> {
  const own = sql<string | null>`content #>> '{party,email}'`;
  return db
    .selectFrom('documents')
    .where('tenant_id', '=', tenantId)
    .where('party_id', '=', partyId)
    .where('status', 'in', ['draft', 'open'])
    .select([
      sql<number>`(count(*) filter (where ${own} <> ${email ?? ''}))::int`.as('elsewhere'),
      sql<number>`(count(*) filter (where ${own} is null))::int`.as('here'),
    ])
    .executeTakeFirstOrThrow();
}
