import type { Database } from '../platform/database.ts';
import type { DeliveryJob } from '../platform/queue.ts';
import { wake } from '../platform/wake.ts';
import type { KnownDrafts, Sight, Via } from '../transport/transport.ts';
import { settleDoubts } from './attempt.ts';
import type { DeliverContext } from './context.ts';
import { disownDraft, forgetDraft } from './drafts.ts';
import type { LookedInto } from './look.ts';
import { closeAttempt } from './settle.ts';
import { type HeldReason, moveDelivery } from './state.ts';
import type { Evidence, Verdict } from './verdict.ts';

/** What is known of a delivery whose outcome is not. */
export interface Doubt extends KnownDrafts, LookedInto {
  readonly state: 'sending' | 'unconfirmed';
  readonly lane: number;
  readonly canUseDrafts: boolean;
  readonly canLook: boolean;
  readonly firstAttemptAt: Date;
  readonly attempt: {
    readonly id: string;
    /** 1 for the first. */
    readonly number: number;
    readonly startedAt: Date;
    readonly via: Via;
    readonly sendBegunAt: Date | null;
    /** The database was restored since it was written: what we know of it may be older than what happened. */
    readonly isRestored: boolean;
    /** The provider answered the send that the draft was gone. */
    readonly answeredGone: boolean;
  };
}

/** What its mailbox showed. */
export type Findings = Evidence & Sight & { readonly kind: 'seen' };

/**
 * First tried longer ago than this, an email that turns out not to be sent waits for somebody to say "send now". What
 * waited before on purpose (a chosen time, the hours, the line before it) is as wanted as ever.
 */
const staleAfterMs = 24 * 3_600_000;

/** Writes what was found out about a delivery in doubt, unless somebody else was faster. */
export async function conclude(
  ctx: DeliverContext,
  trx: Database,
  job: DeliveryJob,
  doubt: Doubt,
  verdict: Verdict,
  { sent, draft, draftId }: Findings,
): Promise<void> {
  const { tenantId, deliveryId } = job;
  if (!(await close(ctx, trx, job, doubt))) return;
  const at = ctx.clock();
  const from = doubt.state;
  const holdIt = (heldReason: HeldReason, detail: string) =>
    moveDelivery(trx, tenantId, deliveryId, { from, to: 'held', at, heldReason, detail });
  if (verdict !== 'ask') await settleDoubts(trx, tenantId, [deliveryId], 'look', at);
  // Whatever comes next, it is not by way of this one.
  if (draft === 'gone') await forgetDraft(trx, tenantId, deliveryId);

  switch (verdict) {
    case 'sent': {
      const detail = sent
        ? 'Found in Gmail’s Sent folder: it was sent.'
        : 'Our draft of it is gone from Gmail, because it was sent.';
      await moveDelivery(trx, tenantId, deliveryId, { from, to: 'sent', at, detail, ...(sent && { sent }) });
      const { account, lane } = doubt;
      await ctx.queue.add(trx, 'after', [{ ...job, account, lane }]);
      return;
    }
    case 'not_sent': {
      if (at.getTime() - doubt.firstAttemptAt.getTime() > staleAfterMs) {
        await holdIt(
          'not_sent',
          'Looked up in Gmail: it was not sent. It was first tried more than a day ago, so it waits for you.',
        );
        return;
      }
      const detail = 'Looked up in Gmail: it was not sent. We try again.';
      await moveDelivery(trx, tenantId, deliveryId, { from, to: 'queued', at, detail });
      await wake(trx, 'waiting');
      return;
    }
    case 'edited':
      if (draftId !== null) await disownDraft(trx, tenantId, deliveryId, draftId);
      await holdIt('draft_edited', 'It was not sent, and somebody changed our draft of it in Gmail.');
      return;
    case 'deleted':
      await holdIt('draft_deleted', 'It was not sent, and somebody deleted our draft of it in Gmail.');
      return;
    case 'ask':
      return ask(trx, job, doubt, at, null);
    default:
      verdict satisfies never;
  }
}

/** Gmail could not be asked for so long that a person is; we go on trying at `again`. */
export async function askAPerson(
  ctx: DeliverContext,
  trx: Database,
  job: DeliveryJob,
  doubt: Doubt,
  again: Date | null,
): Promise<void> {
  if (await close(ctx, trx, job, doubt)) await ask(trx, job, doubt, ctx.clock(), again);
}

async function ask(
  trx: Database,
  { tenantId, deliveryId }: DeliveryJob,
  { state: from }: Doubt,
  at: Date,
  again: Date | null,
): Promise<void> {
  if (from === 'unconfirmed') {
    await trx
      .updateTable('deliveries')
      .set({ not_before: again })
      .where('tenant_id', '=', tenantId)
      .where('id', '=', deliveryId)
      .where('state', '=', from)
      .execute();
    return;
  }
  const detail = 'Gmail may have sent it. Look in Gmail’s Sent folder, then tell us.';
  await moveDelivery(trx, tenantId, deliveryId, {
    ...{ from, to: 'unconfirmed', at, detail },
    ...(again && { notBefore: again }),
  });
}

/**
 * Ends the attempt that is in doubt. False where the delivery has moved on since it was looked at, or is in other hands
 * under an attempt of its own: then what was seen says nothing any more.
 */
async function close(
  ctx: DeliverContext,
  trx: Database,
  { tenantId, deliveryId }: DeliveryJob,
  doubt: Doubt,
): Promise<boolean> {
  const row = await trx
    .selectFrom('deliveries')
    .select('state')
    .where('tenant_id', '=', tenantId)
    .where('id', '=', deliveryId)
    .forUpdate()
    .executeTakeFirst();
  const latest = await trx
    .selectFrom('attempts')
    .select(['number', 'restored_at'])
    .where('tenant_id', '=', tenantId)
    .where('delivery_id', '=', deliveryId)
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (row?.state !== doubt.state || latest?.number !== doubt.attempt.number) return false;
  // Restored meanwhile: it was looked at with what is not true any more.
  if ((latest.restored_at !== null) !== doubt.attempt.isRestored) return false;
  const message = 'The program stopped before Gmail’s answer arrived.';
  const failure = { kind: 'lost', code: 'WORKER_GONE', message } as const;
  // Where Gmail's answer was lost, the attempt says so already.
  const outcome = { kind: 'unknown', words: failure.message } as const;
  await closeAttempt(trx, doubt.attempt, { kind: 'failed', failure, outcome }, ctx.clock());
  return true;
}
