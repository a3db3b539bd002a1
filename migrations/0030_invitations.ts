import { type Kysely, sql } from 'kysely';

/**
 * Invitations are accepted or declined, for a while only. What tells one mailbox from another is a key of its own beside
 * the address as it was written; the link that is mailed is known by its digest alone.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(`
    alter type delivery_purpose add value if not exists 'invitation';

    alter table invitations
      add column address_key text,
      add column token_digest text unique,
      add column expires_at timestamptz not null default now() + interval '14 days',
      add column declined_at timestamptz;
    comment on column invitations.address_key is 'See addressKey in src/tenants/address-key.ts.';
    comment on column invitations.token_digest is 'SHA-256 of what the mailed link carries, in hex; null where nothing was mailed or handed over.';

    -- As src/tenants/address-key.ts has it, for what is there already.
    update invitations set address_key = case
      when lower(email) ~ '@(gmail|googlemail)[.]com$' and lower(email) !~ '^[+.]'
        then replace(regexp_replace(split_part(lower(email), '@', 1), '[+].*$', ''), '.', '') || '@gmail.com'
      else lower(email) end;
    alter table invitations alter column address_key set not null;

    drop index invitations_open;
    drop index invitations_email;
    -- Two open ones to one mailbox, differently written: the newer one stands.
    delete from invitations older using invitations newer
      where older.tenant_id = newer.tenant_id and older.address_key = newer.address_key
        and older.accepted_at is null and newer.accepted_at is null
        and (older.created_at, older.id) < (newer.created_at, newer.id);
    create unique index invitations_open on invitations (tenant_id, address_key)
      where accepted_at is null and declined_at is null;
    create index invitations_address on invitations (address_key) where accepted_at is null and declined_at is null;
  `)
    .execute(db);
}
