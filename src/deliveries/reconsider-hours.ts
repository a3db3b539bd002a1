import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { wake } from '../platform/wake.ts';
import { moveDeliveries } from './state.ts';

/** How many emails wait, or may come to wait, for the sending hours: all that leave within them alone. */
export async function countForHours(db: Database, tenantId: string): Promise<number> {
  const { count } = await waitsForHours(db, tenantId)
    .select((eb) => eb.fn.countAll<string>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}

function waitsForHours(db: Database, tenantId: string) {
  return db
    .selectFrom('deliveries')
    .where('tenant_id', '=', tenantId)
    .where('any_time', '=', false)
    .where((eb) =>
      eb.or([
        eb.and([eb('state', '=', 'held'), eb('held_reason', '=', 'outside_hours')]),
        eb.and([eb('state', '=', 'queued'), eb('released_at', 'is', null)]),
      ]),
    );
}

/**
 * Lets go of what waits for the sending hours, because these are others now, or the company's clock is. Where they are
 * still not to leave, the pacer does not take them.
 *
 * @returns all that leave within the hours alone: what becomes of them, `prospectOf` tells
 */
export async function reconsiderHours(
  { clock }: { readonly clock: Clock },
  trx: Database,
  tenantId: string,
): Promise<string[]> {
  const rows = await trx
    .selectFrom('deliveries')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('state', '=', 'held')
    .where('held_reason', '=', 'outside_hours')
    .orderBy('id')
    .forNoKeyUpdate()
    .execute();
  const held = rows.map(({ id }) => id);
  const move = { from: 'held', to: 'queued', heldFor: ['outside_hours'] } as const;
  await moveDeliveries(trx, tenantId, held, { ...move, at: clock(), detail: 'The sending hours were changed.' });
  if (held.length > 0) await wake(trx, 'waiting');
  const waiting = await waitsForHours(trx, tenantId).select('id').execute();
  return waiting.map(({ id }) => id);
}
