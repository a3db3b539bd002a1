import type { Database } from '../platform/database.ts';
import { wake } from '../platform/wake.ts';

/** The most that may be set: more than Google gives anybody. */
export const highestDailyLimit = 10_000;

/** How many emails in 24 hours somebody set for a mailbox; null where Google's usual number counts. */
export async function dailyLimitOf(db: Database, tenantId: string, mailboxId: string): Promise<number | null> {
  const row = await db
    .selectFrom('mailboxes')
    .select('daily_limit')
    .where('tenant_id', '=', tenantId)
    .where('id', '=', mailboxId)
    .executeTakeFirst();
  return row?.daily_limit ?? null;
}

/** Sets it. What waits for the old one is looked at again at once. */
export async function setDailyLimit(
  trx: Database,
  tenantId: string,
  mailboxId: string,
  limit: number | null,
): Promise<void> {
  await trx
    .updateTable('mailboxes')
    .set({ daily_limit: limit })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', mailboxId)
    .execute();
  await wake(trx, 'waiting');
}
