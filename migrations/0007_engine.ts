import { type Kysely, sql } from 'kysely';

/**
 * What the delivery engine needs to pace, to retry safely and to prove: the Google account whose limits a delivery
 * counts against, when it was given a job, its draft, and what Gmail really used.
 *
 * `not_before` is when a delivery is to be looked at again, in every state that ends by time: `queued` (a retry),
 * `held` (its reason passes), `sending` (its outcome can be looked into), `unconfirmed` (we can look once more).
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(schema).execute(db);
}

const schema = `
-- Limits at Google are an account's, whoever sends through it: two tenants that connected the same account share them.
-- The empty account stands for the whole of our project at Google.
create table sending_accounts (
  account text primary key,
  -- When the rate that was used so far will be paid for (GCRA's theoretical arrival time).
  paid_until timestamptz not null default 'epoch',
  blocked_until timestamptz,
  blocked_reason text check (blocked_reason in ('rate', 'sending_limit', 'trouble')),
  -- Outcomes unknown in a row, over all tenants.
  unknown_in_a_row integer not null default 0,
  -- The one delivery that may be tried while the account is blocked for trouble.
  probe_id uuid,
  check ((blocked_until is null) = (blocked_reason is null))
);
grant select, insert, update on sending_accounts to letterhead_system;
grant select on sending_accounts to letterhead_app;

alter table mailboxes add column daily_limit integer check (daily_limit between 1 and 100000);

alter table deliveries
  add column account text not null default '',
  -- 0: somebody waits for it; 1: one of many. The lower lane goes first.
  add column lane smallint not null default 0,
  add column released_at timestamptz,
  add column draft_id text,
  add column draft_message_id text,
  add column sent_from text,
  add column sent_message_id text,
  add column proven_at timestamptz;
update deliveries set account = mailboxes.google_sub from mailboxes where mailboxes.id = deliveries.mailbox_id;
alter table deliveries alter column account drop default;

drop index deliveries_unfinished;
create index deliveries_waiting on deliveries (account, lane, created_at, id) where state = 'queued' and released_at is null;
create index deliveries_under_way on deliveries (account) where state in ('queued', 'sending') and released_at is not null;
create index deliveries_due on deliveries (not_before) where not_before is not null and state in ('held', 'sending', 'unconfirmed');
create index deliveries_sent on deliveries (account, sent_at) where sent_at is not null;

alter table attempts
  add column via text not null default 'message' check (via in ('message', 'draft')),
  -- For a draft: when the send itself was about to go out. Before that nothing can have been sent.
  add column send_begun_at timestamptz;
create index attempts_finished on attempts (finished_at) where finished_at is not null;

-- The pacer gives deliveries their jobs, for all tenants at once: it may write that, and nothing else of a delivery.
grant update (released_at) on deliveries to letterhead_system;
create policy system_releases on deliveries for update to letterhead_system using (true) with check (true);
`;
