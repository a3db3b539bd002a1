import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';

const dayMs = 86_400_000;

/** A company would have more recipients within 24 hours than the operator allows it; what was written must be taken back. */
export class RecipientCapError extends Error {
  override readonly name = 'RecipientCapError';
  readonly code = 'recipient_cap';
  /** How many are allowed. */
  readonly perDay: number;
  /** How many were left before. */
  readonly left: number;
  /** How many were to be written to. */
  readonly wanted: number;
  /** In how many milliseconds there is room for all of them; null where there never is, since they are more than a day's. */
  readonly waitMs: number | null;

  constructor({ perDay, left, wanted, waitMs }: Pick<RecipientCapError, 'perDay' | 'left' | 'wanted' | 'waitMs'>) {
    super(`More than ${perDay} recipients within 24 hours`);
    this.perDay = perDay;
    this.left = left;
    this.wanted = wanted;
    this.waitMs = waitMs;
  }
}

/** How many more recipients a company may have now, and from when on it may have as many as were asked about. */
export interface CapRoom {
  readonly perDay: number;
  readonly left: number;
  /** Now, where there is room; null where they are more than a day allows, so that there never is. */
  readonly from: Date | null;
}

/**
 * Foretells what the cap says of so many recipients more: before anybody presses Send.
 *
 * @param perDay null where the operator set no cap
 * @returns null where there is no cap
 */
export async function capRoom(
  trx: Database,
  tenantId: string,
  perDay: number | null,
  wanted: number,
  now: Date,
): Promise<CapRoom | null> {
  if (perDay === null) return null;
  const { count } = await countRecipients(trx, tenantId, now);
  const left = Math.max(0, perDay - count);
  if (wanted <= left) return { perDay, left, from: now };
  return { perDay, left, from: wanted > perDay ? null : await roomFrom(trx, tenantId, now, count + wanted - perDay) };
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
  const { count } = await countRecipients(trx, tenantId, now);
  if (count <= perDay) return;
  const { wanted, enough } = await findRoom(trx, tenantId, now, count - perDay);
  const waitMs = enough && Math.max(1_000, enough.getTime() + dayMs - now.getTime());
  throw new RecipientCapError({ perDay, left: Math.max(0, perDay - (count - wanted)), wanted, waitMs });
}

/** When as many as are too many are a day old. */
async function roomFrom(trx: Database, tenantId: string, now: Date, tooMany: number): Promise<Date> {
  const { enough } = await findRoom(trx, tenantId, now, tooMany);
  return new Date((enough ?? now).getTime() + dayMs);
}

const recipientsOf = sql`(jsonb_array_length(recipients -> 'to') + jsonb_array_length(recipients -> 'cc')
  + jsonb_array_length(recipients -> 'bcc'))`;

async function countRecipients(trx: Database, tenantId: string, now: Date) {
  const since = new Date(now.getTime() - dayMs);
  const { rows } = await sql<{ count: number }>`
    select coalesce(sum(${recipientsOf}), 0)::int as count
    from deliveries where tenant_id = ${tenantId}::uuid and created_at > ${since}`.execute(trx);
  return rows[0] ?? { count: 0 };
}

/**
 * How many recipients this transaction wrote to, and the email of before that is a day old when as many as are too many are;
 * null where they never are. What it only changed, because another took its place, is of before.
 */
async function findRoom(trx: Database, tenantId: string, now: Date, tooMany: number) {
  const since = new Date(now.getTime() - dayMs);
  const { rows } = await sql<{ wanted: number; enough: Date | null }>`
    with written as (
      select created_at, ${recipientsOf} as recipients,
        coalesce(xmin::text = pg_current_xact_id_if_assigned()::xid::text, false) and replaced_by is null as now
      from deliveries where tenant_id = ${tenantId}::uuid and created_at > ${since}
    ), before as (
      select created_at, sum(recipients) over (order by created_at) as freed from written where not now
    )
    select coalesce((select sum(recipients) from written where now), 0)::int as wanted,
      (select min(created_at) from before where freed >= ${tooMany}) as enough`.execute(trx);
  return rows[0] ?? { wanted: 0, enough: null };
}
