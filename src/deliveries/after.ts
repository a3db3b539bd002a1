import { capabilitiesOf } from '../mailboxes/capabilities.ts';
import { passed } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import type { DeliveryJob } from '../platform/queue.ts';
import { inTenant } from '../tenants/scope.ts';
import { LookPausedError, NotPermittedError, type ReadBack, TransportError } from '../transport/transport.ts';
import { noteSlowDown } from './account-standing.ts';
import type { DeliverContext } from './context.ts';
import { draftColumns, draftsMadeUntil, readDrafts } from './drafts.ts';
import { concludeFrom } from './from-changed.ts';
import { transportOf } from './transport-of.ts';

/**
 * What is done when a delivery is finished, and can never change what came of it: reads back what the provider really
 * used, or takes a left-over draft out of the mailbox. What it does not let us do is left undone.
 */
export async function afterDelivery(ctx: DeliverContext, { tenantId, deliveryId }: DeliveryJob): Promise<void> {
  const row = await inTenant(ctx.db, tenantId, (trx) => readFinished(trx, tenantId, deliveryId));
  if (!row) return;
  await askProvider(ctx, { tenantId, deliveryId }, row);
  await inTenant(ctx.db, tenantId, (trx) =>
    trx
      .updateTable('deliveries')
      .set({ not_before: null })
      .where('tenant_id', '=', tenantId)
      .where('id', '=', deliveryId)
      .where('state', '=', row.state)
      .where('not_before', 'is not', null)
      .execute(),
  );
}

/** @throws {TransportError | NotPermittedError} where it is worth another try */
async function askProvider(
  ctx: DeliverContext,
  { tenantId, deliveryId }: DeliveryJob,
  row: NonNullable<Awaited<ReturnType<typeof readFinished>>>,
): Promise<void> {
  const { capabilities, account, mailbox_id: mailboxId, provider_message_id: messageId } = row;
  const transport = transportOf(ctx, row.provider);
  try {
    const permit = await transport.permit(tenantId, mailboxId);
    if (row.state === 'sent' && messageId && !row.proven_at && capabilities.includes('tracking')) {
      const proof = await permit.readBack?.(messageId);
      if (proof) await keepProof(ctx, tenantId, deliveryId, row, proof);
    }
    if (row.mayHaveLeftDrafts && capabilities.includes('safe_retry') && permit.tidy) {
      const madeUntil = await inTenant(ctx.db, tenantId, (trx) => draftsMadeUntil(ctx, trx, tenantId, deliveryId));
      const left = { deliveryId, account, createdAt: row.created_at, ...row.drafts, draftsMadeUntil: madeUntil };
      await patiently(ctx, async () => permit.tidy?.(left));
    }
  } catch (error) {
    if (error instanceof NotPermittedError && error.why.kind !== 'later') return;
    if (!(error instanceof TransportError)) throw error;
    const { outcome } = error;
    await noteSlowDown(ctx, { account, transport }, error);
    // Refused for good: the mailbox says no, or the message is not there any more. Else the job runs again.
    if (outcome.kind === 'refuse' || (outcome.kind === 'hold' && outcome.until === null)) return;
    if (outcome.kind === 'retry' && outcome.newPermit)
      await inTenant(ctx.db, tenantId, (trx) => transport.dropPermit(trx, tenantId, mailboxId));
    throw error;
  }
}

/** Goes on with a look for as long as it takes. */
async function patiently<Found>({ clock }: Pick<DeliverContext, 'clock'>, look: () => Promise<Found>): Promise<Found> {
  while (true) {
    try {
      return await look();
    } catch (error) {
      if (!(error instanceof LookPausedError)) throw error;
      await passed(clock, Math.max(0, error.at.getTime() - clock().getTime()));
    }
  }
}

async function readFinished(trx: Database, tenantId: string, deliveryId: string) {
  const row = await trx
    .selectFrom('deliveries')
    .innerJoin('mailboxes', 'mailboxes.id', 'deliveries.mailbox_id')
    .leftJoin('grants', 'grants.mailbox_id', 'mailboxes.id')
    .select([
      'deliveries.state',
      'deliveries.mailbox_id',
      'deliveries.account',
      'mailboxes.provider',
      'provider_message_id',
      'proven_at',
      'from_email',
      'sent_at',
      'tries_from',
      'deliveries.created_at',
    ])
    .select([...draftColumns, 'mailboxes.wanted', 'grants.scopes'])
    .select((eb) =>
      eb
        .selectFrom('attempts')
        .select(({ fn }) => fn.countAll<string>().as('count'))
        .whereRef('attempts.delivery_id', '=', 'deliveries.id')
        .where('via', '=', 'draft')
        .as('draftAttempts'),
    )
    .where('deliveries.tenant_id', '=', tenantId)
    .where('deliveries.id', '=', deliveryId)
    .where('deliveries.state', 'in', ['sent', 'failed', 'cancelled'])
    .executeTakeFirst();
  if (!row) return undefined;
  // The draft that was sent is gone with that; another may have been made before, and its answer lost.
  const mayHaveLeftDrafts = Number(row.draftAttempts) > (row.state === 'sent' ? 1 : 0);
  return {
    ...row,
    drafts: readDrafts(row),
    mayHaveLeftDrafts,
    capabilities: capabilitiesOf(row.scopes ?? [], row.wanted),
  };
}

async function keepProof(
  ctx: DeliverContext,
  tenantId: string,
  deliveryId: string,
  {
    from_email: wanted,
    mailbox_id: mailboxId,
    sent_at,
    tries_from: triesFrom,
  }: NonNullable<Awaited<ReturnType<typeof readFinished>>>,
  { from: used, messageId }: ReadBack,
): Promise<void> {
  const changed = used !== null && used !== wanted.toLowerCase();
  const now = ctx.clock();
  await inTenant(ctx.db, tenantId, async (trx) => {
    await trx
      .updateTable('deliveries')
      .set({ sent_from: used, sent_message_id: messageId, proven_at: now })
      .$if(changed, (query) => query.set({ from_changed_at: now }))
      .where('tenant_id', '=', tenantId)
      .where('id', '=', deliveryId)
      .execute();
    if (used === null) return;
    const sentAt = sent_at ?? now;
    await concludeFrom(trx, ctx.clock, tenantId, { mailboxId, deliveryId, wanted, used, triesFrom, sentAt });
  });
}
