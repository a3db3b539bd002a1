import { createBatches } from '../platform/batches.ts';
import type { SendResult } from '../transport/transport.ts';
import type { DeliverContext } from './context.ts';
import { type Settling, settleAttempt, settleSent } from './settle.ts';

/** Writes results down. */
export interface Settler {
  /** @throws when it could not be written; it can be tried again */
  settle(tenantId: string, settling: Settling, result: SendResult): Promise<void>;
}

type Sent = Parameters<typeof settleSent>[2][number];

/**
 * Writes results down, those of a tenant that come in the same moment in one transaction. Whatever is not plainly
 * accepted is written by itself.
 */
export function createSettler(ctx: DeliverContext): Settler {
  const written = createBatches(async (tenantId, batch: readonly Sent[]) => {
    const left = new Set(await settleSent(ctx, tenantId, batch));
    return batch.map(({ settling }) => !left.has(settling.delivery.id));
  });

  return {
    async settle(tenantId, settling, result) {
      if (result.kind === 'sent' && (await written.add(tenantId, { settling, sent: result.sent }))) return;
      await settleAttempt(ctx, tenantId, settling, result);
    },
  };
}
