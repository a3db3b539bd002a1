import { type Kysely, sql } from 'kysely';

/**
 * Google's security events (Cross-Account Protection), and domain-wide delegation for Workspace.
 *
 * An event names a person or one token, and belongs to no tenant: `letterhead_system` records it and finds what it is
 * about by a Google subject or by digests of refresh tokens, the only further columns of `grants` it may read.
 *
 * A delegation is a service account that may act as the members of one Workspace domain. What is sent through it has a
 * mailbox like anything else: one per member, marked `delegated`, whose grant has no refresh token.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(events).execute(db);
  await sql.raw(identity).execute(db);
  await sql.raw(delegation).execute(db);
}

const events = `
-- How a 'token-revoked' names a refresh token: double SHA-512, or its first 16 characters, here as SHA-256.
alter table grants add column refresh_token_digest bytea, add column refresh_prefix_digest bytea;
create index grants_refresh_token_digest on grants (refresh_token_digest);
create index grants_refresh_prefix_digest on grants (refresh_prefix_digest);
grant select (refresh_token_digest, refresh_prefix_digest) on grants to letterhead_system;

-- What Google said and what came of it. No token, no address; handled_at is null while it is not dealt with.
create table security_events (
  jti text not null,
  type text not null,
  google_sub text,
  detail text,
  event_at timestamptz not null,
  received_at timestamptz not null,
  handled_at timestamptz,
  grants_ended integer not null default 0,
  grants_checked integer not null default 0,
  sessions_ended integer not null default 0,
  primary key (jti, type)
);
create index security_events_newest on security_events (received_at desc);
grant select, insert, update, delete on security_events to letterhead_system;

-- Ends all sessions of a person: those that are there, and any that a request under way writes back.
alter table people add column sessions_ended_at timestamptz;
create index sessions_person on sessions ((sess ->> 'personId'));
`;

const identity = `
-- Who a member is to Google, and the Workspace domain that manages the account; null until the next sign-in.
alter table people add column hd text;
alter table members add column google_sub text, add column hd text;
update members set google_sub = people.google_sub from people where people.id = members.person_id;
`;

const delegation = `
create type delegation_state as enum ('waiting', 'active', 'ended');

-- A service account and the domain it may act for. Of its key file only these are kept; the key is sealed like a token.
create table delegations (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null references tenants on delete cascade,
  domain text not null check (domain = lower(domain) and domain <> ''),
  issuer text not null,
  client_email text not null,
  client_id text not null,
  private_key_id text,
  private_key bytea not null,
  key_id text generated always as (
    case when length(private_key) > 2 then encode(substring(private_key from 3 for get_byte(private_key, 1)), 'escape')
         else '' end) stored,
  scopes text[] not null default '{}',
  state delegation_state not null default 'waiting',
  state_reason text,
  state_at timestamptz not null,
  added_at timestamptz not null,
  added_by uuid,
  unique (tenant_id, id),
  unique (tenant_id, domain),
  foreign key (tenant_id, added_by) references members (tenant_id, id)
);
alter table delegations enable row level security;
alter table delegations force row level security;
create policy own_tenant on delegations to letterhead_app
  using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
  with check (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
create policy migrations on delegations to current_user using (true) with check (true);
grant select, insert, update, delete on delegations to letterhead_app;
grant select (id, tenant_id, key_id) on delegations to letterhead_system;
create policy system_reads on delegations for select to letterhead_system using (true);

create type grant_kind as enum ('oauth', 'delegated');
alter table grants
  add column kind grant_kind not null default 'oauth',
  alter column refresh_token drop not null,
  add check ((kind = 'oauth') = (refresh_token is not null));

alter table mailboxes
  add column delegated boolean not null default false,
  add check (not delegated or kind = 'personal');
drop index mailboxes_one_personal;
create unique index mailboxes_one_personal on mailboxes (tenant_id, member_id)
  where kind = 'personal' and state <> 'disconnected' and not delegated;
create unique index mailboxes_one_delegated on mailboxes (tenant_id, member_id, email) where delegated;
`;
