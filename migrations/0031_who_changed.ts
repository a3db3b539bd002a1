import { type Kysely, sql } from 'kysely';

/** Who changed a record last: whoever saves over it is told whose change it was. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(`
    alter table documents
      add column changed_by uuid,
      add foreign key (tenant_id, changed_by) references members (tenant_id, id);
    comment on column documents.changed_by is 'The member of the last change, at updated_at; null where nobody changed it since it was made, or a program did.';
  `)
    .execute(db);
}
