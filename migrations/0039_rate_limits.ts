import { type Kysely, sql } from 'kysely';

/**
 * Counters of what somebody does, by hashed subject: an address, a person, a company. The three columns are those that
 * rate-limiter-flexible writes. Unlogged: after a crash everybody begins at nothing, and a count costs no log.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create unlogged table rate_limits (
    key text primary key,
    points integer not null default 0,
    expire bigint
  )`.execute(db);
  await sql`create index rate_limits_expire on rate_limits (expire)`.execute(db);
  await sql`grant select, insert, update, delete on rate_limits to letterhead_app`.execute(db);
}
