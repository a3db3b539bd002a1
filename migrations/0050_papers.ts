import { type Kysely, sql } from 'kysely';

/**
 * An email knows under which head of the company its paper was written, and when: a page can say which version of a
 * record went out, and what is different now. Emails of before take the head and the moment of their run, or know none.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(`alter table deliveries add column head jsonb, add column frozen_at timestamptz;`).execute(db);
}
