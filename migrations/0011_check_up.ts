import { type Kysely, sql } from 'kysely';

/** The last check-up of a mailbox, as pages show it and support is sent it: words about each step, and no secret. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table mailboxes add column check_up jsonb`.execute(db);
}
