import { type Kysely, sql } from 'kysely';

/**
 * When deliveries leave, and what a person still has to look at: undo window and sending hours of a tenant, a chosen
 * time and "whatever the hour" of a delivery, a From that Gmail changed, what somebody has seen. Beside it which
 * database this is, so that one restored from a backup is noticed, and when the daily chores ran last.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(schema).execute(db);
  await sql.raw(indexes).execute(db);
}

const schema = `
alter table tenants
  add column undo_seconds integer not null default 10 check (undo_seconds between 0 and 120),
  -- Null: at any hour. Else the shape of src/tenants/sending-hours.ts.
  add column sending_hours jsonb;

alter table deliveries
  -- It leaves whatever the sending hours say: a test, a notice, or because somebody said so.
  add column any_time boolean not null default false,
  -- The moment that somebody chose for it.
  add column scheduled_for timestamptz,
  -- When it was seen that Gmail had used another From.
  add column from_changed_at timestamptz,
  -- When somebody took it off the list of what needs somebody.
  add column seen_at timestamptz;

-- Which database this is, in PostgreSQL's own words: another than the one written here is a copy or was restored.
create table database_identity (
  only_row boolean primary key default true check (only_row),
  identity text not null,
  recorded_at timestamptz not null
);
grant select, insert, update on database_identity to letterhead_system;

-- What is done now and then by one process for all: when it was begun last.
create table chores (
  name text primary key,
  begun_at timestamptz not null
);
grant select, insert, update on chores to letterhead_system;

-- Of those that wait, the pacer looks for the ones of tenants that may send now.
drop index deliveries_waiting;

-- A managed PostgreSQL may keep these from everybody; then a restore is noticed by less, or by the operator.
do $$
begin
  grant execute on function pg_control_system() to letterhead_system;
  grant execute on function pg_walfile_name(pg_lsn) to letterhead_system;
  grant execute on function pg_current_wal_insert_lsn() to letterhead_system;
exception when others then
  raise notice 'not granted: %', sqlerrm;
end $$;
`;

const indexes = `
create index deliveries_waiting on deliveries (account, tenant_id, lane, created_at, id)
  where state = 'queued' and released_at is null;
create index deliveries_waiting_any_time on deliveries (account, tenant_id, lane, created_at, id)
  where state = 'queued' and released_at is null and any_time;
create index deliveries_attention on deliveries (tenant_id, created_at desc, id desc)
  where state in ('unconfirmed', 'held', 'failed') or from_changed_at is not null;
`;
