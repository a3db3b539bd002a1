import { type SqlBool, sql } from 'kysely';
import type { Database } from '../platform/database.ts';
import type { MemberRole } from '../platform/database-types.ts';
import { capabilitiesOf } from './capabilities.ts';
import { openSwaps } from './from-swaps.ts';
import { readSendAs } from './mailboxes.ts';
import type { SenderQuestion, SenderRule } from './sender.ts';

/** A member, as far as it decides whom their emails come from. */
export interface SendingMember {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly role: MemberRole;
  readonly removedAt: Date | null;
  readonly defaultMailboxId: string | null;
}

/** Everything that decides about a member's emails but the rule. */
export type MemberFacts = Omit<SenderQuestion, 'rule'>;

/** The columns of {@link SendingMember}. */
export function selectSendingMembers(db: Database, tenantId: string) {
  return db
    .selectFrom('members')
    .select(['id', 'email', 'name', 'role', 'removed_at as removedAt', 'default_mailbox_id as defaultMailboxId'])
    .where('tenant_id', '=', tenantId);
}

/**
 * Reads what decides whom emails of these members come from, in two queries however many members there are. Of the
 * tenant's mailboxes, and of Gmail's lists of addresses, only what a rule or a member could need is read.
 *
 * @param rules all that will be asked about
 * @returns in the order of the members
 */
export async function readMemberFacts(
  db: Database,
  tenantId: string,
  members: readonly SendingMember[],
  rules: readonly SenderRule[],
): Promise<MemberFacts[]> {
  if (members.length === 0) return [];
  const addresses = wantedAddresses(members, rules);
  const rows = await selectMailboxes(db, tenantId, members, rules, addresses).execute();
  const listed = Map.groupBy(await readListed(db, tenantId, addresses), (entry) => entry.mailbox_id);
  const mailboxes = rows.map(({ scopes, wanted, ...row }) => ({
    ...row,
    capabilities: capabilitiesOf(scopes ?? [], wanted),
    sendAs: (listed.get(row.id) ?? []).map(readSendAs),
  }));
  const shared = mailboxes.filter((mailbox) => mailbox.kind === 'shared');
  const personal = Map.groupBy(mailboxes, (mailbox) => mailbox.memberId);
  return members.map(({ id, email, name, role, removedAt, defaultMailboxId }) => ({
    member: { id, email, name, defaultMailboxId, maySend: role !== 'viewer' && removedAt === null },
    // Without any mailbox there is nothing to stand in.
    standIn: rows[0]?.standsIn ?? false,
    mailboxes: [
      ...shared.map((mailbox) => ({ ...mailbox, mayUse: mailbox.forEverybody || mailbox.givenTo.includes(id) })),
      ...(personal.get(id) ?? []).map((mailbox) => ({ ...mailbox, mayUse: true })),
    ],
  }));
}

/** The same for one member. */
export async function readFactsOf(
  db: Database,
  tenantId: string,
  member: SendingMember,
  rules: readonly SenderRule[],
): Promise<MemberFacts> {
  const [facts] = await readMemberFacts(db, tenantId, [member], rules);
  if (!facts) throw new TypeError('One member and no facts');
  return facts;
}

/** The addresses that must be looked up in Gmail's lists, in small letters. */
function wantedAddresses(members: readonly SendingMember[], rules: readonly SenderRule[]): string[] {
  const ofMembers = rules.some((rule) => rule.mode === 'current_user') ? members.map((member) => member.email) : [];
  const ofRules = rules.flatMap((rule) => (rule.mode === 'alias' ? [rule.email] : []));
  return [...ofMembers, ...ofRules].map((email) => email.toLowerCase());
}

function selectMailboxes(
  db: Database,
  tenantId: string,
  members: readonly SendingMember[],
  rules: readonly SenderRule[],
  addresses: readonly string[],
) {
  const memberIds = members.map((member) => member.id);
  const named = [
    ...rules.flatMap((rule) => (rule.mode === 'alias' ? [rule.mailboxId] : [])),
    ...members.flatMap(({ defaultMailboxId }) => (defaultMailboxId === null ? [] : [defaultMailboxId])),
  ];
  return db
    .selectFrom('mailboxes')
    .leftJoin('grants', 'grants.mailbox_id', 'mailboxes.id')
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
      sql<{ reason: string; sure: boolean } | null>`case when mailboxes.state_reason is not null
        then json_build_object('reason', mailboxes.state_reason, 'sure', mailboxes.state_sure) end`.as('ended'),
      'mailboxes.wanted',
      'mailboxes.send_as_fetched_at as sendAsFetchedAt',
      'mailboxes.for_everybody as forEverybody',
      'grants.scopes',
      openSwaps.as('swapped'),
      sql<string[]>`array(select member_id from mailbox_members given
        where given.mailbox_id = mailboxes.id and given.member_id = any(${memberIds}))`.as('givenTo'),
      sql<boolean>`(select default_stands_in from tenants where id = ${tenantId})`.as('standsIn'),
    ])
    .where('mailboxes.tenant_id', '=', tenantId)
    .where(
      sql<boolean>`(mailboxes.member_id = any(${memberIds}) or (mailboxes.kind = 'shared' and (
        mailboxes.is_default or mailboxes.id = any(${named}) or lower(mailboxes.email) = any(${addresses})
        or mailboxes.id in (select listed.mailbox_id from send_as_addresses listed
          where listed.tenant_id = ${tenantId} and lower(listed.email) = any(${addresses})))))`,
    );
}

async function readListed(db: Database, tenantId: string, addresses: readonly string[]) {
  if (addresses.length === 0) return [];
  return db
    .selectFrom('send_as_addresses')
    .select(['mailbox_id', 'email', 'display_name', 'is_primary', 'verification_status'])
    .where('tenant_id', '=', tenantId)
    .where(sql<SqlBool>`lower(email) = any(${addresses})`)
    .execute();
}
