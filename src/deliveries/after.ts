import addressparser from 'nodemailer/lib/addressparser/index.js';
import { deleteDraft } from '../google/drafts.ts';
import { GoogleError } from '../google/errors.ts';
import { getHeaders } from '../google/gmail.ts';
import { MailboxUnusableError } from '../mailboxes/access-token.ts';
import type { DeliveryJob } from '../platform/queue.ts';
import { inTenant } from '../tenants/scope.ts';
import type { DeliverContext } from './context.ts';
import { findDraftOf } from './find-in-gmail.ts';
import { writeEvent } from './state.ts';

/**
 * What is done when a delivery is finished, and can never change what came of it: reads back what Gmail really used,
 * or takes a left-over draft out of the mailbox. What Gmail does not let us do is left undone.
 */
export async function afterDelivery(ctx: DeliverContext, { tenantId, deliveryId }: DeliveryJob): Promise<void> {
  const row = await inTenant(ctx.db, tenantId, (trx) =>
    trx
      .selectFrom('deliveries')
      .select(['state', 'mailbox_id', 'gmail_message_id', 'proven_at', 'draft_id', 'from_email', 'created_at'])
      .where('tenant_id', '=', tenantId)
      .where('id', '=', deliveryId)
      .executeTakeFirst(),
  );
  if (!row) return;
  try {
    const token = await ctx.tokens.of(tenantId, row.mailbox_id);
    if (row.state === 'sent' && row.gmail_message_id && !row.proven_at) {
      const { headers } = await getHeaders(ctx.google, token, row.gmail_message_id, ['From', 'Message-ID']);
      await keepProof(ctx, tenantId, deliveryId, row.from_email, headers);
    }
    if (row.state === 'failed' || row.state === 'cancelled') {
      const look = { google: ctx.google, token, deliveryId };
      const draftId = row.draft_id ?? (await findDraftOf(look, row.created_at))?.id;
      if (draftId) await deleteDraft(ctx.google, token, draftId);
    }
  } catch (error) {
    if (error instanceof MailboxUnusableError) return;
    // Refused for good: the mailbox says no, or the message is not there any more. Else the job runs again.
    if (error instanceof GoogleError && error.failure.kind === 'answered' && [403, 404].includes(error.failure.status))
      return;
    throw error;
  }
}

async function keepProof(
  ctx: DeliverContext,
  tenantId: string,
  deliveryId: string,
  wanted: string,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const [from] = addressparser(headers['from'] ?? '', { flatten: true });
  const used = from?.address?.toLowerCase() ?? null;
  await inTenant(ctx.db, tenantId, async (trx) => {
    await trx
      .updateTable('deliveries')
      .set({ sent_from: used, sent_message_id: headers['message-id'] ?? null, proven_at: ctx.clock() })
      .where('tenant_id', '=', tenantId)
      .where('id', '=', deliveryId)
      .execute();
    if (used !== null && used !== wanted.toLowerCase())
      await writeEvent(trx, tenantId, deliveryId, 'sent', `Gmail sent it from ${used} instead of ${wanted}.`);
  });
}
