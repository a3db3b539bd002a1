import { type Kysely, sql } from 'kysely';

/**
 * The drafts of a delivery that somebody changed in Gmail: theirs for ever, whatever draft of ours comes after them.
 * Until now the one of them that was ours last had its id and no message.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table deliveries add column foreign_draft_ids text[] not null default '{}'`.execute(db);
  await sql`update deliveries set foreign_draft_ids = array[draft_id], draft_id = null
    where draft_id is not null and draft_message_id is null`.execute(db);
  await sql`alter table deliveries add constraint deliveries_draft_whole
    check ((draft_id is null) = (draft_message_id is null))`.execute(db);
}
