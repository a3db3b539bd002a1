import type { Database } from '../../platform/database.ts';
import type { DeliveryState } from '../../platform/database-types.ts';
import type { HeldReason } from '../state.ts';

/** Which deliveries of a run. */
export interface Taken {
  readonly state: DeliveryState;
  readonly heldReason?: HeldReason;
  /** In this state since then or longer. */
  readonly until?: Date;
}

/** The ids of a run's deliveries that stand so, locked; without those that were replaced by another. */
export async function takeDeliveries(
  trx: Database,
  { tenantId, runId }: { readonly tenantId: string; readonly runId: string },
  { state, heldReason, until }: Taken,
): Promise<string[]> {
  let query = trx
    .selectFrom('deliveries')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('run_id', '=', runId)
    .where('state', '=', state)
    .where('replaced_by', 'is', null)
    .orderBy('id')
    .forUpdate();
  // One that a worker is just beginning with is stopped by its claim, or leaves. Of the held ones none may be left out.
  if (state === 'queued') query = query.skipLocked();
  if (until) query = query.where('state_at', '<=', until);
  if (heldReason) query = query.where('held_reason', '=', heldReason);
  return (await query.execute()).map(({ id }) => id);
}
