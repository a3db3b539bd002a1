import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';

/**
 * What crosses tenants about the queues: which jobs fail again and again. As in `system.ts`, these run on the cross-tenant
 * pool. A job holds ids only, so nothing of a tenant's is read.
 */

/** A job that failed and will run again. */
export interface FailingJob {
  readonly id: string;
  readonly queue: string;
  readonly tenantId: string;
  readonly deliveryId: string;
  readonly failures: number;
  /** The name and code of the last error; null where its worker died. */
  readonly error: string | null;
  readonly since: Date;
}

/** The jobs that failed at least so often, not counting those whose worker died at last; most failures first. */
export async function findFailingJobs(system: Database, atLeast: number, limit: number): Promise<FailingJob[]> {
  const { rows } = await sql<FailingJob>`
    select id, name as queue, data ->> 'tenantId' as "tenantId", data ->> 'deliveryId' as "deliveryId",
      retry_count as failures, output ->> 'error' as error, created_on as since
    from pgboss.job where state in ('retry', 'active') and retry_count >= ${atLeast} and output ? 'error'
    order by retry_count desc limit ${limit}`.execute(system);
  return rows;
}

/** Takes a job out of its queue, if it waits to run again. */
export async function dropJob(system: Database, id: string): Promise<void> {
  await sql`delete from pgboss.job where id = ${id} and state = 'retry'`.execute(system);
}

/** How many deliveries are held because working on them failed again and again, and since when; for the operator. */
export async function countStuck(system: Database): Promise<{ readonly count: number; readonly since: Date | null }> {
  const { count, since } = await system
    .selectFrom('deliveries')
    .select(({ fn }) => [fn.countAll<string>().as('count'), fn.min('state_at').as('since')])
    .where('state', '=', 'held')
    .where('held_reason', '=', 'stuck')
    .executeTakeFirstOrThrow();
  return { count: Number(count), since };
}
