import { type Kysely, sql } from 'kysely';

/**
 * What a mailbox's owner switched on: each consent names this whole set, and what of it Google granted stands with the
 * grant. And for how long an email may have waited for Gmail to be connected again and still go out by itself.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(`
    alter table mailboxes
      add column wanted text[] not null default '{send}'
        check (wanted @> '{send}' and wanted <@ '{send,safe_retry,aliases,tracking,inbox}');
    update mailboxes set wanted = '{send,aliases}'
      from grants
      where grants.mailbox_id = mailboxes.id
        and 'https://www.googleapis.com/auth/gmail.settings.basic' = any (grants.scopes);
    alter table tenants
      add column release_hours integer not null default 24 check (release_hours between 0 and 720);
  `)
    .execute(db);
}
