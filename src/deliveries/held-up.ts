import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';
import { sendingRulesOf } from '../tenants/sending-rules.ts';
import { leavesFrom } from './departure.ts';
import { keptByMailbox, keptByRun } from './kept.ts';
import { isSeenBy, type Onlooker } from './onlooker.ts';
import { type Standstill, standstillsOf } from './standing.ts';

/** Emails that Gmail's trouble holds up, of one mailbox. */
export interface HeldUp {
  readonly mailboxEmail: string;
  readonly count: number;
  /** When they go on by themselves, or are tried again. */
  readonly until: Date;
  /** `google`: Google does not let us in; `retry`: Gmail did not take it just now. */
  readonly why: Standstill['reason'] | 'google' | 'retry';
  readonly everybody: boolean;
}

/**
 * What Gmail's trouble holds up of what somebody may see: emails that would leave now, were it not that their account, or
 * all of Google, stands still; and those that Google itself did not take for now. What a person keeps besides, or the sending
 * hours, does not go on by itself when that is over, and is said elsewhere. By mailbox, at most 50.
 */
export async function heldUpBy(db: Database, tenantId: string, onlooker: Onlooker, now: Date): Promise<HeldUp[]> {
  const rows = await db
    .selectFrom('deliveries')
    .innerJoin('mailboxes', 'mailboxes.id', 'deliveries.mailbox_id')
    .select(['mailboxes.email', 'deliveries.account', 'deliveries.held_reason as reason'])
    .select('deliveries.any_time as anyTime')
    .select([sql<number>`count(*)::int`.as('count'), sql<Date | null>`min(deliveries.not_before)`.as('until')])
    .select(isTriedAgain(now).as('isTriedAgain'))
    .where('deliveries.tenant_id', '=', tenantId)
    .where(
      sql<boolean>`(deliveries.state = 'queued'
        or deliveries.state = 'held' and deliveries.held_reason in ('sending_limit', 'operator'))`,
    )
    .where(sql<boolean>`not ${keptByMailbox} and not ${keptByRun}`)
    .where(isSeenBy(onlooker))
    .groupBy(['mailboxes.email', 'deliveries.account', 'deliveries.held_reason', 'deliveries.any_time'])
    .groupBy(sql`"isTriedAgain"`)
    .orderBy('mailboxes.email')
    .limit(50)
    .execute();
  const standstills = await standstillsOf(db, [...new Set(rows.map(({ account }) => account))], now);
  const rules = await sendingRulesOf(db, tenantId);
  const all = rows.flatMap(({ email, account, reason, anyTime, count, until, isTriedAgain }): HeldUp[] => {
    const still = standstills.get(account);
    const held = whyHeld(still, { reason, isTriedAgain, until });
    // Until the hours begin, they are why it waits.
    if (!held || leavesFrom(rules, anyTime, now) > held.until) return [];
    return [{ mailboxEmail: email, count, ...held, until: leavesFrom(rules, anyTime, held.until) }];
  });
  // What is queued and what is held through one mailbox waits for the same.
  const byMailbox = Map.groupBy(all, ({ mailboxEmail, why }) => `${mailboxEmail} ${why}`);
  return [...byMailbox.values()].flatMap(([first, ...others]) =>
    first
      ? [
          {
            ...first,
            count: others.reduce((sum, each) => sum + each.count, first.count),
            until: new Date(Math.min(first.until.getTime(), ...others.map(({ until }) => until.getTime()))),
          },
        ]
      : [],
  );
}

/** Which trouble of Gmail's holds some of them up, and until when; null where none does. */
function whyHeld(
  still: Standstill | undefined,
  {
    reason,
    isTriedAgain,
    until,
  }: { readonly reason: string | null; readonly isTriedAgain: boolean; readonly until: Date | null },
): Pick<HeldUp, 'until' | 'why' | 'everybody'> | null {
  const everybody = still?.everybody ?? false;
  if (still) return { until: still.until, why: still.reason, everybody };
  if (!until) return null;
  if (reason === 'sending_limit') return { until, why: 'sending_limit', everybody };
  if (reason === 'operator') return { until, why: 'google', everybody: true };
  return isTriedAgain ? { until, why: 'retry', everybody } : null;
}

/** SQL: whether it is queued for another try, and that is still ahead. */
function isTriedAgain(now: Date) {
  return sql<boolean>`(deliveries.state = 'queued' and coalesce(deliveries.not_before > ${now}::timestamptz, false))`;
}
