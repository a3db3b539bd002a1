import { type Kysely, sql } from 'kysely';

/**
 * Until when the day's budget of a Google account is used up, as the pacer found: for the pages, which see only what their
 * own tenant sent, while the budget is shared by all tenants that use the account. The pacer itself counts anew.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table sending_accounts add column full_until timestamptz`.execute(db);
}
