import { type Kysely, sql } from 'kysely';

/**
 * Numbers of a kind are unique, imported ones too, unless somebody has said that one repeats. Of those that repeat already
 * the one written here keeps its number for itself, else the first; the others are marked.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(`
    alter table documents add column number_repeats boolean not null default false;
    comment on column documents.number_repeats is 'Somebody said that this number may be on two records.';
    update documents set number_repeats = true from (
      select id, row_number() over (
        partition by tenant_id, kind, number order by (source is null) desc, created_at, id
      ) as place from documents where number is not null
    ) as placed where placed.id = documents.id and placed.place > 1;
    drop index documents_own_number;
    create unique index documents_number on documents (tenant_id, kind, number) where not number_repeats;
  `)
    .execute(db);
}
