import type { Capability } from '../platform/capability.ts';
import type { Database } from '../platform/database.ts';
import { capabilitiesOf, readCapabilities } from './capabilities.ts';
import { endMailbox } from './health.ts';
import type { MailboxFacts, SendAsFacts } from './sender.ts';
import type { EndedReason } from './why-ended.ts';

/** A mailbox as the settings page and the sender rules see it. */
export interface MailboxRecord extends MailboxFacts {
  readonly googleSub: string;
  readonly stateReason: string | null;
  /** False where Google did not say why, and `stateReason` is what fits best. */
  readonly stateSure: boolean;
  readonly stateAt: Date;
  readonly connectedAt: Date;
  readonly connectedByName: string | null;
  readonly sendAsFetchedAt: Date | null;
  /** What its owner switched on. What of it Google granted is in `capabilities`. */
  readonly wanted: readonly Capability[];
  /** Granted by Google, in Google's spelling; empty when disconnected. */
  readonly scopes: readonly string[];
}

/**
 * The mailboxes that a member may use, connected or not: the shared ones, and their own.
 * The default one first.
 */
export async function listMailboxes(db: Database, tenantId: string, memberId: string): Promise<MailboxRecord[]> {
  const rows = await selectMailboxes(db, tenantId)
    .where((where) => where.or([where('mailboxes.kind', '=', 'shared'), where('mailboxes.member_id', '=', memberId)]))
    .orderBy('mailboxes.kind')
    .orderBy('mailboxes.is_default', 'desc')
    .orderBy('mailboxes.email')
    .execute();
  const sendAs = await db
    .selectFrom('send_as_addresses')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .orderBy('is_primary', 'desc')
    .orderBy('email')
    .execute();
  return rows.map(({ scopes, wanted, ...row }) => ({
    ...row,
    scopes: scopes ?? [],
    wanted: readCapabilities(wanted),
    capabilities: capabilitiesOf(scopes ?? [], wanted),
    sendAs: sendAs.filter((entry) => entry.mailbox_id === row.id).map(readSendAs),
  }));
}

/** One of the mailboxes the member may use, or undefined. */
export async function findMailbox(
  db: Database,
  tenantId: string,
  memberId: string,
  mailboxId: string,
): Promise<MailboxRecord | undefined> {
  return (await listMailboxes(db, tenantId, memberId)).find((mailbox) => mailbox.id === mailboxId);
}

function selectMailboxes(db: Database, tenantId: string) {
  return db
    .selectFrom('mailboxes')
    .leftJoin('grants', 'grants.mailbox_id', 'mailboxes.id')
    .leftJoin('members', 'members.id', 'mailboxes.connected_by')
    .select([
      'mailboxes.id',
      'mailboxes.kind',
      'mailboxes.member_id as memberId',
      'mailboxes.email',
      'mailboxes.display_name as displayName',
      'mailboxes.reply_to as replyTo',
      'mailboxes.is_default as isDefault',
      'mailboxes.state',
      'mailboxes.state_reason as stateReason',
      'mailboxes.state_sure as stateSure',
      'mailboxes.state_at as stateAt',
      'mailboxes.connected_at as connectedAt',
      'mailboxes.send_as_fetched_at as sendAsFetchedAt',
      'mailboxes.google_sub as googleSub',
      'mailboxes.wanted',
      'members.name as connectedByName',
      'grants.scopes',
    ])
    .where('mailboxes.tenant_id', '=', tenantId);
}

function readSendAs(row: {
  email: string;
  display_name: string;
  is_primary: boolean;
  verification_status: string | null;
}): SendAsFacts {
  return {
    email: row.email,
    displayName: row.display_name,
    isPrimary: row.is_primary,
    verificationStatus: row.verification_status,
  };
}

/** Marks a mailbox as one that must be connected again: {@link endMailbox} for what Gmail itself has just refused. */
export function moveMailbox(
  trx: Database,
  tenantId: string,
  mailboxId: string,
  { reason, at }: { from: 'active'; to: 'needs_reconnect'; reason: EndedReason; at: Date },
): Promise<boolean> {
  return endMailbox(trx, tenantId, mailboxId, { reason, sure: reason !== 'revoked', at });
}

/** Makes a connected shared mailbox the tenant's default. Returns false where it is none. */
export async function makeDefault(db: Database, tenantId: string, mailboxId: string): Promise<boolean> {
  const mailbox = await db
    .selectFrom('mailboxes')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('id', '=', mailboxId)
    .where('kind', '=', 'shared')
    .where('state', '<>', 'disconnected')
    .forUpdate()
    .executeTakeFirst();
  if (!mailbox) return false;
  await db
    .updateTable('mailboxes')
    .set({ is_default: false })
    .where('tenant_id', '=', tenantId)
    .where('is_default', '=', true)
    .execute();
  await db
    .updateTable('mailboxes')
    .set({ is_default: true })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', mailboxId)
    .execute();
  return true;
}
