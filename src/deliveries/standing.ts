import { sql } from 'kysely';
import { everyAccountAt } from '../platform/account.ts';
import type { Database } from '../platform/database.ts';
import type { BlockReason } from './pacing.ts';

/**
 * Why nothing leaves through an account just now: what Gmail said of it, or that its day's budget is used up. `everybody`
 * where it is not about this account but about all of Google.
 */
export interface Standstill {
  readonly until: Date;
  readonly reason: BlockReason | 'budget';
  readonly everybody: boolean;
}

/** Whether an account stands still, and for the longest of its reasons; null where it does not. */
export async function standstillOf(
  db: Database,
  account: string,
  now: Date,
  hasRoom = false,
): Promise<Standstill | null> {
  return (await standstillsOf(db, [account], now, hasRoom)).get(account) ?? null;
}

/**
 * The same of many accounts; none for one that does not stand still.
 *
 * @param hasRoom the day has room: what a round of the pacer wrote down before its limit was raised does not count
 */
export async function standstillsOf(
  db: Database,
  accounts: readonly string[],
  now: Date,
  hasRoom = false,
): Promise<Map<string, Standstill>> {
  if (accounts.length === 0) return new Map();
  const rows = await db
    .selectFrom('sending_accounts')
    .select(['account', 'blocked_until', 'full_until', sql<BlockReason | null>`blocked_reason`.as('blocked_reason')])
    .where('account', 'in', [...new Set(accounts.flatMap((account) => [account, everyAccountAt(account)]))])
    .execute();
  const all = rows.map(({ account, blocked_until, blocked_reason, full_until }) => {
    const everybody = account === everyAccountAt(account);
    const reasons: Standstill[] = [
      ...(blocked_until && blocked_reason ? [{ until: blocked_until, reason: blocked_reason, everybody }] : []),
      ...(full_until && !hasRoom ? [{ until: full_until, reason: 'budget' as const, everybody }] : []),
    ];
    return { account, reasons: reasons.filter(({ until }) => until > now) };
  });
  return new Map(
    accounts.flatMap((account) => {
      const theirs = all.flatMap((each) =>
        each.account === account || each.account === everyAccountAt(account) ? each.reasons : [],
      );
      const [longest] = theirs.toSorted((a, b) => b.until.getTime() - a.until.getTime());
      return longest ? [[account, longest]] : [];
    }),
  );
}
