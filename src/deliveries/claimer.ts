import { randomUUID } from 'node:crypto';
import { createBatches } from '../platform/batches.ts';
import type { DeliveryJob } from '../platform/queue.ts';
import { inTenant } from '../tenants/scope.ts';
import { type Claim, claimDeliveries, type Supplies } from './claim.ts';
import type { DeliverContext } from './context.ts';
import { insist } from './insist.ts';
import { takeBackAttempts } from './take-back.ts';

/** Takes deliveries into our hands. */
export interface Claimer {
  /**
   * @param supplies what was fetched since the last try
   * @returns undefined where there is nothing to do
   */
  claim(job: DeliveryJob, supplies: Supplies): Promise<Claim | undefined>;
}

/** PDFs of a run are made one after the other; so long each waits for the next, to be kept and claimed together. */
const patienceMs = 100;

interface Wanted {
  readonly deliveryId: string;
  readonly supplies: Supplies;
}

/** Claims deliveries, those of a tenant that come in the same moment in one transaction. */
export function createClaimer(ctx: DeliverContext): Claimer {
  const claimAll = async (tenantId: string, wanted: ReadonlyMap<string, Wanted>): Promise<Map<string, Claim>> => {
    // In a database that was restored, what waits may have been sent: it is held before anything leaves.
    if (!(await ctx.database.isKnown())) return new Map();
    const attemptIds = new Map([...wanted.keys()].map((id) => [id, randomUUID()]));
    const supplies = new Map([...wanted].map(([id, each]) => [id, each.supplies]));
    try {
      return await inTenant(ctx.db, tenantId, (trx) => claimDeliveries(ctx, trx, tenantId, attemptIds, supplies));
    } catch (error) {
      ctx.log.info({ reason: String(error), tenantId, deliveries: wanted.size }, 'deliveries could not be claimed');
      // A connection that breaks in the commit leaves open whether it went through.
      const left = ctx.sendDeadlineMs + ctx.settleMs;
      await insist(ctx, left, () => takeBackAttempts(ctx, tenantId, [...attemptIds.values()]));
      throw error;
    }
  };

  const claims = createBatches(async (tenantId, batch: readonly Wanted[]) => {
    // A delivery with two jobs is sent by one of them: the other finds nothing to do.
    const wanted = new Map(batch.map((each) => [each.deliveryId, each]));
    const claimed = await claimAll(tenantId, wanted);
    return batch.map((each) => (wanted.get(each.deliveryId) === each ? claimed.get(each.deliveryId) : undefined));
  });

  return {
    claim: ({ tenantId, deliveryId }, supplies) =>
      claims.add(tenantId, { deliveryId, supplies }, supplies.file ? patienceMs : 0),
  };
}
