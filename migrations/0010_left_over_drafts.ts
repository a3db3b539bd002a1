import { type Kysely, sql } from 'kysely';

/**
 * What a delivery that failed or was cancelled left in Gmail is taken out again: `not_before` says of those too when they
 * are looked at.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(`
drop index deliveries_due;
create index deliveries_due on deliveries (not_before)
  where not_before is not null and state in ('held', 'sending', 'unconfirmed', 'failed', 'cancelled');`)
    .execute(db);
}
