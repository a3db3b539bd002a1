import { type Kysely, sql } from 'kysely';

/**
 * A draft has no number until it is finalised, so that one that is thrown away leaves no gap. Lists put records of one day
 * in the order of their numbers as people read them: 9 before 10.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(schema).execute(db);
}

const schema = `
create collation natural_order (provider = icu, locale = 'en-u-kn-true');

alter table documents
  alter column number drop not null,
  add constraint documents_numbered check (number is not null or status = 'draft');

drop index documents_list;
drop index documents_newest;
create index documents_list on documents
  (tenant_id, kind, issue_date desc, (coalesce(number, '') collate natural_order), id);
create index documents_by_day on documents (tenant_id, issue_date desc, (coalesce(number, '') collate natural_order), id);
create index documents_newest on documents (tenant_id, created_at desc, id desc);

-- What it was held for, so that a timeline says “Scheduled” where somebody chose a time.
alter table delivery_events add column held_reason text;
`;
