import { findMailbox, type MailboxRecord } from '../mailboxes/mailboxes.ts';
import { inTenant } from '../tenants/scope.ts';
import type { WebContext } from './context.ts';
import type { Viewer } from './viewer.ts';

/**
 * One of the mailboxes that the viewer may know of, or undefined. Not a delegated one: nobody connects or disconnects
 * that by itself.
 */
export async function findConnected(
  ctx: WebContext,
  { tenantId, memberId }: Pick<Viewer, 'tenantId' | 'memberId'>,
  mailboxId: string,
): Promise<MailboxRecord | undefined> {
  const mailbox = await inTenant(ctx.db, tenantId, (trx) => findMailbox(trx, tenantId, memberId, mailboxId));
  return mailbox?.delegated ? undefined : mailbox;
}
