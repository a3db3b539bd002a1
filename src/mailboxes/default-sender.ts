import type { Database } from '../platform/database.ts';
import { isUsableBy } from './access.ts';

/**
 * Sets the mailbox that a member's own emails come from where the rule says `default`; null for the tenant's default.
 *
 * @returns false where the member may not use that mailbox, or it is disconnected; then nothing has changed
 */
export async function chooseOwnDefault(
  db: Database,
  tenantId: string,
  memberId: string,
  mailboxId: string | null,
): Promise<boolean> {
  if (mailboxId !== null) {
    const mailbox = await db
      .selectFrom('mailboxes')
      .select('id')
      .where('tenant_id', '=', tenantId)
      .where('id', '=', mailboxId)
      .where('state', '<>', 'disconnected')
      .where(isUsableBy(memberId))
      .executeTakeFirst();
    if (!mailbox) return false;
  }
  await db
    .updateTable('members')
    .set({ default_mailbox_id: mailboxId })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', memberId)
    .execute();
  return true;
}

/** What is set about defaults: the mailbox that the member chose, and whether the tenant lets its default stand in. */
export async function readDefaults(
  db: Database,
  tenantId: string,
  memberId: string,
): Promise<{ readonly ownDefaultId: string | null; readonly standsIn: boolean }> {
  return db
    .selectFrom('members')
    .innerJoin('tenants', 'tenants.id', 'members.tenant_id')
    .select(['members.default_mailbox_id as ownDefaultId', 'tenants.default_stands_in as standsIn'])
    .where('members.tenant_id', '=', tenantId)
    .where('members.id', '=', memberId)
    .executeTakeFirstOrThrow();
}

/** Says whether the default mailbox stands in for members without an address of their own, with replies to them. */
export async function letDefaultStandIn(db: Database, tenantId: string, standsIn: boolean): Promise<void> {
  await db.updateTable('tenants').set({ default_stands_in: standsIn }).where('id', '=', tenantId).execute();
}
