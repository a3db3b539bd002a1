import type { DeliverContext } from './context.ts';
import { type Settling, settleAttempt, settleSent } from './settle.ts';
import type { AttemptResult } from './transmit.ts';

/** Writes results down. */
export interface Settler {
  /** @throws when it could not be written; it can be tried again */
  settle(tenantId: string, settling: Settling, result: AttemptResult): Promise<void>;
}

type Waiting = {
  readonly settling: Settling;
  readonly result: Extract<AttemptResult, { kind: 'sent' }>;
  readonly written: () => void;
  readonly failed: (error: unknown) => void;
};

/**
 * Puts together what arrives in the same moment: while one transaction of a tenant is under way, the next collects what
 * comes meanwhile. A single result is written at once; of a run's, dozens share a commit. Whatever is not plainly
 * accepted, or fails among others, is written by itself.
 */
export function createSettler(ctx: DeliverContext): Settler {
  const waiting = new Map<string, Waiting[]>();

  const alone = (tenantId: string, { settling, result, written, failed }: Waiting) =>
    settleAttempt(ctx, tenantId, settling, result).then(written, failed);

  const flush = async (tenantId: string) => {
    for (let batch = waiting.get(tenantId); batch && batch.length > 0; batch = waiting.get(tenantId)) {
      waiting.set(tenantId, []);
      try {
        const sent = batch.map(({ settling, result }) => ({ settling, sent: result.sent }));
        const left = new Set(await settleSent(ctx, tenantId, sent));
        for (const each of batch) {
          if (left.has(each.settling.delivery.id)) void alone(tenantId, each);
          else each.written();
        }
      } catch {
        await Promise.all(batch.map((each) => alone(tenantId, each)));
      }
    }
    waiting.delete(tenantId);
  };

  return {
    settle(tenantId, settling, result) {
      if (result.kind !== 'sent') return settleAttempt(ctx, tenantId, settling, result);
      return new Promise((written, failed) => {
        const batch = waiting.get(tenantId);
        const entry = { settling, result, written, failed };
        if (batch) {
          batch.push(entry);
        } else {
          waiting.set(tenantId, [entry]);
          void flush(tenantId);
        }
      });
    },
  };
}
