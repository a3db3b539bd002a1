import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';
import { sendingRulesOf } from '../tenants/sending-rules.ts';
import { leavesFrom } from './departure.ts';
import { type Standstill, standstillsOf } from './standing.ts';

/** When a delivery that waits in the queue leaves, and why not before. */
export interface LeavesLater {
  readonly until: Date;
  /** Its account stands still, the company's sending hours have not begun, or it is tried again then. */
  readonly why: Standstill['reason'] | 'hours' | 'retry';
}

/**
 * When deliveries leave that are queued, but not now: for the longest of what each waits for; where that ends outside the
 * sending hours, for those.
 *
 * @param hasRoom the day has room, whatever was written down of that, see `standing.ts`
 * @returns by delivery; none for one that is about to leave, or is not queued
 */
export async function departuresOf(
  db: Database,
  tenantId: string,
  deliveryIds: readonly string[],
  now: Date,
  hasRoom = false,
): Promise<Map<string, LeavesLater>> {
  if (deliveryIds.length === 0) return new Map();
  const rows = await db
    .selectFrom('deliveries')
    .select(['id', 'account', 'any_time as anyTime', 'not_before as notBefore'])
    .where('tenant_id', '=', tenantId)
    .where('id', '=', sql<string>`any(${[...deliveryIds]}::uuid[])`)
    .where('state', '=', 'queued')
    .execute();
  if (rows.length === 0) return new Map();
  const rules = await sendingRulesOf(db, tenantId);
  const standstills = await standstillsOf(db, [...new Set(rows.map(({ account }) => account))], now, hasRoom);
  return new Map(
    rows.flatMap(({ id, account, anyTime, notBefore }) => {
      const still = standstills.get(account);
      const reasons: LeavesLater[] = [
        ...(still ? [{ until: still.until, why: still.reason }] : []),
        { until: leavesFrom(rules, anyTime, now), why: 'hours' },
        ...(notBefore ? [{ until: notBefore, why: 'retry' as const }] : []),
      ];
      const longest = reasons.reduce((a, b) => (b.until > a.until ? b : a));
      if (longest.until <= now) return [];
      const opening = leavesFrom(rules, anyTime, longest.until);
      return [[id, opening > longest.until ? { until: opening, why: 'hours' } : longest]];
    }),
  );
}
