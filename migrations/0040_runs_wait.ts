import { type Kysely, sql } from 'kysely';

/**
 * A run can be undone for a moment, or leave later. `asked` is what somebody filled in, to begin again from after an undo:
 * which records, which of those sent lately once more, whether paid ones too.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table runs
    add column any_time boolean not null default false,
    add column asked jsonb`.execute(db);
}
