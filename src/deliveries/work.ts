import type { Database } from '../platform/database.ts';
import { inTenant } from '../tenants/scope.ts';
import { findForgottenDeliveries } from '../tenants/system.ts';
import type { DeliverContext } from './context.ts';
import { deliver } from './deliver.ts';

/** How often to look for deliveries whose job was lost, and how long they lie untouched before that. */
const sweepEveryMs = 15_000;
const forgottenAfterMs = 60_000;

/**
 * Starts working off deliveries in this process.
 *
 * @returns stops the sweep; running deliveries are finished by the queue's own stop
 */
export async function startDelivering(
  ctx: DeliverContext & { readonly system: Database },
  concurrency: number,
): Promise<() => void> {
  await ctx.queue.workDeliveries(concurrency, (job) => deliver(ctx, job));
  const sweep = () =>
    requeueForgotten(ctx).catch((error) => ctx.log.error({ err: error }, 'sweep of forgotten deliveries'));
  const timer = setInterval(sweep, sweepEveryMs);
  void sweep();
  return () => clearInterval(timer);
}

/**
 * Gives a job back to deliveries that have none: a net below the queue, which by itself runs the job of a
 * dead worker again. A second job for the same delivery does no harm.
 */
async function requeueForgotten(ctx: DeliverContext & { readonly system: Database }): Promise<void> {
  const forgotten = await findForgottenDeliveries(ctx.system, new Date(Date.now() - forgottenAfterMs), 500);
  for (const job of forgotten) {
    await inTenant(ctx.db, job.tenantId, (trx) => ctx.queue.ensureDelivery(trx, job));
  }
}
