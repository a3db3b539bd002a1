import { type Kysely, sql } from 'kysely';

/**
 * Files that are imported only once somebody has answered what is asked about them, such as whose they are. And what was
 * embedded in imported files, kept beside the record so that no delivery copies it.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(`
    create table import_questions (
      id uuid primary key default gen_random_uuid(),
      tenant_id uuid not null references tenants on delete cascade,
      member_id uuid not null,
      file_name text not null,
      bytes bytea not null,
      created_at timestamptz not null,
      foreign key (tenant_id, member_id) references members (tenant_id, id)
    );
    create index import_questions_oldest on import_questions (tenant_id, created_at);

    create table document_files (
      tenant_id uuid not null references tenants on delete cascade,
      document_id uuid not null,
      place integer not null,
      bytes bytea not null,
      primary key (tenant_id, document_id, place),
      foreign key (tenant_id, document_id) references documents (tenant_id, id) on delete cascade
    );
    comment on column document_files.place is 'Which of the files that the record''s content lists, from 0.';
    ${['import_questions', 'document_files'].map(isolate).join('\n')}
  `)
    .execute(db);
}

function isolate(table: string): string {
  const own = `tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid`;
  return `
    alter table ${table} enable row level security;
    alter table ${table} force row level security;
    create policy own_tenant on ${table} to letterhead_app using (${own}) with check (${own});
    create policy migrations on ${table} to current_user using (true) with check (true);
    grant select, insert, update, delete on ${table} to letterhead_app;
  `;
}
