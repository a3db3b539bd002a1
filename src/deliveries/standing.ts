import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';
import { wholeProject } from '../tenants/system-queue.ts';
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
export async function standstillOf(db: Database, account: string, now: Date): Promise<Standstill | null> {
  const rows = await db
    .selectFrom('sending_accounts')
    .select(['account', 'blocked_until', 'full_until', sql<BlockReason | null>`blocked_reason`.as('blocked_reason')])
    .where('account', 'in', [account, wholeProject])
    .execute();
  const all = rows.flatMap(({ account: whose, blocked_until, blocked_reason, full_until }): Standstill[] => {
    const everybody = whose === wholeProject;
    return [
      ...(blocked_until && blocked_reason ? [{ until: blocked_until, reason: blocked_reason, everybody }] : []),
      ...(full_until ? [{ until: full_until, reason: 'budget' as const, everybody }] : []),
    ];
  });
  const lasting = all.filter(({ until }) => until > now).sort((a, b) => b.until.getTime() - a.until.getTime());
  return lasting[0] ?? null;
}
