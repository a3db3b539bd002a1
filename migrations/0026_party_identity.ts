import { type Kysely, sql } from 'kysely';

/**
 * Under what a party is found (its tax number, electronic address, email addresses, name with postal address), and
 * which party it was merged into. Keys of parties that are there already are made the simple way; they are made again
 * whenever a party is saved.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table parties
      add column endpoint text,
      add column identity_keys text[] not null default '{}',
      add column merged_into uuid,
      add foreign key (tenant_id, merged_into) references parties (tenant_id, id)`.execute(db);
  const folded = (column: string) =>
    sql.raw(
      `trim(regexp_replace(replace(lower(regexp_replace(normalize(coalesce(${column}, ''), NFKD), '[\\u0300-\\u036f]', '', 'g')), 'ß', 'ss'), '[^[:alnum:]]+', ' ', 'g'))`,
    );
  await sql`
    update parties set identity_keys = array_remove(array[
      'name:' || ${folded('name')},
      'tax:' || nullif(upper(regexp_replace(tax_id, '[^[:alnum:]]', '', 'g')), ''),
      case when email ~ '^[^@,;<>[:space:]]+@[^@,;<>[:space:]]+$' then 'email:' || lower(email) end,
      case when coalesce(street, '') <> '' or coalesce(postal_code, '') <> '' then 'place:' || concat_ws('|',
        ${folded('name')}, ${folded('street')}, ${folded('extra_street')},
        ${folded("regexp_replace(postal_code, '[[:space:]]', '', 'g')")}, ${folded('city')}, coalesce(country, '')) end
    ], null)`.execute(db);
  await sql`create index parties_identity on parties using gin (identity_keys)`.execute(db);
  await sql`
    create table party_merges (
      id uuid primary key default gen_random_uuid(),
      tenant_id uuid not null references tenants on delete cascade,
      kept_id uuid not null,
      gone_id uuid not null,
      -- The records that moved, and the details that the kept one had before and after: what undoing gives back.
      document_ids uuid[] not null,
      details_before jsonb not null,
      details_after jsonb not null,
      member_id uuid,
      at timestamptz not null,
      undone_at timestamptz,
      unique (tenant_id, id),
      foreign key (tenant_id, kept_id) references parties (tenant_id, id),
      foreign key (tenant_id, gone_id) references parties (tenant_id, id),
      foreign key (tenant_id, member_id) references members (tenant_id, id)
    )`.execute(db);
  await sql`create index party_merges_kept on party_merges (tenant_id, kept_id) where undone_at is null`.execute(db);
  await sql`create unique index party_merges_gone on party_merges (tenant_id, gone_id) where undone_at is null`.execute(
    db,
  );
  await sql`
    alter table party_merges enable row level security;
    alter table party_merges force row level security;
    create policy own_tenant on party_merges to letterhead_app
      using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
      with check (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
    create policy migrations on party_merges to current_user using (true) with check (true);
    grant select, insert, update, delete on party_merges to letterhead_app;`.execute(db);
}
