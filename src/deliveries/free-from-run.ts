import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';

/**
 * Somebody decided that these leave: where their run is paused or cancelled, it does not stop them any more. They leave by
 * themselves, as what was never part of a run does.
 *
 * @param trx the transaction of the decision
 */
export async function freeFromRun(trx: Database, tenantId: string, deliveryIds: readonly string[]): Promise<void> {
  if (deliveryIds.length === 0) return;
  await trx
    .updateTable('deliveries')
    .from('runs')
    .set({ lane: 0 })
    .where('deliveries.tenant_id', '=', tenantId)
    .where('deliveries.id', '=', sql<string>`any(${[...deliveryIds]}::uuid[])`)
    .whereRef('runs.id', '=', 'deliveries.run_id')
    .where('runs.state', '<>', 'running')
    .execute();
}
