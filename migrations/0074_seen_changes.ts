import { type Kysely, sql } from 'kysely';

/**
 * Up to which change of the company's name, tax number and bank details an owner has said that they saw it. Who changed a
 * contact or the company last, for whoever had the same form open.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(`
    alter table members add column company_change_seen bigint not null default 0;
    comment on column members.company_change_seen is 'The id of the last row of rights_changes about the company that they saw.';
    -- What was changed before this was there is told to nobody now.
    update members set company_change_seen = coalesce((select max(id) from rights_changes), 0);
    create index rights_changes_company on rights_changes (tenant_id, id) where change ->> 'kind' = 'company_changed';

    alter table parties add column changed_by uuid, add foreign key (tenant_id, changed_by) references members (tenant_id, id);
    alter table tenants add column changed_by uuid, add column changed_at timestamptz;
    alter table tenants add foreign key (id, changed_by) references members (tenant_id, id);
  `)
    .execute(db);
}
