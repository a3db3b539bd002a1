import { sql } from 'kysely';
import { inTenant } from '../tenants/scope.ts';
import { findOldAttempts, takeChore } from '../tenants/system-chores.ts';
import type { DeliverContext } from './context.ts';

/** What it needs. */
export interface HousekeepingContext extends Pick<DeliverContext, 'db' | 'system' | 'clock' | 'log'> {
  /** How many days attempts are kept that tell nothing any more. */
  readonly attemptsKeptDays: number;
}

/** Rows of one statement, and statements of one round: what is left then waits for the next. */
const batch = 1_000;
const mostBatches = 50;
const everyMs = 10 * 60_000;

/**
 * Takes away what nobody needs any more, in small pieces, one process at a time. What a dispute needs stays as long as
 * its delivery: state, timeline, Gmail's ids, the file, every attempt that was accepted, refused for good or never
 * answered, and the last one. `docs/operating.md` lists what bounds each table.
 *
 * @returns how many rows it took away
 */
export async function keepHouse(ctx: HousekeepingContext): Promise<number> {
  if (!(await takeChore(ctx.system, 'housekeeping', everyMs, ctx.clock()))) return 0;
  const sessions = await inBatches(() => dropSessions(ctx));
  const counters = await inBatches(() => dropCounters(ctx));
  const attempts = await inBatches(() => dropAttempts(ctx));
  return sessions + counters + attempts;
}

async function inBatches(drop: () => Promise<number>): Promise<number> {
  let all = 0;
  for (let round = 0; round < mostBatches; round += 1) {
    const dropped = await drop();
    all += dropped;
    if (dropped < batch) break;
  }
  return all;
}

/** Sessions, consents and choices that were never finished: all live in one table, by PostgreSQL's clock. */
async function dropSessions({ db }: HousekeepingContext): Promise<number> {
  const { numAffectedRows } = await sql`delete from sessions where sid in (
    select sid from sessions where expire < now() order by expire limit ${batch} for update skip locked)`.execute(db);
  return Number(numAffectedRows ?? 0);
}

/** Counters of rate limits whose time is over, by the machine's clock, as they were written. */
async function dropCounters({ db }: HousekeepingContext): Promise<number> {
  const { numAffectedRows } = await sql`delete from rate_limits where key in (
    select key from rate_limits where expire < ${Date.now()} order by expire limit ${batch} for update skip locked)`.execute(
    db,
  );
  return Number(numAffectedRows ?? 0);
}

async function dropAttempts({ db, system, clock, attemptsKeptDays }: HousekeepingContext): Promise<number> {
  const before = new Date(clock().getTime() - attemptsKeptDays * 86_400_000);
  const old = await findOldAttempts(system, before, batch);
  for (const [tenantId, theirs] of Map.groupBy(old, (attempt) => attempt.tenantId)) {
    const ids = theirs.map(({ id }) => id);
    await inTenant(db, tenantId, (trx) =>
      trx
        .deleteFrom('attempts')
        .where('tenant_id', '=', tenantId)
        .where('id', '=', sql<string>`any(${ids}::uuid[])`)
        .execute(),
    );
  }
  return old.length;
}
