import { type Kysely, sql } from 'kysely';

/**
 * Drafts of before drafts had no numbers hold one that was taken in order. Where such a draft is deleted its number is free
 * again, and the next record takes it: a row of numbers has no hole.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(schema).execute(db);
}

const own = `tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid`;

const schema = `
create table free_document_numbers (
  tenant_id uuid not null references tenants on delete cascade,
  kind document_kind not null,
  year integer not null,
  sequence integer not null,
  primary key (tenant_id, kind, year, sequence)
);
alter table free_document_numbers enable row level security;
alter table free_document_numbers force row level security;
create policy own_tenant on free_document_numbers to letterhead_app using (${own}) with check (${own});
create policy migrations on free_document_numbers to current_user using (true) with check (true);
grant select, insert, update, delete on free_document_numbers to letterhead_app;
`;
