import { type Kysely, sql } from 'kysely';

/**
 * Who changed what anybody may do: roles, mailboxes, sender rules, Workspaces. The app's role may add to it and read
 * it, and can neither change nor delete what stands there.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(`
    create table rights_changes (
      id bigint generated always as identity primary key,
      tenant_id uuid not null references tenants on delete cascade,
      at timestamptz not null,
      member_id uuid,
      change jsonb not null,
      foreign key (tenant_id, member_id) references members (tenant_id, id)
    );
    comment on column rights_changes.member_id is 'Who did it; null is whoever runs Letterhead.';
    comment on column rights_changes.change is 'What it was, with names and addresses as they were then, and no secret.';
    create index rights_changes_newest on rights_changes (tenant_id, id desc);
    alter table rights_changes enable row level security;
    alter table rights_changes force row level security;
    create policy own_tenant on rights_changes to letterhead_app
      using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
      with check (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
    create policy migrations on rights_changes to current_user using (true) with check (true);
    grant select, insert on rights_changes to letterhead_app;
  `)
    .execute(db);
}
