import { type SqlBool, sql } from 'kysely';
import type { Database } from '../platform/database.ts';

/** Whom a delegation reaches among a tenant's members, and how many it is not needed for. */
export interface Reach {
  /** Members who are sent as by delegation. */
  readonly byWorkspace: number;
  /** Members with a Gmail of their own connected: that goes first. */
  readonly own: number;
  /** Emails that wait for a mailbox of the delegation. */
  readonly waiting: number;
  /** Members it cannot be used for, by name; at most {@link shown}. */
  readonly troubled: readonly Troubled[];
  /** How many more there are. */
  readonly more: number;
}

/** A member of the domain who cannot be sent as. */
export interface Troubled {
  readonly name: string;
  readonly email: string;
  /** Why: they have not signed in since we note it; no Workspace manages their account; or what Google said. */
  readonly why: 'not_seen' | 'not_managed' | 'no_such_person' | 'other_person' | 'other';
}

const shown = 20;

/** Looks through the members whose address is of the domain; those who may only look are left out. */
export async function reachOf(db: Database, tenantId: string, domain: string): Promise<Reach> {
  const standing = sql<'own' | 'workspace' | Troubled['why']>`case
    when exists (select from mailboxes own where own.member_id = members.id and own.kind = 'personal'
      and not own.delegated and own.state <> 'disconnected') then 'own'
    when members.google_sub is null then 'not_seen'
    when members.hd is null then 'not_managed'
    else coalesce((select case
      when theirs.state_reason in ('no_such_person', 'other_person') then theirs.state_reason
      when theirs.state_reason in ('account_disabled', 'admin_policy') then 'other'
      end from mailboxes theirs where theirs.member_id = members.id and theirs.delegated
        and theirs.email = lower(members.email) and theirs.state = 'needs_reconnect'), 'workspace')
    end`;
  const rows = await db
    .selectFrom('members')
    .select(['name', 'email', standing.as('standing')])
    .where('tenant_id', '=', tenantId)
    .where('removed_at', 'is', null)
    .where('role', '<>', 'viewer')
    .where(sql<SqlBool>`lower(split_part(email, '@', 2)) = ${domain}`)
    .orderBy('name')
    .execute();
  const { waiting } = await db
    .selectFrom('deliveries')
    .innerJoin('mailboxes', 'mailboxes.id', 'deliveries.mailbox_id')
    .select((eb) => eb.fn.countAll<string>().as('waiting'))
    .where('deliveries.tenant_id', '=', tenantId)
    .where('deliveries.state', 'in', ['queued', 'held'])
    .where('mailboxes.delegated', '=', true)
    .where(sql<SqlBool>`split_part(mailboxes.email, '@', 2) = ${domain}`)
    .executeTakeFirstOrThrow();
  const troubled = rows.flatMap(({ name, email, standing }) =>
    standing === 'own' || standing === 'workspace' ? [] : [{ name, email, why: standing }],
  );
  return {
    byWorkspace: rows.filter((row) => row.standing === 'workspace').length,
    own: rows.filter((row) => row.standing === 'own').length,
    waiting: Number(waiting),
    troubled: troubled.slice(0, shown),
    more: Math.max(0, troubled.length - shown),
  };
}
