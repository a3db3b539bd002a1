import { type Kysely, sql } from 'kysely';

/**
 * Files that came embedded in an imported record can go along with its emails. An email names them and their bytes stay
 * where they are, once: beside the record. So nobody changes them any more, they go only with their record, and a record of which
 * an email names a file stays.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(schema).execute(db);
}

const own = `tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid`;

const schema = `
create table delivery_files (
  tenant_id uuid not null references tenants on delete cascade,
  delivery_id uuid not null,
  position integer not null check (position > 0),
  document_id uuid not null,
  place integer not null,
  file_name text not null,
  media_type text not null,
  size integer not null,
  sha256 text not null,
  primary key (tenant_id, delivery_id, position),
  unique (tenant_id, delivery_id, place),
  foreign key (tenant_id, delivery_id) references deliveries (tenant_id, id) on delete cascade,
  foreign key (tenant_id, document_id, place) references document_files (tenant_id, document_id, place)
);
create index delivery_files_kept on delivery_files (tenant_id, document_id, place);
comment on column delivery_files.position is 'Where it stands in the email, after the PDF: from 1.';
comment on column delivery_files.file_name is 'What it is called in the email.';
alter table delivery_files enable row level security;
alter table delivery_files force row level security;
create policy own_tenant on delivery_files to letterhead_app using (${own}) with check (${own});
create policy migrations on delivery_files to current_user using (true) with check (true);
grant select, insert, update, delete on delivery_files to letterhead_app;
revoke update, delete on document_files from letterhead_app;
`;
