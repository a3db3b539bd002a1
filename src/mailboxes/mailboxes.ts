import { type RawBuilder, sql } from 'kysely';
import type { Capability } from '../platform/capability.ts';
import type { Database } from '../platform/database.ts';
import { isUsableBy, isVisibleTo } from './access.ts';
import { capabilitiesOf, readCapabilities } from './capabilities.ts';
import { placeDelegatedMailboxes } from './delegated-mailboxes.ts';
import { openSwaps } from './from-swaps.ts';
import type { MailboxFacts, SendAsFacts } from './sender-facts.ts';

/** A mailbox as the pages show it. */
export interface MailboxRecord extends MailboxFacts {
  readonly googleSub: string;
  /** What limits at the provider are about; see `src/platform/account.ts`. */
  readonly account: string;
  readonly stateReason: string | null;
  /** False where Google did not say why, and `stateReason` is what fits best. */
  readonly stateSure: boolean;
  readonly stateAt: Date;
  /** Who paused it, while it is paused. */
  readonly pausedByName: string | null;
  readonly connectedAt: Date;
  readonly connectedByName: string | null;
  /** What its owner switched on. What of it Google granted is in `capabilities`. */
  readonly wanted: readonly Capability[];
  /** Granted by Google, in Google's spelling; empty when disconnected. */
  readonly scopes: readonly string[];
  /** Of a shared one: whether everybody may use it, or only those it was given to. */
  readonly forEverybody: boolean;
  /** To how many members it was given; of no consequence while it is for everybody. */
  readonly givenTo: number;
}

/**
 * The mailboxes that a member may know of, connected or not: those they may use, and for owners and admins every
 * shared one, because they decide about it. Each says whether they may use it. The default one first.
 */
export async function listMailboxes(db: Database, tenantId: string, memberId: string): Promise<MailboxRecord[]> {
  await placeDelegatedMailboxes(db, tenantId, [memberId]);
  return readMailboxes(db, tenantId, memberId, isVisibleTo(memberId));
}

/** Whether the tenant has a connected shared mailbox, whoever may use it. */
export async function hasSharedMailbox(db: Database, tenantId: string): Promise<boolean> {
  const row = await db
    .selectFrom('mailboxes')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('kind', '=', 'shared')
    .where('state', '<>', 'disconnected')
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** One of the mailboxes that the member may know of, as in {@link listMailboxes}, or undefined. */
export async function findMailbox(
  db: Database,
  tenantId: string,
  memberId: string,
  mailboxId: string,
): Promise<MailboxRecord | undefined> {
  const [mailbox] = await readMailboxes(
    db,
    tenantId,
    memberId,
    // As text, because an id from a form may be anything.
    sql<boolean>`(mailboxes.id::text = ${mailboxId} and ${isVisibleTo(memberId)})`,
  );
  return mailbox;
}

async function readMailboxes(
  db: Database,
  tenantId: string,
  memberId: string,
  which: RawBuilder<boolean>,
): Promise<MailboxRecord[]> {
  const rows = await selectMailboxes(db, tenantId, memberId)
    .where(which)
    .orderBy('mailboxes.kind')
    .orderBy('mailboxes.is_default', 'desc')
    .orderBy('mailboxes.email')
    .execute();
  if (rows.length === 0) return [];
  const sendAs = await db
    .selectFrom('send_as_addresses')
    .select(['mailbox_id', 'email', 'display_name', 'is_primary', 'verification_status'])
    .where('tenant_id', '=', tenantId)
    .where('mailbox_id', 'in', [...rows.map((row) => row.id)])
    .orderBy('is_primary', 'desc')
    .orderBy('email')
    .execute();
  const byMailbox = Map.groupBy(sendAs, (entry) => entry.mailbox_id);
  return rows.map(({ scopes, wanted, ...row }) => ({
    ...row,
    scopes: scopes ?? [],
    wanted: readCapabilities(wanted),
    capabilities: capabilitiesOf(scopes ?? [], wanted),
    ended: row.stateReason === null ? null : { reason: row.stateReason, sure: row.stateSure },
    sendAs: (byMailbox.get(row.id) ?? []).map(readSendAs),
  }));
}

function selectMailboxes(db: Database, tenantId: string, memberId: string) {
  return db
    .selectFrom('mailboxes')
    .leftJoin('grants', 'grants.mailbox_id', 'mailboxes.id')
    .leftJoin('members', 'members.id', 'mailboxes.connected_by')
    .leftJoin('members as pauser', 'pauser.id', 'mailboxes.paused_by')
    .select([
      'mailboxes.id',
      'mailboxes.kind',
      'mailboxes.member_id as memberId',
      'mailboxes.delegated',
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
      'mailboxes.account',
      'mailboxes.wanted',
      'mailboxes.for_everybody as forEverybody',
      'members.name as connectedByName',
      'pauser.name as pausedByName',
      'grants.scopes',
      openSwaps.as('swapped'),
      isUsableBy(memberId).as('mayUse'),
      sql<number>`(select count(*)::int from mailbox_members given where given.mailbox_id = mailboxes.id)`.as(
        'givenTo',
      ),
    ])
    .where('mailboxes.tenant_id', '=', tenantId);
}

/** A row of Gmail's *Send mail as* list as the sender rules see it. */
export function readSendAs(row: {
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
