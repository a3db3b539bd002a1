import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';
import { wake } from '../platform/wake.ts';
import { inTenant } from '../tenants/scope.ts';
import { findDue } from '../tenants/system-queue.ts';
import type { DeliverContext } from './context.ts';
import { moveDeliveries } from './state.ts';

/** A look into Gmail that was begun and brought nothing for so long is begun again. */
const lookLeaseMs = 60_000;

/** Lets go what was held until now, and has looked into what is in doubt. What one tenant's fails at keeps no other's. */
export async function wakeDue(ctx: Pick<DeliverContext, 'db' | 'system' | 'queue' | 'clock' | 'log'>): Promise<void> {
  const now = ctx.clock();
  const due = await findDue(ctx.system, now);
  const byTenant = Map.groupBy(due, ({ tenantId }) => tenantId);
  for (const [tenantId, deliveries] of byTenant) {
    const held = deliveries.filter(({ state }) => state === 'held').map(({ deliveryId }) => deliveryId);
    const inDoubt = deliveries.filter(({ state }) => state !== 'held');
    try {
      await inTenant(ctx.db, tenantId, async (trx) => {
        const detail = 'The wait is over.';
        await moveDeliveries(trx, tenantId, held, { from: 'held', to: 'queued', at: now, detail, dueBy: now });
        const ours = await takeLooks(trx, tenantId, inDoubt, now);
        await ctx.queue.add(trx, 'deliver', ours);
        await wake(trx, 'ready');
      });
    } catch (error) {
      ctx.log.error({ err: error, tenantId }, 'what was due could not be woken');
    }
  }
}

/** Of several processes that find the same ones due, one has them looked into. */
async function takeLooks<Due extends { readonly deliveryId: string }>(
  trx: Database,
  tenantId: string,
  due: readonly Due[],
  now: Date,
): Promise<Due[]> {
  if (due.length === 0) return [];
  const taken = await trx
    .updateTable('deliveries')
    .set({ not_before: new Date(now.getTime() + lookLeaseMs) })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', sql<string>`any(${due.map(({ deliveryId }) => deliveryId)}::uuid[])`)
    .where('state', 'in', ['sending', 'unconfirmed'])
    .where('not_before', '<=', now)
    .returning('id')
    .execute();
  const ids = new Set(taken.map(({ id }) => id));
  return due.filter(({ deliveryId }) => ids.has(deliveryId));
}
