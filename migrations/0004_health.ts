import { type Kysely, sql } from 'kysely';

/**
 * What is known of the health of a connection: since when a refresh token lives and when it last worked, why a mailbox
 * stopped and how sure we are, who paused it, what befell it. Beside it two tables that belong to no tenant: how many
 * tokens Google gave us for one account, and the troubles that only whoever runs Letterhead can end.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(schema).execute(db);
}

const own = `tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid`;

const schema = `
alter type mailbox_state add value 'paused';
alter type delivery_purpose add value 'notice';
create type mailbox_event_kind as enum ('connected', 'disconnected', 'ended', 'explained', 'recovered', 'paused', 'resumed');
create type trouble_kind as enum ('client_refused', 'api_disabled', 'daily_cap', 'project_quota');

alter table mailboxes
  add column state_sure boolean not null default true,
  add column paused_by uuid,
  add foreign key (tenant_id, paused_by) references members (tenant_id, id);
comment on column mailboxes.state_sure is 'False where Google did not say why, and state_reason is what fits best.';

alter table grants
  add column last_refreshed_at timestamptz not null default now(),
  add column ends_at timestamptz,
  add column number integer not null default 1,
  add column refresh_lease_by uuid;
comment on column grants.last_refreshed_at is 'When Google last gave an access token for it.';
comment on column grants.ends_at is 'Where Google said so: access for a limited time.';
comment on column grants.number is 'Its place among the tokens that Google gave us for this account and client (google_tokens.made).';
update grants set last_refreshed_at = granted_at;
grant select (last_refreshed_at, granted_at, issuer, client_id) on grants to letterhead_system;
create index grants_unused on grants (last_refreshed_at);

-- What befell a mailbox, for its history. An 'ended' one is told to people once: noticed_at says that this is done.
create table mailbox_events (
  id bigint generated always as identity primary key,
  tenant_id uuid not null references tenants on delete cascade,
  mailbox_id uuid not null,
  at timestamptz not null,
  kind mailbox_event_kind not null,
  reason text,
  sure boolean not null default true,
  member_id uuid,
  noticed_at timestamptz,
  foreign key (tenant_id, mailbox_id) references mailboxes (tenant_id, id) on delete cascade,
  foreign key (tenant_id, member_id) references members (tenant_id, id)
);
create index mailbox_events_timeline on mailbox_events (tenant_id, id desc);
create index mailbox_events_of_mailbox on mailbox_events (mailbox_id, id desc);
create index mailbox_events_untold on mailbox_events (id) where kind = 'ended' and noticed_at is null;
alter table mailbox_events enable row level security;
alter table mailbox_events force row level security;
create policy own_tenant on mailbox_events to letterhead_app using (${own}) with check (${own});
create policy migrations on mailbox_events to current_user using (true) with check (true);
create policy system_reads on mailbox_events for select to letterhead_system using (true);
grant select, insert, update, delete on mailbox_events to letterhead_app;
grant select on mailbox_events to letterhead_system;

-- How many refresh tokens Google gave us for one account and client. The 101st silently ends the oldest.
create table google_tokens (
  issuer text not null,
  client_id text not null,
  google_sub text not null,
  made integer not null,
  primary key (issuer, client_id, google_sub)
);
insert into google_tokens (issuer, client_id, google_sub, made)
  select g.issuer, g.client_id, m.google_sub, count(*) from grants g join mailboxes m on m.id = g.mailbox_id group by 1, 2, 3;
grant select, insert, update on google_tokens to letterhead_system;

-- What only whoever runs Letterhead can end. Google's own words and no tenant's data.
create table operator_troubles (
  id bigint generated always as identity primary key,
  kind trouble_kind not null,
  client_id text not null,
  google_said text not null,
  times integer not null,
  began_at timestamptz not null,
  last_at timestamptz not null,
  alerted_at timestamptz not null,
  ended_at timestamptz
);
create unique index operator_troubles_open on operator_troubles (kind, client_id) where ended_at is null;
grant select, insert, update on operator_troubles to letterhead_system;
`;
