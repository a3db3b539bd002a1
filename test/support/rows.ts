import { randomUUID } from 'node:crypto';
import type { Database } from '../../src/platform/database.ts';
import type { DeliveryState, MailboxState } from '../../src/platform/database-types.ts';

/** A shared mailbox without a grant, as if connected. Returns its id. */
export async function aMailbox(
  trx: Database,
  tenantId: string,
  over: { email?: string; isDefault?: boolean; state?: MailboxState } = {},
): Promise<string> {
  const { email = `${randomUUID()}@brightwater.example`, isDefault = false, state = 'active' } = over;
  const { id } = await trx
    .insertInto('mailboxes')
    .values({
      ...{ tenant_id: tenantId, kind: 'shared', google_sub: randomUUID(), email, display_name: 'Brightwater' },
      ...{ is_default: isDefault, state },
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

/** A test email in a state of its own, without timeline or job. Returns its id. */
export async function aDelivery(
  trx: Database,
  tenantId: string,
  memberId: string,
  state: DeliveryState,
  mailboxId?: string,
): Promise<string> {
  const { id } = await trx
    .insertInto('deliveries')
    .values({
      ...{ tenant_id: tenantId, member_id: memberId, purpose: 'test', rule_mode: 'default' },
      ...{ mailbox_id: mailboxId ?? (await aMailbox(trx, tenantId)), account: 'gmail:account' },
      ...{ from_email: 'office@brightwater.example', from_name: 'Brightwater' },
      recipients: JSON.stringify({ to: [{ name: '', email: 'mira@northgate.example' }], cc: [], bcc: [] }),
      ...{ subject: 'Hello', message: 'Here it is.', state, held_reason: state === 'held' ? 'operator' : null },
      ...{ idempotency_key: randomUUID(), request_hash: 'x' },
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

/** A run of invoices that somebody paused, without deliveries. Returns its id. */
export async function aPausedRun(
  trx: Database,
  {
    tenantId,
    memberId,
    mailboxId,
  }: { readonly tenantId: string; readonly memberId: string; readonly mailboxId: string },
): Promise<string> {
  const { id } = await trx
    .insertInto('runs')
    .values({
      ...{ tenant_id: tenantId, member_id: memberId, document_kind: 'invoice', mailbox_id: mailboxId },
      ...{ from_email: 'office@brightwater.example', from_name: 'Brightwater', subject: '', message: '', head: '{}' },
      ...{ total: 1, left_out: '{}', state: 'paused', state_at: new Date() },
      ...{ idempotency_key: randomUUID(), request_hash: 'x' },
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}
