import { type Kysely, sql } from 'kysely';

/**
 * The account that is paced is named by its provider and the provider's own id for it (`gmail:1234…`), so that another
 * provider's never stands for it. What is true of a provider as a whole is kept under its bare name (`gmail`). What a
 * provider gave or said is named so, whichever it is.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table mailboxes add column account text not null
    generated always as (case provider when 'gmail' then 'gmail:' || google_sub end) stored`.execute(db);
  await sql`drop index mailboxes_google`.execute(db);
  await sql`create index mailboxes_paced on mailboxes (account)`.execute(db);
  await sql`alter table deliveries rename column gmail_message_id to provider_message_id`.execute(db);
  await sql`alter table deliveries rename column gmail_thread_id to provider_thread_id`.execute(db);
  await sql`alter table attempts rename column gmail_message to provider_said`.execute(db);
  await sql`update deliveries set account = 'gmail:' || account`.execute(db);
  await sql`alter table deliveries add constraint deliveries_account_names_provider check (account like 'gmail:_%')`.execute(
    db,
  );
  await sql`update sending_accounts set account = 'gmail' || case account when '' then '' else ':' || account end`.execute(
    db,
  );
}
