import { type Kysely, sql } from 'kysely';

/**
 * Which key seals which token, as columns that PostgreSQL itself reads from the envelopes
 * (`src/platform/key-ring.ts`: version, length of the id, id, …). So they can never disagree with the tokens,
 * and `letterhead_system` may read them, and only them: no token, no scope, no client.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(`
    alter table grants
      add column refresh_key_id text generated always as (${keyIdOf('refresh_token')}) stored,
      add column access_key_id text generated always as (${keyIdOf('access_token')}) stored;
    grant select (mailbox_id, tenant_id, refresh_key_id, access_key_id) on grants to letterhead_system;
    create policy system_reads on grants for select to letterhead_system using (true);
  `)
    .execute(db);
}

/** Null where there is no token, and empty where what stands there is no envelope. */
function keyIdOf(column: string): string {
  return `case when ${column} is null then null
               when length(${column}) > 2 then encode(substring(${column} from 3 for get_byte(${column}, 1)), 'escape')
               else '' end`;
}
