import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';
import { capabilitiesOf } from './capabilities.ts';
import { sendAsMaxAgeMs } from './send-as.ts';
import type { RefusalReason } from './sender.ts';

/** Refusals that rest on what Gmail listed: somebody may have added or confirmed the address since. */
const byList: readonly RefusalReason[] = ['address_pending', 'member_has_no_address', 'alias_gone'];

/** Nobody waits for more mailboxes than this. */
const most = 3;

/**
 * The shared mailboxes of which Gmail should be asked again before a member is refused for this reason: those that they
 * may use, and whose list was read more than 15 minutes ago. The default one first, and three at most.
 */
export async function oldListsFor(
  db: Database,
  tenantId: string,
  memberId: string,
  reason: RefusalReason,
  now: Date,
): Promise<string[]> {
  if (!byList.includes(reason)) return [];
  const rows = await db
    .selectFrom('mailboxes')
    .innerJoin('grants', 'grants.mailbox_id', 'mailboxes.id')
    .select(['mailboxes.id', 'mailboxes.wanted', 'grants.scopes'])
    .where('mailboxes.tenant_id', '=', tenantId)
    .where('mailboxes.kind', '=', 'shared')
    .where('mailboxes.state', '=', 'active')
    .where(
      sql<boolean>`(mailboxes.for_everybody or exists (select 1 from mailbox_members given
        where given.mailbox_id = mailboxes.id and given.member_id = ${memberId}))`,
    )
    .where(
      sql<boolean>`coalesce(mailboxes.send_as_fetched_at, '-infinity') < ${new Date(now.getTime() - sendAsMaxAgeMs)}`,
    )
    .orderBy('mailboxes.is_default', 'desc')
    .orderBy('mailboxes.email')
    .limit(100)
    .execute();
  return rows
    .filter(({ scopes, wanted }) => capabilitiesOf(scopes, wanted).includes('aliases'))
    .slice(0, most)
    .map(({ id }) => id);
}
