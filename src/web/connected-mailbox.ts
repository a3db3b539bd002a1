import { findMailbox, type MailboxRecord } from '../mailboxes/mailboxes.ts';
import { inTenant } from '../tenants/scope.ts';
import type { WebContext } from './context.ts';
import type { Viewer } from './viewer.ts';

/** One of the mailboxes that the viewer may know of, or undefined; also their own address in a Google Workspace. */
export function findShown(
  ctx: WebContext,
  { tenantId, memberId }: Pick<Viewer, 'tenantId' | 'memberId'>,
  mailboxId: string,
): Promise<MailboxRecord | undefined> {
  return inTenant(ctx.db, tenantId, (trx) => findMailbox(trx, tenantId, memberId, mailboxId));
}

/**
 * The same, but for a delegated one: for what is done to a connection that somebody made at Google, because nobody
 * connects, disconnects or permits a delegated one by itself.
 */
export async function findConnected(
  ctx: WebContext,
  viewer: Pick<Viewer, 'tenantId' | 'memberId'>,
  mailboxId: string,
): Promise<MailboxRecord | undefined> {
  const mailbox = await findShown(ctx, viewer, mailboxId);
  return mailbox?.delegated ? undefined : mailbox;
}
