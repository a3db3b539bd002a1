import { type Kysely, sql } from 'kysely';

/** Which company somebody looked at last: after the next sign-in they are there again. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(`
    alter table people add column last_tenant_id uuid references tenants on delete set null;
    comment on column people.last_tenant_id is 'The company they switched to, founded or joined last; it may not be theirs any more.';
  `)
    .execute(db);
}
