import { type Kysely, sql } from 'kysely';

/**
 * Who may use which mailbox, and how a member's life in a company goes on and ends.
 *
 * A shared mailbox is for everybody until an admin narrows it; then it is for those in `mailbox_members`, who are kept
 * while it is for everybody again. A member who was removed keeps the row: what they wrote and sent stays under their
 * name, and an invitation takes them back in.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(`
    alter table mailboxes add column for_everybody boolean not null default true;

    create table mailbox_members (
      tenant_id uuid not null references tenants on delete cascade,
      mailbox_id uuid not null,
      member_id uuid not null,
      given_at timestamptz not null default now(),
      primary key (mailbox_id, member_id),
      foreign key (tenant_id, mailbox_id) references mailboxes (tenant_id, id) on delete cascade,
      foreign key (tenant_id, member_id) references members (tenant_id, id) on delete cascade
    );
    create index mailbox_members_member on mailbox_members (tenant_id, member_id);
    alter table mailbox_members enable row level security;
    alter table mailbox_members force row level security;
    create policy own_tenant on mailbox_members to letterhead_app
      using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
      with check (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
    create policy migrations on mailbox_members to current_user using (true) with check (true);
    grant select, insert, update, delete on mailbox_members to letterhead_app;

    -- The mailbox that a member chose as their own default, and when they were removed.
    alter table members
      add column default_mailbox_id uuid,
      add column removed_at timestamptz,
      add foreign key (tenant_id, default_mailbox_id) references mailboxes (tenant_id, id)
        on delete set null (default_mailbox_id);
    create index members_list on members (tenant_id, name, id) where removed_at is null;

    -- Whether the default mailbox stands in for members without an address of their own, with replies to them.
    alter table tenants add column default_stands_in boolean not null default false;

    -- What a member has not sent yet is held when they may not send it any more.
    create index deliveries_waiting_member on deliveries (tenant_id, member_id) where state in ('queued', 'held');
  `)
    .execute(db);
}
