import { sql } from 'kysely';
import { providerOf } from '../platform/account.ts';
import type { Database } from '../platform/database.ts';
import { wake } from '../platform/wake.ts';
import { inTenant } from '../tenants/scope.ts';
import { type Due, findDue, findToLookFor, readAccounts } from '../tenants/system-queue.ts';
import { limitsOf } from '../transport/transports.ts';
import { answered, isAnswer } from './answers.ts';
import { concludeAnswers } from './conclude-answers.ts';
import type { DeliverContext } from './context.ts';
import { allowedNow } from './pacing.ts';
import { lockDeliveries, moveDeliveries } from './state.ts';

/** What waking needs. */
export type DueContext = Pick<DeliverContext, 'db' | 'system' | 'queue' | 'clock' | 'log' | 'pace'>;

/** A look into Gmail that was begun and brought nothing for so long is begun again. */
const lookLeaseMs = 60_000;
/** The same of clearing up, whose job is tried again by itself meanwhile. */
const clearUpLeaseMs = 3_600_000;

/**
 * Lets go what was held until now, has looked into what is in doubt, and cleared up after what ended without being sent.
 * What one tenant's fails at keeps no other's.
 */
export async function wakeDue(ctx: DueContext): Promise<void> {
  const now = ctx.clock();
  const due = [...(await findDue(ctx.system, now)), ...(await findLooks(ctx, now))];
  const byTenant = Map.groupBy(due, ({ tenantId }) => tenantId);
  for (const [tenantId, deliveries] of byTenant) {
    const restored = deliveries.filter(({ heldReason }) => heldReason === 'restored');
    const answers = deliveries.filter(({ state, heldReason }) => state === 'held' && isAnswer(heldReason));
    const held = deliveries
      .filter(({ state, heldReason }) => state === 'held' && heldReason !== 'restored' && !isAnswer(heldReason))
      .map(({ deliveryId }) => deliveryId);
    const others = deliveries.filter(({ state }) => state !== 'held');
    const ended = others.filter(({ state }) => state === 'failed' || state === 'cancelled');
    const inDoubt = others.filter((each) => !ended.includes(each));
    try {
      await inTenant(ctx.db, tenantId, async (trx) => {
        await lockDeliveries(
          trx,
          tenantId,
          deliveries.map(({ deliveryId }) => deliveryId),
        );
        const detail = 'The wait is over.';
        // What it is held for may have changed since it was found due.
        const notHeldFor = ['restored', ...answered] as const;
        const move = { from: 'held', to: 'queued', at: now, detail, dueBy: now, notHeldFor } as const;
        await moveDeliveries(trx, tenantId, held, move);
        await concludeAnswers(trx, ctx.clock, tenantId, answers);
        await ctx.queue.add(trx, 'deliver', await take(trx, tenantId, [...inDoubt, ...restored], now, lookLeaseMs));
        await ctx.queue.add(trx, 'after', await take(trx, tenantId, ended, now, clearUpLeaseMs));
        await wake(trx, 'ready');
        if (ended.length > 0) await wake(trx, 'finished');
      });
    } catch (error) {
      ctx.log.error({ err: error, tenantId }, 'what was due could not be woken');
    }
  }
}

/** So many looks of an account are begun in a round: should thousands be due, after a restore, sends are not behind them. */
const looksOfEach = 10;

/** What is to be looked for now, of accounts whose rate has room for it. */
async function findLooks({ system, pace }: DueContext, now: Date): Promise<Due[]> {
  const due = await findToLookFor(system, now, pace.unitsPerMinute === null ? 500 : looksOfEach);
  const accounts = await readAccounts(system, [...new Set(due.map(({ account }) => account))]);
  return due.filter(({ account }) => {
    const state = accounts.get(account);
    if (!state) return true;
    if (state.blockedReason === 'rate' && state.blockedUntil && state.blockedUntil > now) return false;
    // Only where there is room for a send as well: so neither keeps the other from its turn.
    const { roomForLooks } = limitsOf(providerOf(account));
    return allowedNow(state.paidUntil, pace.unitsPerMinute, roomForLooks, now) > 0;
  });
}

/** Of several processes that find the same ones due, one takes them. @returns those that are ours */
async function take(trx: Database, tenantId: string, due: readonly Due[], now: Date, leaseMs: number): Promise<Due[]> {
  if (due.length === 0) return [];
  const taken = await trx
    .updateTable('deliveries')
    .set({ not_before: new Date(now.getTime() + leaseMs) })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', sql<string>`any(${due.map(({ deliveryId }) => deliveryId)}::uuid[])`)
    .where('state', 'in', [...new Set(due.map(({ state }) => state))])
    .where('not_before', '<=', now)
    .returning('id')
    .execute();
  const ids = new Set(taken.map(({ id }) => id));
  return due.filter(({ deliveryId }) => ids.has(deliveryId));
}
