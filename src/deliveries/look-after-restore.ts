import type { Database } from '../platform/database.ts';
import type { DeliveryJob } from '../platform/queue.ts';
import { inTenant } from '../tenants/scope.ts';
import { releaseHoursOf } from '../tenants/tenants.ts';
import type { DeliverContext } from './context.ts';
import { findInSent, readSentBefore, type SentLook, writersClockMs } from './find-in-gmail.ts';
import { giveBack } from './give-back.ts';
import { type Later, lookInto } from './look.ts';
import { moveDelivery } from './state.ts';
import { releaseAllowed } from './withdrawn.ts';

/** How soon Gmail is asked again, where it could not be. */
const againAfterMs = 30_000;
/** For how long after the restore it is tried; then a person is asked. */
const patienceMs = 3_600_000;

/**
 * Looks up in Gmail whether a delivery that is held after a restore was sent meanwhile. Found: it is sent. All looked
 * through without finding it: it goes on as it was, or waits for somebody where it was queued and that is long ago. Where Gmail shows too
 * much to look through, or nothing, a person decides.
 */
export async function lookAfterRestore(ctx: DeliverContext, job: DeliveryJob): Promise<void> {
  const { tenantId, deliveryId } = job;
  const asked = await inTenant(ctx.db, tenantId, (trx) => readRestored(trx, tenantId, deliveryId));
  if (!asked) return;
  // A worker of the database as it was may have handed it to Google a moment before: nobody looks until that is settled.
  const settledAt = new Date(asked.heldAt.getTime() + ctx.sendDeadlineMs + ctx.settleMs);
  if (settledAt > ctx.clock()) return inTenant(ctx.db, tenantId, (trx) => lookAt(trx, tenantId, deliveryId, settledAt));
  const look = await lookUp(ctx, job, asked);
  await inTenant(ctx.db, tenantId, (trx) => write(ctx, trx, job, asked, look));
  // Whoever was allowed to send it again meanwhile was not seen by whoever released what they had waiting.
  if (asked.interruptedReason === 'not_allowed') await releaseAllowed(ctx, tenantId, asked);
}

async function readRestored(trx: Database, tenantId: string, deliveryId: string) {
  const row = await trx
    .selectFrom('deliveries')
    .select(['mailbox_id as mailboxId', 'account', 'lane', 'state_at as heldAt', 'not_before as notBefore'])
    .select(['created_at as createdAt', 'scheduled_for as scheduledFor', 'interrupted_reason as interruptedReason'])
    .where('tenant_id', '=', tenantId)
    .where('id', '=', deliveryId)
    .where('state', '=', 'held')
    .where('held_reason', '=', 'restored')
    .executeTakeFirst();
  // Nobody asked for a look.
  if (!row || row.notBefore === null) return undefined;
  return { ...row, sentBefore: await readSentBefore(trx, tenantId, deliveryId) };
}

type Asked = NonNullable<Awaited<ReturnType<typeof readRestored>>>;

type Found = { readonly kind: 'seen'; readonly look: SentLook } | Later;

async function lookUp(ctx: DeliverContext, { tenantId, deliveryId }: DeliveryJob, asked: Asked): Promise<Found> {
  const { account, createdAt, sentBefore } = asked;
  const at = new Date(createdAt.getTime() - writersClockMs);
  const found = await lookInto(ctx, tenantId, asked, async (token): Promise<Found> => {
    return { kind: 'seen', look: await findInSent(ctx, { token, account, deliveryId }, { at, sentBefore }) };
  });
  return found ?? { kind: 'seen', look: { found: null, all: false } };
}

async function write(
  ctx: DeliverContext,
  trx: Database,
  { tenantId, deliveryId }: DeliveryJob,
  asked: Asked,
  found: Found,
): Promise<void> {
  const at = ctx.clock();
  const restored = { from: 'held', heldFor: ['restored'], at } as const;
  if (found.kind === 'later') {
    // One that only waits for its turn among many is not given up.
    const tries = found.goesOn || at.getTime() - asked.heldAt.getTime() < patienceMs;
    const soon = Math.max(found.at?.getTime() ?? 0, at.getTime() + (found.goesOn ? 0 : againAfterMs));
    return lookAt(trx, tenantId, deliveryId, tries ? new Date(soon) : null);
  }
  const { found: sent, all } = found.look;
  if (sent) {
    const gmail = { messageId: sent.id, threadId: sent.threadId };
    const detail = 'Found in Gmail’s Sent folder: it was sent.';
    if (!(await moveDelivery(trx, tenantId, deliveryId, { ...restored, to: 'sent', detail, gmail }))) return;
    const { account, lane } = asked;
    return ctx.queue.add(trx, 'after', [{ tenantId, deliveryId, account, lane }]);
  }
  if (!all) return lookAt(trx, tenantId, deliveryId, null);
  const wantedAt = asked.scheduledFor ?? asked.createdAt;
  const hours = await releaseHoursOf(trx, tenantId);
  // What waited on purpose is as wanted as ever.
  if (asked.interruptedReason === null && at.getTime() - wantedAt.getTime() > hours * 3_600_000) {
    const detail = 'Looked up in Gmail: it was not sent. That is long ago, so it waits for you.';
    await moveDelivery(trx, tenantId, deliveryId, { ...restored, to: 'held', heldReason: 'not_sent', detail });
    return;
  }
  await giveBack(ctx, trx, tenantId, [deliveryId], 'Looked up in Gmail: it was not sent.');
}

async function lookAt(trx: Database, tenantId: string, deliveryId: string, at: Date | null): Promise<void> {
  await trx
    .updateTable('deliveries')
    .set({ not_before: at })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', deliveryId)
    .where('state', '=', 'held')
    .where('held_reason', '=', 'restored')
    .execute();
}
