import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';

/** What is done now and then by one process for all, and what it finds. On the cross-tenant pool, as in `system.ts`. */

/**
 * Takes a chore that is due.
 *
 * @returns false where it was begun less than `everyMs` ago, by whatever process
 */
export async function takeChore(system: Database, name: string, everyMs: number, now: Date): Promise<boolean> {
  const { rows } = await sql`
    insert into chores (name, begun_at) values (${name}, ${now})
    on conflict (name) do update set begun_at = excluded.begun_at
      where chores.begun_at <= ${new Date(now.getTime() - everyMs)} or chores.begun_at > ${now}
    returning name`.execute(system);
  return rows.length > 0;
}

/**
 * Attempts that tell nothing any more: Gmail, or we, refused them for the time being, the delivery went on to another
 * attempt, and it has been finished since a moment. Oldest first.
 */
export async function findOldAttempts(
  system: Database,
  finishedBefore: Date,
  limit: number,
): Promise<{ id: string; tenantId: string }[]> {
  const { rows } = await sql<{ id: string; tenantId: string }>`
    select attempts.id, attempts.tenant_id as "tenantId" from attempts
    join deliveries on deliveries.id = attempts.delivery_id
    where attempts.outcome = 'refused_retry' and attempts.finished_at < ${finishedBefore}
      and deliveries.state in ('sent', 'failed', 'cancelled') and deliveries.state_at < ${finishedBefore}
      and exists (select from attempts later
        where later.delivery_id = attempts.delivery_id and later.number > attempts.number)
    order by attempts.finished_at limit ${limit}`.execute(system);
  return rows;
}
