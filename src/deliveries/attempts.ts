import { sql } from 'kysely';
import type { GoogleFailure } from '../google/errors.ts';
import type { SentMessage } from '../google/gmail.ts';
import { dropAccessToken } from '../mailboxes/grant-vault.ts';
import { moveMailbox } from '../mailboxes/mailboxes.ts';
import type { Database } from '../platform/database.ts';
import type { AttemptOutcome } from '../platform/database-types.ts';
import { inTenant } from '../tenants/scope.ts';
import type { DeliverContext } from './context.ts';
import { connectedSince } from './cut-off.ts';
import type { SendableDelivery } from './load.ts';
import type { Outcome } from './outcome.ts';
import { moveDelivery, writeEvent } from './state.ts';

/** An attempt that is under way. */
export interface OpenAttempt {
  readonly id: string;
  /** 1 for the first. */
  readonly number: number;
  /** How many attempts before this one were refused with 401 since the mailbox was connected. */
  readonly tokensRefused: number;
  readonly startedAt: Date;
  /** No byte is written to Gmail after this. */
  readonly deadline: Date;
}

/** What an attempt brought. */
export type AttemptResult =
  | { readonly kind: 'sent'; readonly sent: SentMessage }
  | { readonly kind: 'failed'; readonly failure: GoogleFailure; readonly outcome: Outcome };

/**
 * Claims a queued delivery and writes down that Gmail is about to be asked.
 *
 * @param trx must be committed before Gmail is contacted
 * @returns undefined when another worker has it
 */
export async function beginAttempt(
  trx: Database,
  tenantId: string,
  deliveryId: string,
  owner: string,
  deadlineMs: number,
): Promise<OpenAttempt | undefined> {
  const claimed = await moveDelivery(trx, tenantId, deliveryId, {
    from: 'queued',
    to: 'sending',
    detail: 'Handed to Gmail.',
  });
  if (!claimed) return undefined;
  const startedAt = new Date();
  const attempt = await trx
    .insertInto('attempts')
    .values({
      tenant_id: tenantId,
      delivery_id: deliveryId,
      number: sql<number>`(select count(*) + 1 from attempts where delivery_id = ${deliveryId})`,
      owner,
      started_at: startedAt,
      deadline: new Date(startedAt.getTime() + deadlineMs),
    })
    .returning(['id', 'number', 'started_at as startedAt', 'deadline'])
    .executeTakeFirstOrThrow();
  return { ...attempt, tokensRefused: await countRefusedTokens(trx, tenantId, deliveryId) };
}

async function countRefusedTokens(trx: Database, tenantId: string, deliveryId: string): Promise<number> {
  const { count } = await trx
    .selectFrom('attempts')
    .innerJoin('deliveries', 'deliveries.id', 'attempts.delivery_id')
    .innerJoin('mailboxes', 'mailboxes.id', 'deliveries.mailbox_id')
    .select((eb) => eb.fn.countAll<string>().as('count'))
    .where('attempts.tenant_id', '=', tenantId)
    .where('attempts.delivery_id', '=', deliveryId)
    .where('attempts.http_status', '=', 401)
    .whereRef('attempts.started_at', '>', 'mailboxes.connected_at')
    .executeTakeFirstOrThrow();
  return Number(count);
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
  delivery: SendableDelivery,
  attempt: OpenAttempt,
  result: AttemptResult,
): Promise<void> {
  const job = { tenantId, deliveryId: delivery.id };
  await inTenant(ctx.db, tenantId, async (trx) => {
    await closeAttempt(trx, attempt, result);
    if (result.kind === 'sent') {
      const gmail = { messageId: result.sent.id, threadId: result.sent.threadId };
      const detail = `Gmail accepted it from ${delivery.email.from.email}.`;
      const sent = { to: 'sent', detail, gmail } as const;
      // This process may have slept past the settle time, and a person been asked: Gmail's own word ends that.
      if (!(await moveDelivery(trx, tenantId, delivery.id, { from: 'sending', ...sent }))) {
        await moveDelivery(trx, tenantId, delivery.id, { from: 'unconfirmed', ...sent });
      }
      return;
    }
    const { outcome } = result;
    const move = { from: 'sending', detail: outcome.words } as const;
    switch (outcome.kind) {
      case 'retry':
        if (outcome.newToken) await dropAccessToken(trx, tenantId, delivery.mailboxId);
        await moveDelivery(trx, tenantId, delivery.id, { ...move, to: 'queued', notBefore: outcome.at });
        await ctx.queue.enqueueDelivery(trx, job, outcome.at);
        return;
      case 'hold':
        if (outcome.reconnect) {
          // The refused token is not the one that the mailbox has by now.
          if (await connectedSince(trx, tenantId, delivery.mailboxId, attempt.startedAt)) {
            await moveDelivery(trx, tenantId, delivery.id, { ...move, to: 'queued' });
            await ctx.queue.enqueueDelivery(trx, job);
            return;
          }
          const flip = { from: 'active', to: 'needs_reconnect', reason: outcome.reconnect, at: ctx.clock() } as const;
          await moveMailbox(trx, tenantId, delivery.mailboxId, flip);
        }
        await moveDelivery(trx, tenantId, delivery.id, {
          ...move,
          to: 'held',
          heldReason: outcome.reason,
          ...(outcome.until && { notBefore: outcome.until }),
        });
        if (outcome.until) await ctx.queue.enqueueDelivery(trx, job, outcome.until);
        return;
      case 'refuse':
        await moveDelivery(trx, tenantId, delivery.id, { ...move, to: 'failed' });
        return;
      case 'unknown':
        await writeEvent(
          trx,
          tenantId,
          delivery.id,
          'sending',
          `${outcome.words} We wait to be sure that nothing is still on its way.`,
        );
        await ctx.queue.enqueueDelivery(trx, job, settledAt(attempt.deadline, ctx));
        return;
      default:
        outcome satisfies never;
    }
  });
}

