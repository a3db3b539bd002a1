import type { Database } from '../platform/database.ts';
import { inTenant } from '../tenants/scope.ts';
import type { Ready, SendResult } from '../transport/transport.ts';
import type { Claimed } from './claim.ts';
import { compose } from './compose.ts';
import type { DeliverContext } from './context.ts';
import { disownDraft, draftsMadeUntil, keepDraft } from './drafts.ts';

/**
 * Puts a claimed email together and hands it over, once. Knows nothing of states; what it returns is the whole of what is
 * known. What the transport is about to do is written down before it does it.
 */
export async function transmit(ctx: DeliverContext, tenantId: string, claimed: Claimed): Promise<SendResult> {
  const { delivery, attempt, permit, via } = claimed;
  let mime: Buffer;
  try {
    mime = await compose({ ...delivery.email, date: ctx.clock() });
  } catch (error) {
    // What cannot be put into a message now never can: it fails, instead of being tried for ever.
    ctx.log.error({ err: error, tenantId, deliveryId: delivery.id }, 'an email could not be composed');
    const words =
      'The email could not be put together, so it was not sent. Change its text or its recipients and send again.';
    const failure = { kind: 'not_sent', code: 'COMPOSE', message: words } as const;
    return { kind: 'failed', failure, outcome: { kind: 'refuse', words } };
  }
  const { id: deliveryId, account, createdAt, draft, foreignDraftIds } = delivery;
  const outgoing = { deliveryId, account, createdAt, draft, foreignDraftIds, mime, via, attempt };
  return permit.send(
    { ...outgoing, atMostMs: ctx.sendDeadlineMs },
    {
      begin: (ready) => inTenant(ctx.db, tenantId, (trx) => beginSend(trx, ctx, tenantId, claimed, ready)),
      draftsMadeUntil: () =>
        inTenant(ctx.db, tenantId, (trx) => draftsMadeUntil(ctx, trx, tenantId, deliveryId, attempt.number)),
    },
  );
}

/** Commits what is about to happen to the draft. False where the attempt is not under way any more. */
async function beginSend(
  trx: Database,
  { clock }: DeliverContext,
  tenantId: string,
  { delivery, attempt }: Claimed,
  ready: Ready,
): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('attempts')
    .set({ send_begun_at: ready.kind === 'changed' ? null : clock() })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', attempt.id)
    .where('finished_at', 'is', null)
    .executeTakeFirst();
  if (numUpdatedRows === 0n) return false;
  if (ready.kind === 'changed') await disownDraft(trx, tenantId, delivery.id, ready.id);
  if (ready.kind === 'ours') await keepDraft(trx, tenantId, delivery.id, ready.draft);
  return true;
}
