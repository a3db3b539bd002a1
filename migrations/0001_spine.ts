import { type Kysely, sql } from 'kysely';

/**
 * The first shape of everything: people, tenants, mailboxes, documents, deliveries.
 *
 * Each table of a tenant has `tenant_id`, forced row-level security and composite foreign keys
 * `(tenant_id, id)`, so that a row of one tenant can neither be read by nor point to another's.
 * `letterhead_app` serves requests and jobs inside one tenant; `letterhead_system` runs the few
 * queries that cross tenants (`src/tenants/system.ts`). Both exist before migrations run (`src/platform/roles.ts`).
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(schema).execute(db);
  for (const table of tenantTables) await sql.raw(isolate(table, 'tenant_id')).execute(db);
  await sql.raw(isolate('tenants', 'id')).execute(db);
  await sql.raw(systemReads).execute(db);
}

const schema = `
grant usage on schema public to letterhead_app, letterhead_system;

create type document_kind as enum ('invoice', 'credit_note', 'quote', 'purchase_order');
create type document_status as enum ('draft', 'open', 'accepted', 'paid', 'cancelled');
create type member_role as enum ('owner', 'admin', 'member', 'viewer');
create type mailbox_kind as enum ('shared', 'personal');
create type mailbox_provider as enum ('gmail');
create type mailbox_state as enum ('active', 'needs_reconnect', 'disconnected');
create type sender_mode as enum ('default', 'current_user', 'alias');
create type delivery_purpose as enum ('document', 'test');
create type delivery_state as enum ('queued', 'sending', 'sent', 'held', 'failed', 'unconfirmed', 'cancelled');
create type attempt_outcome as enum ('sent', 'refused_retry', 'refused', 'unknown');

create table sessions (
  sid text primary key,
  sess json not null,
  expire timestamptz not null
);
create index sessions_expire on sessions (expire);
grant select, insert, update, delete on sessions to letterhead_app;

-- Who signs in. A person is known by Google's subject, never by the address, which can change hands.
create table people (
  id uuid primary key default gen_random_uuid(),
  issuer text not null,
  google_sub text not null,
  email text not null,
  name text not null,
  created_at timestamptz not null default now(),
  unique (issuer, google_sub)
);
grant select, insert, update on people to letterhead_system;

create table tenants (
  id uuid primary key default gen_random_uuid(),
  name text not null,
  country text not null,
  currency text not null,
  time_zone text not null,
  street text, extra_street text, city text, postal_code text, region text,
  tax_id text, email text, phone text, website text, payment_details text,
  is_demo boolean not null default false,
  created_at timestamptz not null default now()
);

create table members (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null references tenants on delete cascade,
  person_id uuid not null references people,
  email text not null,
  name text not null,
  role member_role not null,
  created_at timestamptz not null default now(),
  unique (tenant_id, id),
  unique (tenant_id, person_id)
);
create index members_person on members (person_id);

create table invitations (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null references tenants on delete cascade,
  email text not null,
  role member_role not null check (role <> 'owner'),
  invited_by uuid not null,
  created_at timestamptz not null default now(),
  accepted_at timestamptz,
  unique (tenant_id, id),
  foreign key (tenant_id, invited_by) references members (tenant_id, id) on delete cascade
);
create unique index invitations_open on invitations (tenant_id, lower(email)) where accepted_at is null;
create index invitations_email on invitations (lower(email)) where accepted_at is null;

create table mailboxes (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null references tenants on delete cascade,
  kind mailbox_kind not null,
  member_id uuid,
  provider mailbox_provider not null default 'gmail',
  google_sub text not null,
  email text not null,
  display_name text not null,
  reply_to text,
  is_default boolean not null default false,
  state mailbox_state not null default 'active',
  state_reason text,
  state_at timestamptz not null default now(),
  connected_at timestamptz not null default now(),
  connected_by uuid,
  send_as_fetched_at timestamptz,
  unique (tenant_id, id),
  foreign key (tenant_id, member_id) references members (tenant_id, id) on delete cascade,
  foreign key (tenant_id, connected_by) references members (tenant_id, id),
  check ((kind = 'personal') = (member_id is not null)),
  check (not is_default or kind = 'shared')
);
create unique index mailboxes_account on mailboxes (tenant_id, google_sub) where kind = 'shared';
create index mailboxes_google on mailboxes (google_sub);
create unique index mailboxes_one_default on mailboxes (tenant_id) where is_default;
create unique index mailboxes_one_personal on mailboxes (tenant_id, member_id) where kind = 'personal' and state <> 'disconnected';

-- The OAuth permission behind a mailbox. Tokens are AES-256-GCM envelopes bound to the tenant and mailbox.
create table grants (
  mailbox_id uuid primary key,
  tenant_id uuid not null references tenants on delete cascade,
  issuer text not null,
  client_id text not null,
  scopes text[] not null,
  refresh_token bytea not null,
  access_token bytea,
  access_token_expires_at timestamptz,
  refresh_lease_until timestamptz,
  granted_at timestamptz not null default now(),
  unique (tenant_id, mailbox_id),
  foreign key (tenant_id, mailbox_id) references mailboxes (tenant_id, id) on delete cascade
);

-- What Gmail answered to settings.sendAs.list; verification_status as Gmail wrote it, null where it wrote none.
create table send_as_addresses (
  tenant_id uuid not null references tenants on delete cascade,
  mailbox_id uuid not null,
  email text not null,
  display_name text not null default '',
  reply_to text,
  is_primary boolean not null default false,
  verification_status text,
  primary key (mailbox_id, email),
  foreign key (tenant_id, mailbox_id) references mailboxes (tenant_id, id) on delete cascade
);

-- The Send-From mode. document_kind null is the tenant's own rule; a rule for a kind wins over it.
create table sender_rules (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null references tenants on delete cascade,
  document_kind document_kind,
  mode sender_mode not null,
  alias_mailbox_id uuid,
  alias_email text,
  unique nulls not distinct (tenant_id, document_kind),
  foreign key (tenant_id, alias_mailbox_id) references mailboxes (tenant_id, id),
  check ((mode = 'alias') = (alias_email is not null and alias_mailbox_id is not null))
);

create table parties (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null references tenants on delete cascade,
  name text not null,
  contact_name text, email text, phone text, tax_id text,
  street text, extra_street text, city text, postal_code text, region text, country text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (tenant_id, id)
);
create index parties_name on parties (tenant_id, lower(name));

-- A business record. The columns are what lists sort and filter on; content is the whole of it, read and written at once.
create table documents (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null references tenants on delete cascade,
  kind document_kind not null,
  number text not null,
  party_id uuid not null,
  status document_status not null default 'open',
  issue_date date not null,
  due_date date,
  currency text not null,
  payable numeric not null,
  content jsonb not null,
  source jsonb,
  source_sha256 text,
  version integer not null default 1,
  created_by uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (tenant_id, id),
  foreign key (tenant_id, party_id) references parties (tenant_id, id),
  foreign key (tenant_id, created_by) references members (tenant_id, id)
);
create index documents_list on documents (tenant_id, kind, issue_date desc, id desc);
create index documents_newest on documents (tenant_id, issue_date desc, id desc);
create index documents_party on documents (tenant_id, party_id);
create unique index documents_own_number on documents (tenant_id, kind, number) where source is null;
create unique index documents_source on documents (tenant_id, source_sha256) where source_sha256 is not null;

create table document_numbers (
  tenant_id uuid not null references tenants on delete cascade,
  kind document_kind not null,
  year integer not null,
  next integer not null,
  primary key (tenant_id, kind, year)
);

-- One email that carries one document (or none: a test email). Sender, text and document are frozen at creation.
create table deliveries (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null references tenants on delete cascade,
  purpose delivery_purpose not null,
  document_id uuid,
  member_id uuid not null,
  mailbox_id uuid not null,
  rule_mode sender_mode not null,
  from_email text not null,
  from_name text not null,
  reply_to text,
  recipients jsonb not null,
  subject text not null,
  message text not null,
  document_snapshot jsonb,
  state delivery_state not null,
  state_at timestamptz not null default now(),
  held_reason text,
  not_before timestamptz,
  idempotency_key text not null,
  request_hash text not null,
  gmail_message_id text,
  gmail_thread_id text,
  sent_at timestamptz,
  created_at timestamptz not null default now(),
  unique (tenant_id, id),
  unique (tenant_id, idempotency_key),
  foreign key (tenant_id, document_id) references documents (tenant_id, id),
  foreign key (tenant_id, member_id) references members (tenant_id, id),
  foreign key (tenant_id, mailbox_id) references mailboxes (tenant_id, id),
  check ((purpose = 'document') = (document_id is not null)),
  check ((state = 'held') = (held_reason is not null))
);
create index deliveries_activity on deliveries (tenant_id, created_at desc, id desc);
create index deliveries_document on deliveries (tenant_id, document_id, created_at desc);
create index deliveries_held on deliveries (tenant_id, mailbox_id) where state = 'held';
create index deliveries_unfinished on deliveries (state_at) where state in ('queued', 'sending');

create table delivery_attachments (
  delivery_id uuid not null,
  tenant_id uuid not null references tenants on delete cascade,
  file_name text not null,
  media_type text not null,
  sha256 text not null,
  bytes bytea not null,
  primary key (delivery_id, file_name),
  foreign key (tenant_id, delivery_id) references deliveries (tenant_id, id) on delete cascade
);

-- One try at Gmail, committed before Gmail is contacted.
create table attempts (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null references tenants on delete cascade,
  delivery_id uuid not null,
  number integer not null,
  owner text not null,
  started_at timestamptz not null default now(),
  deadline timestamptz not null,
  finished_at timestamptz,
  outcome attempt_outcome,
  http_status integer,
  reason text,
  gmail_message text,
  duration_ms integer,
  unique (delivery_id, number),
  foreign key (tenant_id, delivery_id) references deliveries (tenant_id, id) on delete cascade,
  check ((finished_at is null) = (outcome is null))
);

-- The timeline: one row per move of a delivery.
create table delivery_events (
  id bigint generated always as identity primary key,
  tenant_id uuid not null references tenants on delete cascade,
  delivery_id uuid not null,
  at timestamptz not null default clock_timestamp(),
  state delivery_state not null,
  detail text,
  member_id uuid,
  foreign key (tenant_id, delivery_id) references deliveries (tenant_id, id) on delete cascade,
  foreign key (tenant_id, member_id) references members (tenant_id, id)
);
create index delivery_events_timeline on delivery_events (delivery_id, id);
`;

const tenantTables = [
  'members',
  'invitations',
  'mailboxes',
  'grants',
  'send_as_addresses',
  'sender_rules',
  'parties',
  'documents',
  'document_numbers',
  'deliveries',
  'delivery_attachments',
  'attempts',
  'delivery_events',
];

/**
 * Row-level security for one table. `nullif` because on a reused connection the setting is the empty
 * string rather than null. The owner, who migrates data, is let through by a policy of its own.
 */
function isolate(table: string, column: string): string {
  const own = `${column} = nullif(current_setting('app.tenant_id', true), '')::uuid`;
  return `
    alter table ${table} enable row level security;
    alter table ${table} force row level security;
    create policy own_tenant on ${table} to letterhead_app using (${own}) with check (${own});
    create policy migrations on ${table} to current_user using (true) with check (true);
    grant select, insert, update, delete on ${table} to letterhead_app;
  `;
}

/** What crosses tenants: which tenants a person belongs to or is invited to, and which deliveries were left behind. */
const systemReads = ['tenants', 'members', 'invitations', 'mailboxes', 'deliveries', 'attempts']
  .map(
    (table) =>
      `grant select on ${table} to letterhead_system; create policy system_reads on ${table} for select to letterhead_system using (true);`,
  )
  .join('\n');
