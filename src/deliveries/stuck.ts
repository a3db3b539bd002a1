import type { Database } from '../platform/database.ts';
import { inTenant } from '../tenants/scope.ts';
import { dropJob, type FailingJob, findFailingJobs } from '../tenants/system-jobs.ts';
import type { DeliverContext } from './context.ts';
import { moveDelivery } from './state.ts';

/** After so many failures in a row (some four minutes) it is no accident any more. */
export const failuresBeforeStuck = 8;
/** Nobody is asked about one whose look fails before it could have succeeded for so long. */
const patienceMs = 3_600_000;
const pageSize = 200;

type Context = Pick<DeliverContext, 'db' | 'system' | 'clock' | 'log' | 'settleMs'>;

/**
 * Ends the silence about deliveries whose job fails again and again, by a fault of ours: one that has not left is held for
 * a person, one that may have left becomes a question. Whoever runs Letterhead is told in the log, and by `troubles`.
 *
 * @returns how many it moved
 */
export async function holdStuck(ctx: Context): Promise<number> {
  let moved = 0;
  for (const job of await findFailingJobs(ctx.system, failuresBeforeStuck, pageSize)) {
    if (job.queue !== 'deliver') continue;
    const what = await inTenant(ctx.db, job.tenantId, (trx) => giveUp(ctx, trx, job));
    if (what !== 'wait') await dropJob(ctx.system, job.id);
    if (what !== 'moved') continue;
    moved += 1;
    const { tenantId, deliveryId, failures, error } = job;
    ctx.log.error(
      { tenantId, deliveryId, failures, reason: error },
      'a delivery is stuck: working on it fails each time',
    );
  }
  return moved;
}

async function giveUp(
  { clock, settleMs }: Context,
  trx: Database,
  { tenantId, deliveryId }: FailingJob,
): Promise<'moved' | 'over' | 'wait'> {
  const at = clock();
  const detail = 'Handing it to Gmail failed again and again, by a fault of ours. It was not sent.';
  const held = { from: 'queued', to: 'held', heldReason: 'stuck', at, detail } as const;
  if (await moveDelivery(trx, tenantId, deliveryId, held)) return 'moved';
  const latest = await trx
    .selectFrom('attempts')
    .innerJoin('deliveries', 'deliveries.id', 'attempts.delivery_id')
    .select(['attempts.id', 'deadline'])
    .where('deliveries.tenant_id', '=', tenantId)
    .where('deliveries.id', '=', deliveryId)
    .where('deliveries.state', '=', 'sending')
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst();
  // It has moved on, or was held by another of its jobs.
  if (!latest) return 'over';
  if (at.getTime() < latest.deadline.getTime() + settleMs + patienceMs) return 'wait';
  const maybe = 'Gmail may have sent it, and looking for it fails by a fault of ours. Look in Gmail’s Sent folder.';
  const unsure = { from: 'sending', to: 'unconfirmed', at, detail: maybe } as const;
  if (!(await moveDelivery(trx, tenantId, deliveryId, unsure))) return 'over';
  await trx
    .updateTable('attempts')
    .set({ finished_at: at, outcome: 'unknown', reason: 'STUCK', provider_said: 'Looking for it failed.' })
    .where('id', '=', latest.id)
    .where('finished_at', 'is', null)
    .execute();
  return 'moved';
}
