import { type Kysely, sql } from 'kysely';

/** Finds the attempts that tell nothing any more without reading those that are kept. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create index attempts_refused on attempts (finished_at) where outcome = 'refused_retry'`.execute(db);
}
