import { type Kysely, sql } from 'kysely';

/**
 * Whether somebody said that an email leaves although its record is paid: until then it is asked about, whatever brought
 * the email back to the queue. What waits now was asked about when it was written, or when its record was marked as paid.
 *
 * And who took a member out of the company: what is said of one who left is not what is said of one who was removed.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(`
    alter table deliveries add column though_paid boolean not null default false;
    comment on column deliveries.though_paid is 'Somebody said that it leaves although its record is paid.';
    update deliveries set though_paid = true from documents
    where documents.id = deliveries.document_id and documents.status = 'paid' and deliveries.state in ('queued', 'held')
      and deliveries.held_reason is distinct from 'restored'
      and deliveries.held_reason is distinct from 'found' and deliveries.held_reason is distinct from 'not_found';
    alter table members add column removed_by uuid;
    alter table members add foreign key (tenant_id, removed_by) references members (tenant_id, id);
    comment on column members.removed_by is 'Who took them out of the company; they themselves where they left.';
    update members set removed_by = (select rights_changes.member_id from rights_changes
      where rights_changes.tenant_id = members.tenant_id and change ->> 'kind' = 'member_removed'
        and change #>> '{of,email}' = members.email order by rights_changes.id desc limit 1)
    where removed_at is not null;
  `)
    .execute(db);
}
