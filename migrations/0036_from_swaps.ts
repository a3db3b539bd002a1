import { type Kysely, sql } from 'kysely';

/**
 * Addresses that Gmail did not keep on the From line, as a read-back showed. While one is open nothing else leaves from
 * it, but the test email by which it is tried whether Gmail keeps it now.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(schema).execute(db);
}

const own = `tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid`;

const schema = `
create table from_swaps (
  tenant_id uuid not null references tenants on delete cascade,
  mailbox_id uuid not null,
  -- The address that was asked for, in small letters, and the one that Gmail used.
  email text not null,
  sent_from text not null,
  delivery_id uuid not null,
  at timestamptz not null,
  settled_at timestamptz,
  -- Who looked and said go on; null where a test email showed that Gmail keeps it.
  settled_by uuid,
  primary key (tenant_id, mailbox_id, email),
  foreign key (tenant_id, mailbox_id) references mailboxes (tenant_id, id) on delete cascade,
  foreign key (tenant_id, delivery_id) references deliveries (tenant_id, id) on delete cascade,
  foreign key (tenant_id, settled_by) references members (tenant_id, id)
);
alter table from_swaps enable row level security;
alter table from_swaps force row level security;
create policy own_tenant on from_swaps to letterhead_app using (${own}) with check (${own});
create policy migrations on from_swaps to current_user using (true) with check (true);
grant select, insert, update, delete on from_swaps to letterhead_app;

-- A test email that tries whether Gmail keeps its From.
alter table deliveries add column tries_from boolean not null default false;
`;
