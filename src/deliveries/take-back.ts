import { sql } from 'kysely';
import { wake } from '../platform/wake.ts';
import { inTenant } from '../tenants/scope.ts';
import type { DeliverContext } from './context.ts';
import { moveDeliveries } from './state.ts';

/**
 * Takes back attempts whose commit may have gone through without our hearing of it: Gmail was not asked in their name,
 * and never will be, so that their deliveries simply wait again. Left alone, each would become a question for a person.
 *
 * @param attemptIds ids that nobody but the failed claim knows
 */
export async function takeBackAttempts(
  ctx: Pick<DeliverContext, 'db' | 'clock'>,
  tenantId: string,
  attemptIds: readonly string[],
): Promise<void> {
  await inTenant(ctx.db, tenantId, async (trx) => {
    const at = ctx.clock();
    const { rows } = await sql<{ id: string }>`
      update attempts set finished_at = ${at}, outcome = 'refused_retry', reason = 'CLAIM_LOST',
        provider_said = 'The database was interrupted before Gmail was asked.', duration_ms = 0
      where tenant_id = ${tenantId} and id = any(${[...attemptIds]}::uuid[]) and finished_at is null
      returning delivery_id as id`.execute(trx);
    if (rows.length === 0) return;
    const ids = rows.map(({ id }) => id);
    const detail = 'The database was interrupted before Gmail was asked. We try again.';
    await moveDeliveries(trx, tenantId, ids, { from: 'sending', to: 'queued', at, detail });
    await wake(trx, 'waiting');
  });
}
