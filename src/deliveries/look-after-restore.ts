import type { Database } from '../platform/database.ts';
import type { DeliveryJob } from '../platform/queue.ts';
import { inTenant } from '../tenants/scope.ts';
import { releaseHoursOf } from '../tenants/tenants.ts';
import { blind, type Sight } from '../transport/transport.ts';
import type { DeliverContext } from './context.ts';
import { giveBack } from './give-back.ts';
import { type Later, lookInto } from './look.ts';
import { readSentBefore, writersClockMs } from './sent-before.ts';
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
    .innerJoin('mailboxes', 'mailboxes.id', 'deliveries.mailbox_id')
    .select([
      'mailboxes.id as mailboxId',
      'mailboxes.provider',
      'deliveries.account',
      'lane',
      'deliveries.state_at as heldAt',
    ])
    .select(['not_before as notBefore', 'deliveries.created_at as createdAt', 'scheduled_for as scheduledFor'])
    .select('interrupted_reason as interruptedReason')
    .where('deliveries.tenant_id', '=', tenantId)
    .where('deliveries.id', '=', deliveryId)
    .where('deliveries.state', '=', 'held')
    .where('held_reason', '=', 'restored')
    .executeTakeFirst();
  // Nobody asked for a look.
  if (!row || row.notBefore === null) return undefined;
  return { ...row, sentBefore: await readSentBefore(trx, tenantId, deliveryId) };
}

type Asked = NonNullable<Awaited<ReturnType<typeof readRestored>>>;

type Found = { readonly kind: 'seen'; readonly sight: Sight } | Later;

async function lookUp(ctx: DeliverContext, { tenantId, deliveryId }: DeliveryJob, asked: Asked): Promise<Found> {
  const { account, createdAt, sentBefore } = asked;
  const at = new Date(createdAt.getTime() - writersClockMs);
  const question = { deliveryId, account, draft: null, foreignDraftIds: [], byDraft: false, bySent: true };
  const since = { at, sentBefore: async () => sentBefore };
  const found = await lookInto(ctx, tenantId, asked, async (permit): Promise<Found> => {
    return { kind: 'seen', sight: (await permit.look?.({ ...question, since })) ?? blind };
  });
  return found ?? { kind: 'seen', sight: blind };
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
  const { sent, inSent } = found.sight;
  if (sent) {
    const detail = 'Found in Gmail’s Sent folder: it was sent.';
    if (!(await moveDelivery(trx, tenantId, deliveryId, { ...restored, to: 'sent', detail, sent }))) return;
    const { account, lane } = asked;
    return ctx.queue.add(trx, 'after', [{ tenantId, deliveryId, account, lane }]);
  }
  if (inSent !== 'absent') return lookAt(trx, tenantId, deliveryId, null);
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
