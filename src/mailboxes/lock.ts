import type { Database } from '../platform/database.ts';

/**
 * Locks a mailbox until the transaction ends. Whoever locks several kinds of rows does so in one order, so that two of them
 * never wait for each other: mailbox, then its grant, then deliveries by id. Emails may be written meanwhile.
 *
 * @param trx a transaction inside the tenant
 */
export async function lockMailbox(trx: Database, tenantId: string, mailboxId: string): Promise<void> {
  await trx
    .selectFrom('mailboxes')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('id', '=', mailboxId)
    .forNoKeyUpdate()
    .execute();
}
