import type { Database } from '../platform/database.ts';
import type { DeliveryState, MailboxState, SenderMode } from '../platform/database-types.ts';
import type { Email } from './compose.ts';
import { recipientsSchema } from './recipients.ts';

/** A delivery as the worker needs it: what was frozen, and where it stands. */
export interface SendableDelivery {
  readonly id: string;
  readonly state: DeliveryState;
  readonly notBefore: Date | null;
  readonly memberId: string;
  readonly mailboxId: string;
  readonly mailboxState: MailboxState;
  readonly mode: SenderMode;
  readonly email: Omit<Email, 'date'>;
}

/** Reads a delivery with its attachments; undefined when there is none. */
export async function loadForSending(
  trx: Database,
  tenantId: string,
  deliveryId: string,
): Promise<SendableDelivery | undefined> {
  const row = await trx
    .selectFrom('deliveries')
    .innerJoin('mailboxes', 'mailboxes.id', 'deliveries.mailbox_id')
    .selectAll('deliveries')
    .select('mailboxes.state as mailbox_state')
    .where('deliveries.tenant_id', '=', tenantId)
    .where('deliveries.id', '=', deliveryId)
    .executeTakeFirst();
  if (!row) return undefined;
  const attachments = await trx
    .selectFrom('delivery_attachments')
    .select(['file_name as fileName', 'media_type as mediaType', 'bytes'])
    .where('tenant_id', '=', tenantId)
    .where('delivery_id', '=', deliveryId)
    .execute();
  return {
    id: row.id,
    state: row.state,
    notBefore: row.not_before,
    memberId: row.member_id,
    mailboxId: row.mailbox_id,
    mailboxState: row.mailbox_state,
    mode: row.rule_mode,
    email: {
      deliveryId: row.id,
      from: { name: row.from_name, email: row.from_email },
      replyTo: row.reply_to,
      recipients: recipientsSchema.parse(row.recipients),
      subject: row.subject,
      message: row.message,
      attachments,
    },
  };
}
