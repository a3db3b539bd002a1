import { type Kysely, sql } from 'kysely';

/**
 * Runs: many deliveries started together. What they have in common is frozen once, on the run: its two templates as they
 * were written, whom they come from, and the company's head as it is printed on the PDFs.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(schema).execute(db);
}

const own = `tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid`;

const schema = `
create type run_state as enum ('running', 'paused', 'cancelled');

create table runs (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null references tenants on delete cascade,
  member_id uuid not null,
  document_kind document_kind not null,
  mailbox_id uuid not null,
  from_email text not null,
  from_name text not null,
  reply_to text,
  subject text not null,
  message text not null,
  -- The company and the locale of its PDFs, as they were when the run was previewed.
  head jsonb not null,
  total integer not null,
  -- How many of the chosen records were left out, by reason.
  left_out jsonb not null,
  state run_state not null default 'running',
  state_at timestamptz not null,
  state_by uuid,
  idempotency_key text not null,
  request_hash text not null,
  created_at timestamptz not null default now(),
  unique (tenant_id, id),
  unique (tenant_id, idempotency_key),
  foreign key (tenant_id, member_id) references members (tenant_id, id),
  foreign key (tenant_id, state_by) references members (tenant_id, id),
  foreign key (tenant_id, mailbox_id) references mailboxes (tenant_id, id)
);
create index runs_newest on runs (tenant_id, created_at desc, id desc);

alter table runs enable row level security;
alter table runs force row level security;
create policy own_tenant on runs to letterhead_app using (${own}) with check (${own});
create policy migrations on runs to current_user using (true) with check (true);
grant select, insert, update, delete on runs to letterhead_app;

alter table deliveries
  add column run_id uuid,
  -- The delivery by which this one was sent again.
  add column replaced_by uuid,
  add foreign key (tenant_id, run_id) references runs (tenant_id, id),
  add foreign key (tenant_id, replaced_by) references deliveries (tenant_id, id);
-- Counting a run by state and reason touches the index alone.
create index deliveries_run_states on deliveries (run_id, state, held_reason) where run_id is not null and replaced_by is null;
create index deliveries_run on deliveries (run_id, created_at, id) where run_id is not null;
create index deliveries_replaced on deliveries (replaced_by) where replaced_by is not null;
`;
