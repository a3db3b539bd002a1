import { sql } from 'kysely';
import { endMailbox } from '../mailboxes/health.ts';
import { distrustSendAs } from '../mailboxes/send-as.ts';
import type { Database } from '../platform/database.ts';
import type { AttemptOutcome } from '../platform/database-types.ts';
import { wake } from '../platform/wake.ts';
import { inTenant } from '../tenants/scope.ts';
import type { Outcome } from '../transport/outcome.ts';
import type { SendResult, SentIds } from '../transport/transport.ts';
import type { OpenAttempt } from './attempt.ts';
import type { Claimed } from './claim.ts';
import type { DeliverContext } from './context.ts';
import { connectedSince } from './cut-off.ts';
import { moveDelivery, writeEvent } from './state.ts';
import { transportOf } from './transport-of.ts';

/** What is to be settled. */
export type Settling = Omit<Claimed, 'permit'>;

/**
 * Writes down at once what many attempts of a tenant brought, all of them that Gmail accepted the email: the common
 * case, in two statements however many they are.
 *
 * @returns the ids of deliveries that were no longer in `sending`: they are left to {@link settleAttempt}
 */
export async function settleSent(
  ctx: DeliverContext,
  tenantId: string,
  settled: readonly { readonly settling: Settling; readonly sent: SentIds }[],
): Promise<string[]> {
  const at = ctx.clock();
  return inTenant(ctx.db, tenantId, async (trx) => {
    const { rows } = await sql<{ id: string }>`
      with result as (
        select * from unnest(${settled.map(({ settling }) => settling.delivery.id)}::uuid[],
          ${settled.map(({ settling }) => settling.attempt.id)}::uuid[], ${settled.map(({ sent }) => sent.messageId)}::text[],
          ${settled.map(({ sent }) => sent.threadId)}::text[]) as result (delivery_id, attempt_id, message_id, thread_id)
      ), moved as (
        update deliveries set state = 'sent', state_at = ${at}, sent_at = ${at}, not_before = null, released_at = null,
          provider_message_id = result.message_id, provider_thread_id = result.thread_id
        from result where deliveries.tenant_id = ${tenantId} and deliveries.id = result.delivery_id and state = 'sending'
        returning deliveries.id, from_email, result.attempt_id
      ), closed as (
        update attempts set finished_at = ${at}, outcome = 'sent', http_status = 200,
          duration_ms = extract(epoch from ${at}::timestamptz - started_at) * 1000
        from moved where attempts.id = moved.attempt_id
      )
      insert into delivery_events (tenant_id, delivery_id, at, state, detail)
      select ${tenantId}, id, ${at}, 'sent', 'Gmail accepted it from ' || from_email || '.' from moved
      returning delivery_id as id`.execute(trx);
    const done = new Set(rows.map(({ id }) => id));
    const jobs = settled.flatMap(({ settling: { delivery, attempt, via, tracking } }) =>
      (tracking || mayLeaveDraft({ via, attempt })) && done.has(delivery.id)
        ? [{ tenantId, deliveryId: delivery.id, account: delivery.account, lane: delivery.lane }]
        : [],
    );
    await ctx.queue.add(trx, 'after', jobs);
    return settled.map(({ settling }) => settling.delivery.id).filter((id) => !done.has(id));
  });
}

/**
 * Writes down what an attempt brought, and moves the delivery accordingly, in one transaction.
 *
 * An unknown outcome leaves it in `sending` until the deadline and the settle time have passed: until then
 * a request may still be at work inside Google, and asking a person would be too early.
 */
