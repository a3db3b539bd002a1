import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';

/**
 * Which database this is, and which it was. A backup that is restored, into another server, another database or by
 * rewinding this one, is another database: what was sent since the backup is not written in it.
 */

/** PostgreSQL's names for the cluster, its timeline, the database and the table of deliveries, as far as it tells them. */
export async function readIdentity(system: Database): Promise<string | null> {
  const known = await mayAsk(system);
  const parts = [
    known.cluster ? sql`(select system_identifier from pg_control_system())::text` : sql`'?'`,
    // The name of the log that is being written begins with the timeline; what the last checkpoint says may be old.
    known.timeline ? sql`left(pg_walfile_name(pg_current_wal_insert_lsn()), 8)` : sql`'?'`,
    sql`(select oid from pg_database where datname = current_database())::text`,
    sql`'deliveries'::regclass::oid::text`,
  ];
  const { rows } = await sql<{ identity: string }>`select concat_ws('/', ${sql.join(parts)}) as identity`.execute(
    system,
  );
  return rows[0]?.identity ?? null;
}

/** Not every server that speaks PostgreSQL has these functions, and some keep them from everybody. */
async function mayAsk(system: Database): Promise<{ cluster: boolean; timeline: boolean }> {
  const { rows } = await sql<{ cluster: boolean; timeline: boolean }>`
    select coalesce(has_function_privilege(to_regprocedure('pg_control_system()'), 'execute'), false) as cluster,
      coalesce(has_function_privilege(to_regprocedure('pg_walfile_name(pg_lsn)'), 'execute')
        and has_function_privilege(to_regprocedure('pg_current_wal_insert_lsn()'), 'execute'), false)
        and not pg_is_in_recovery() as timeline`.execute(system);
  return rows[0] ?? { cluster: false, timeline: false };
}

/** The identity that was written down, and kept from others until the transaction ends; undefined the first time. */
export async function lockRecordedIdentity(trx: Database): Promise<string | undefined> {
  const row = await trx.selectFrom('database_identity').select('identity').forUpdate().executeTakeFirst();
  return row?.identity;
}

/** The identity that was written down. */
export async function readRecordedIdentity(system: Database): Promise<string | undefined> {
  const row = await system.selectFrom('database_identity').select('identity').executeTakeFirst();
  return row?.identity;
}

/** Writes down that this is the database. */
export async function recordIdentity(trx: Database, identity: string, now: Date): Promise<void> {
  await trx
    .insertInto('database_identity')
    .values({ identity, recorded_at: now })
    .onConflict((conflict) => conflict.column('only_row').doUpdateSet({ identity, recorded_at: now }))
    .execute();
}

/** Writes down when a restore was noticed. */
export async function recordRestore(trx: Database, now: Date): Promise<void> {
  await trx.updateTable('database_identity').set({ restored_at: now }).execute();
}

/** When the last restore was noticed; null where none was. */
export async function readRestore(system: Database): Promise<Date | null> {
  const row = await system.selectFrom('database_identity').select('restored_at').executeTakeFirst();
  return row?.restored_at ?? null;
}

/** What waits, over all tenants, as a restore sees it. */
export interface UnsentCounts {
  /** Would be held by a restore. */
  readonly waiting: number;
  /** Handed to Gmail, and nobody knows what came of it. */
  readonly inDoubt: number;
  /** Held for the last restore. */
  readonly held: number;
  /** Of these, what was queued before. */
  readonly heldFromQueue: number;
  /** Held for a restore before that one. */
  readonly heldBefore: number;
}

/** Counts it. @param restoredAt the last restore, as of {@link readRestore} */
export async function countUnsent(system: Database, restoredAt: Date | null): Promise<UnsentCounts> {
  const restored = sql`state = 'held' and held_reason = 'restored'`;
  const last = sql`${restored} and (${restoredAt}::timestamptz is null or state_at >= ${restoredAt})`;
  const { rows } = await sql<UnsentCounts>`
    select count(*) filter (where state = 'queued' or (state = 'held' and held_reason <> 'restored'))::int as waiting,
      count(*) filter (where state in ('sending', 'unconfirmed'))::int as "inDoubt",
      count(*) filter (where ${last})::int as held,
      count(*) filter (where ${last} and interrupted_reason is null
        and (scheduled_for is null or scheduled_for <= now()))::int as "heldFromQueue",
      count(*) filter (where ${restored} and state_at < ${restoredAt})::int as "heldBefore"
    from deliveries where state in ('queued', 'sending', 'held', 'unconfirmed')`.execute(system);
  return rows[0] ?? { waiting: 0, inDoubt: 0, held: 0, heldFromQueue: 0, heldBefore: 0 };
}

/** The tenants that have deliveries which had not left, are in doubt, or are held after a restore. */
export async function findTenantsWithUnsent(system: Database): Promise<string[]> {
  const rows = await system
    .selectFrom('deliveries')
    .select('tenant_id')
    .distinct()
    .where('state', 'in', ['queued', 'sending', 'held', 'unconfirmed'])
    .execute();
  return rows.map(({ tenant_id }) => tenant_id);
}
