import { type Kysely, sql } from 'kysely';

/** Which records a run left out when it was started, the first few hundred: `[{id, number, name, reason}]`. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table runs add column left_out_records jsonb not null default '[]'`.execute(db);
}
