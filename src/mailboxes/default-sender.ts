import type { Database } from '../platform/database.ts';
import { type By, type ByMember, noteChange } from '../tenants/rights-changes.ts';
import { isUsableBy } from './access.ts';

/**
 * Sets the mailbox that a member's own emails come from where the rule says `default`; null for the tenant's default.
 *
 * @param trx a transaction inside the tenant
 * @param by the member themselves
 * @returns false where the member may not use that mailbox, or it is disconnected; then nothing has changed
 */
export async function chooseOwnDefault(
  trx: Database,
  tenantId: string,
  mailboxId: string | null,
  by: ByMember,
): Promise<boolean> {
  const { memberId } = by;
  const mailbox =
    mailboxId === null
      ? null
      : await trx
          .selectFrom('mailboxes')
          .select('email')
          .where('tenant_id', '=', tenantId)
          .where('id', '=', mailboxId)
          .where('state', '<>', 'disconnected')
          .where(isUsableBy(memberId))
          .executeTakeFirst();
  if (mailbox === undefined) return false;
  const { numUpdatedRows } = await trx
    .updateTable('members')
    .set({ default_mailbox_id: mailboxId })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', memberId)
    .where('default_mailbox_id', 'is distinct from', mailboxId)
    .executeTakeFirst();
  if (numUpdatedRows > 0n)
    await noteChange(trx, tenantId, by, { kind: 'own_default_chosen', mailbox: mailbox?.email ?? null });
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
export async function letDefaultStandIn(trx: Database, tenantId: string, standsIn: boolean, by: By): Promise<void> {
  const { numUpdatedRows } = await trx
    .updateTable('tenants')
    .set({ default_stands_in: standsIn })
    .where('id', '=', tenantId)
    .where('default_stands_in', '<>', standsIn)
    .executeTakeFirst();
  if (numUpdatedRows > 0n) await noteChange(trx, tenantId, by, { kind: 'stand_in_switched', on: standsIn });
}
