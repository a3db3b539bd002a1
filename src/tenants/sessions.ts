import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';
import { endSessionsBefore } from './system-events.ts';

/**
 * Signs somebody out everywhere: every session of theirs that began before a moment.
 *
 * @param pools the app's pool, where the sessions are, and the cross-tenant one, where people are
 * @param account of Google, by which they sign in
 * @returns how many sessions there were
 */
export async function endSessions(
  pools: { readonly db: Database; readonly system: Database },
  account: { readonly issuer: string; readonly sub: string },
  before: Date,
): Promise<number> {
  // This first: a request under way may write its session back, and that one is over, too.
  const personId = await endSessionsBefore(pools.system, account, before);
  if (personId === undefined) return 0;
  const { numAffectedRows } = await sql`
    delete from sessions where sess ->> 'personId' = ${personId}
      and coalesce((sess ->> 'signedInAt')::bigint, 0) < ${before.getTime()}`.execute(pools.db);
  return Number(numAffectedRows ?? 0);
}
