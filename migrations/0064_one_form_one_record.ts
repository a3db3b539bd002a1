import { type Kysely, sql } from 'kysely';

/** A form that is sent twice, by a double click or a browser that asks again, makes one record: its key says which form it was. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(`
    alter table documents add column form_key uuid;
    comment on column documents.form_key is 'Which form made it: sent twice, it makes one record.';
    create unique index documents_form on documents (tenant_id, form_key) where form_key is not null;
  `)
    .execute(db);
}
