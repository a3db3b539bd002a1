import { type Kysely, sql } from 'kysely';

/** How a member reads numbers and dates: `en-DE`. Null: as the company's country writes them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(schema).execute(db);
}

const schema = `
alter table members add column locale text check (locale ~ '^en-[A-Z]{2}$');
`;