/**
 * Takes care of a delivery that is in `sending` and not in our hands: its worker died, or its answer was
 * lost. It is never sent again from here. Once nothing can be under way any more, a person is asked.
 */
export async function recoverAttempt(ctx: DeliverContext, tenantId: string, deliveryId: string): Promise<void> {
  await inTenant(ctx.db, tenantId, async (trx) => {
    const attempt = await trx
      .selectFrom('attempts')
      .select(['id', 'number', 'started_at as startedAt', 'deadline', 'outcome'])
      .where('tenant_id', '=', tenantId)
      .where('delivery_id', '=', deliveryId)
      .orderBy('number', 'desc')
      .forUpdate()
      .executeTakeFirst();
    if (!attempt) throw new Error('A delivery is being sent without an attempt.');
    const settled = settledAt(attempt.deadline, ctx);
    if (settled > new Date()) {
      await ctx.queue.enqueueDelivery(trx, { tenantId, deliveryId }, settled);
      return;
    }
    if (attempt.outcome === null) {
      const failure = {
        kind: 'lost',
        code: 'WORKER_GONE',
        message: 'The program stopped before Gmail’s answer arrived.',
      } as const;
      await closeAttempt(trx, attempt, {
        kind: 'failed',
        failure,
        outcome: { kind: 'unknown', words: failure.message },
      });
    }
    const detail = 'Gmail may have sent it. Look in Gmail’s Sent folder, then tell us.';
    await moveDelivery(trx, tenantId, deliveryId, { from: 'sending', to: 'unconfirmed', detail });
  });
}

function settledAt(deadline: Date, ctx: DeliverContext): Date {
  return new Date(deadline.getTime() + ctx.settleMs);
}

const outcomeNames = {
  retry: 'refused_retry',
  hold: 'refused_retry',
  refuse: 'refused',
  unknown: 'unknown',
} as const satisfies Record<Outcome['kind'], AttemptOutcome>;

async function closeAttempt(
  trx: Database,
  attempt: Pick<OpenAttempt, 'id' | 'startedAt'>,
  result: AttemptResult,
): Promise<void> {
  const now = new Date();
  const failure = result.kind === 'failed' ? result.failure : null;
  await trx
    .updateTable('attempts')
    .set({
      finished_at: now,
      outcome: result.kind === 'sent' ? 'sent' : outcomeNames[result.outcome.kind],
      http_status: failure === null ? 200 : failure.kind === 'answered' ? failure.status : null,
      reason: failure === null ? null : failure.kind === 'answered' ? failure.reason : failure.code,
      gmail_message: failure?.message.slice(0, 1_000) ?? null,
      duration_ms: now.getTime() - attempt.startedAt.getTime(),
    })
    .where('id', '=', attempt.id)
    // Written once; only that Gmail accepted it after all is worth knowing later.
    .where((where) =>
      where.or([
        where('finished_at', 'is', null),
        ...(result.kind === 'sent' ? [where('outcome', '=', 'unknown' as const)] : []),
      ]),
    )
    .execute();
}
