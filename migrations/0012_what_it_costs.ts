import { type Kysely, sql } from 'kysely';

/**
 * What a delivery costs of Gmail's quota follows from what its mailbox may do, so the pacer, which works for all tenants
 * at once, may read the names of the permissions that Google granted. Of the tokens it still reads nothing.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`grant select (scopes) on grants to letterhead_system`.execute(db);
}
