import type { Database } from '../platform/database.ts';

/** A `since` for {@link connectedSince} that asks only whether it is connected now. */
export const everBefore = new Date(0);

/**
 * Whether a mailbox that seemed cut off has been connected again meanwhile. Locks its row until the
 * transaction ends: either the person who reconnects it finds what we hold, and releases it, or we see
 * here that there is nothing to wait for. Without the lock a delivery could be held just after that.
 *
 * @param since connected before this does not count
 */
export async function connectedSince(
  trx: Database,
  tenantId: string,
  mailboxId: string,
  since: Date,
): Promise<boolean> {
  const mailbox = await trx
    .selectFrom('mailboxes')
    .select(['state', 'connected_at'])
    .where('tenant_id', '=', tenantId)
    .where('id', '=', mailboxId)
    .forUpdate()
    .executeTakeFirstOrThrow();
  return mailbox.state === 'active' && mailbox.connected_at > since;
}
