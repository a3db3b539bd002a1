import type { Capability } from '../platform/capability.ts';
import type { Database } from '../platform/database.ts';
import { type ByMember, noteChange } from '../tenants/rights-changes.ts';
import { readCapabilities } from './capabilities.ts';

/** What its owner, or an admin, sets about a mailbox. Each change is written down with whoever made it. */

/**
 * Makes a connected shared mailbox the tenant's default.
 *
 * @param trx a transaction inside the tenant
 * @returns false where it is none
 */
export async function makeDefault(trx: Database, tenantId: string, mailboxId: string, by: ByMember): Promise<boolean> {
  const mailbox = await trx
    .selectFrom('mailboxes')
    .select(['email', 'is_default as isDefault'])
    .where('tenant_id', '=', tenantId)
    .where('id', '=', mailboxId)
    .where('kind', '=', 'shared')
    .where('state', '<>', 'disconnected')
    .forUpdate()
    .executeTakeFirst();
  if (!mailbox) return false;
  if (mailbox.isDefault) return true;
  const was = await trx
    .updateTable('mailboxes')
    .set({ is_default: false })
    .where('tenant_id', '=', tenantId)
    .where('is_default', '=', true)
    .returning('email')
    .executeTakeFirst();
  await trx
    .updateTable('mailboxes')
    .set({ is_default: true })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', mailboxId)
    .execute();
  await noteChange(trx, tenantId, by, { kind: 'default_changed', mailbox: mailbox.email, was: was?.email ?? null });
  return true;
}

/**
 * Changes how a mailbox presents itself in emails written from now on: the name before its address, and where replies
 * go (null: to the address that an email comes from).
 *
 * @param trx a transaction inside the tenant
 */
export async function changeSenderName(
  trx: Database,
  tenantId: string,
  mailboxId: string,
  { name, replyTo }: { readonly name: string; readonly replyTo: string | null },
  by: ByMember,
): Promise<void> {
  const before = await trx
    .selectFrom('mailboxes')
    .select(['email', 'display_name as name', 'reply_to as replyTo'])
    .where('tenant_id', '=', tenantId)
    .where('id', '=', mailboxId)
    .forUpdate()
    .executeTakeFirstOrThrow();
  if (before.name === name && before.replyTo === replyTo) return;
  await trx
    .updateTable('mailboxes')
    .set({ display_name: name, reply_to: replyTo })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', mailboxId)
    .execute();
  const { email: mailbox, ...from } = before;
  await noteChange(trx, tenantId, by, { kind: 'name_changed', mailbox, from, to: { name, replyTo } });
}

/**
 * Switches a capability on or off in what the mailbox wants. To send cannot be switched off.
 *
 * @param trx a transaction inside the tenant
 */
export async function wantCapability(
  trx: Database,
  tenantId: string,
  mailboxId: string,
  capability: Exclude<Capability, 'send'>,
  isOn: boolean,
  by: ByMember,
): Promise<void> {
  const { email, wanted } = await trx
    .selectFrom('mailboxes')
    .select(['email', 'wanted'])
    .where('tenant_id', '=', tenantId)
    .where('id', '=', mailboxId)
    .forUpdate()
    .executeTakeFirstOrThrow();
  if (wanted.includes(capability) === isOn) return;
  const others = wanted.filter((each) => each !== capability);
  await trx
    .updateTable('mailboxes')
    .set({ wanted: readCapabilities(isOn ? [...others, capability] : others) })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', mailboxId)
    .execute();
  const change = { mailbox: email, permission: capability, on: isOn };
  await noteChange(trx, tenantId, by, { kind: 'permission_switched', ...change });
}
