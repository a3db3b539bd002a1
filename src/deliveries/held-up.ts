import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';
import { isSeenBy, type Onlooker } from './onlooker.ts';
import { type Standstill, standstillsOf } from './standing.ts';

/** Emails that Gmail's trouble holds up, of one mailbox. */
export interface HeldUp {
  readonly mailboxEmail: string;
  readonly count: number;
  /** When they go on by themselves, or are tried again. */
  readonly until: Date;
  /** `google`: Google does not let us in. */
  readonly why: Standstill['reason'] | 'google';
  readonly everybody: boolean;
}

/**
 * What Gmail's trouble holds up of what somebody may see: emails that would leave now, were it not that their account, or
 * all of Google, stands still; and those that Google itself did not take for now. By mailbox, at most 50.
 */
export async function heldUpBy(db: Database, tenantId: string, onlooker: Onlooker, now: Date): Promise<HeldUp[]> {
  const rows = await db
    .selectFrom('deliveries')
    .innerJoin('mailboxes', 'mailboxes.id', 'deliveries.mailbox_id')
    .select(['mailboxes.email', 'deliveries.account', 'deliveries.held_reason as reason'])
    .select([sql<number>`count(*)::int`.as('count'), sql<Date | null>`min(deliveries.not_before)`.as('until')])
    .where('deliveries.tenant_id', '=', tenantId)
    .where(
      sql<boolean>`(deliveries.state = 'queued' and (deliveries.not_before is null or deliveries.not_before <= ${now})
        or deliveries.state = 'held' and deliveries.held_reason in ('sending_limit', 'operator'))`,
    )
    .where(isSeenBy(onlooker))
    .groupBy(['mailboxes.email', 'deliveries.account', 'deliveries.held_reason'])
    .orderBy('mailboxes.email')
    .limit(50)
    .execute();
  const standstills = await standstillsOf(db, [...new Set(rows.map(({ account }) => account))], now);
  const all = rows.flatMap(({ email, account, reason, count, until }): HeldUp[] => {
    const still = standstills.get(account);
    const { everybody = false } = still ?? {};
    const about = { mailboxEmail: email, count };
    if (still) return [{ ...about, until: still.until, why: still.reason, everybody }];
    if (reason === 'sending_limit' && until) return [{ ...about, until, why: 'sending_limit', everybody }];
    if (reason === 'operator' && until) return [{ ...about, until, why: 'google', everybody: true }];
    return [];
  });
  // What is queued and what is held through one mailbox waits for the same.
  const byMailbox = Map.groupBy(all, ({ mailboxEmail, why }) => `${mailboxEmail} ${why}`);
  return [...byMailbox.values()].flatMap(([first, ...others]) =>
    first ? [{ ...first, count: others.reduce((sum, each) => sum + each.count, first.count) }] : [],
  );
}