export async function settleAttempt(
  ctx: DeliverContext,
  tenantId: string,
  { delivery, attempt, via, tracking }: Settling,
  result: SendResult,
): Promise<void> {
  const at = ctx.clock();
  const { id: deliveryId, account, lane } = delivery;
  await inTenant(ctx.db, tenantId, async (trx) => {
    const ours = await closeAttempt(trx, attempt, result, at);
    if (result.kind === 'sent') {
      const detail = `Gmail accepted it from ${delivery.email.from.email}.`;
      // This process may have slept past the settle time, and others decided meanwhile: Gmail's own word ends that.
      for (const from of ['sending', 'unconfirmed', 'queued', 'held', 'cancelled', 'failed'] as const) {
        if (await moveDelivery(trx, tenantId, deliveryId, { from, to: 'sent', at, detail, sent: result.sent })) break;
      }
      if (tracking || mayLeaveDraft({ via, attempt }))
        await ctx.queue.add(trx, 'after', [{ tenantId, deliveryId, account, lane }]);
      return;
    }
    // Given up meanwhile by others, who went on from what Gmail showed them: it may be under way in another attempt.
    if (!ours) return;
    const { outcome } = result;
    const move = { from: 'sending', at, detail: outcome.words } as const;
    switch (outcome.kind) {
      case 'retry':
        if (outcome.newPermit) await transportOf(ctx, delivery.provider).dropPermit(trx, tenantId, delivery.mailboxId);
        await moveDelivery(trx, tenantId, deliveryId, { ...move, to: 'queued', notBefore: outcome.at });
        if (outcome.at <= at) await wake(trx, 'waiting');
        return;
      case 'hold':
        if (outcome.reconnect) {
          // The refused permit is not the one that the mailbox has by now.
          if (await connectedSince(trx, tenantId, delivery.mailboxId, attempt.startedAt)) {
            await moveDelivery(trx, tenantId, deliveryId, { ...move, to: 'queued' });
            return wake(trx, 'waiting');
          }
          await endMailbox(trx, tenantId, delivery.mailboxId, {
            reason: outcome.reconnect,
            sure: true,
            from: 'gmail',
            at,
          });
        }
        await moveDelivery(trx, tenantId, deliveryId, {
          ...move,
          to: 'held',
          heldReason: outcome.reason,
          ...(outcome.until && { notBefore: outcome.until }),
        });
        return;
      case 'refuse':
        await moveDelivery(trx, tenantId, deliveryId, { ...move, to: 'failed' });
        // It may be its address that Gmail refused: the next one asks whether Gmail knows it still.
        if (delivery.email.from.email.toLowerCase() !== delivery.mailboxEmail.toLowerCase())
          await distrustSendAs(trx, tenantId, delivery.mailboxId);
        return wake(trx, 'waiting');
      case 'unknown': {
        const detail = `${outcome.words} We wait to be sure that nothing is still on its way.`;
        // What we do about it is done; what waits for the look is not under way.
        await trx
          .updateTable('deliveries')
          .set({ released_at: null })
          .where('tenant_id', '=', tenantId)
          .where('id', '=', deliveryId)
          .where('state', '=', 'sending')
          .execute();
        return writeEvent(trx, tenantId, deliveryId, { state: 'sending', at, detail });
      }
      default:
        outcome satisfies never;
    }
  });
}

/** Sent on a second attempt by draft, where the first one may have left another draft. */
function mayLeaveDraft({ via, attempt }: Pick<Settling, 'via' | 'attempt'>): boolean {
  return via === 'draft' && attempt.number > 1;
}

const outcomeNames = {
  retry: 'refused_retry',
  hold: 'refused_retry',
  refuse: 'refused',
  unknown: 'unknown',
} as const satisfies Record<Outcome['kind'], AttemptOutcome>;

/**
 * Completes an attempt with what came of it: outcome, status, reason, Gmail's own words and how long it took.
 *
 * @returns false when it was completed before
 */
export async function closeAttempt(
  trx: Database,
  attempt: Pick<OpenAttempt, 'id' | 'startedAt'>,
  result: SendResult,
  at: Date,
): Promise<boolean> {
  const failure = result.kind === 'failed' ? result.failure : null;
  const { numUpdatedRows } = await trx
    .updateTable('attempts')
    .set({
      finished_at: at,
      outcome: result.kind === 'sent' ? 'sent' : outcomeNames[result.outcome.kind],
      http_status: failure === null ? 200 : failure.kind === 'answered' ? failure.status : null,
      reason: failure === null ? null : failure.kind === 'answered' ? failure.reason : failure.code,
      provider_said: failure?.message.slice(0, 1_000) ?? null,
      duration_ms: at.getTime() - attempt.startedAt.getTime(),
    })
    .where('id', '=', attempt.id)
    // Written once; only that Gmail accepted it after all is worth knowing later.
    .where((where) =>
      where.or([
        where('finished_at', 'is', null),
        ...(result.kind === 'sent' ? [where('outcome', '=', 'unknown' as const)] : []),
      ]),
    )
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}
