import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';

const dayMs = 86_400_000;

/** A company would have more recipients within 24 hours than the operator allows it; what was written must be taken back. */
export class RecipientCapError extends Error {
  override readonly name = 'RecipientCapError';
  readonly code = 'recipient_cap';
  /** How many are allowed. */
  readonly perDay: number;
  /** In how many milliseconds there is room again, for the first of them. */
  readonly waitMs: number;

  constructor(perDay: number, waitMs: number) {
    super(`More than ${perDay} recipients within 24 hours`);
    this.perDay = perDay;
    this.waitMs = waitMs;
  }
}

/** Whether a company has no recipient left within 24 hours, and from when on it has again; null where it has some. */
export async function capReached(
  trx: Database,
  tenantId: string,
  perDay: number | null,
  now: Date,
): Promise<{ readonly perDay: number; readonly until: Date } | null> {
  if (perDay === null) return null;
  const { count, oldest } = await countRecipients(trx, tenantId, now);
  if (count < perDay || oldest === null) return null;
  return { perDay, until: new Date(oldest.getTime() + dayMs) };
}

/**
 * Counts the recipients of all emails that a company wrote within 24 hours, whoever wrote them and by whatever way, and
 * refuses when they are too many. Call it in the transaction that writes emails, after they are written: it sees them, and
 * its error takes them back.
 *
 * @param perDay null where the operator set no cap
 * @throws {RecipientCapError}
 */
export async function assertWithinCap(
  trx: Database,
  tenantId: string,
  perDay: number | null,
  now: Date,
): Promise<void> {
  if (perDay === null) return;
  const { count, oldest } = await countRecipients(trx, tenantId, now);
  if (count <= perDay) return;
  throw new RecipientCapError(perDay, Math.max(1_000, (oldest ?? now).getTime() + dayMs - now.getTime()));
}

async function countRecipients(trx: Database, tenantId: string, now: Date) {
  const since = new Date(now.getTime() - dayMs);
  const { rows } = await sql<{ count: number; oldest: Date | null }>`
    select coalesce(sum(jsonb_array_length(recipients -> 'to') + jsonb_array_length(recipients -> 'cc')
      + jsonb_array_length(recipients -> 'bcc')), 0)::int as count, min(created_at) as oldest
    from deliveries where tenant_id = ${tenantId}::uuid and created_at > ${since}`.execute(trx);
  return rows[0] ?? { count: 0, oldest: null };
}
