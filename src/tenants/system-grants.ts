import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';

/**
 * What crosses tenants about grants: how one Google account or one OAuth client fares as a whole. As in `system.ts`,
 * these run on the cross-tenant pool; of a grant its role may read ages, client and key ids, and no token.
 */

/** Our registration with a Google. */
export interface ClientIdentity {
  readonly issuer: string;
  readonly clientId: string;
}

/**
 * Counts a refresh token that Google has just given us.
 *
 * @returns its place among those for the same account and client, the first being 1
 */
export async function noteGoogleToken(
  system: Database,
  { issuer, clientId, sub }: ClientIdentity & { readonly sub: string },
): Promise<number> {
  const { made } = await system
    .insertInto('google_tokens')
    .values({ issuer, client_id: clientId, google_sub: sub, made: 1 })
    .onConflict((conflict) =>
      conflict
        .columns(['issuer', 'client_id', 'google_sub'])
        .doUpdateSet({ made: sql<number>`google_tokens.made + 1` }),
    )
    .returning('made')
    .executeTakeFirstOrThrow();
  return made;
}

/** How many refresh tokens Google ever gave us for an account and client. */
export async function countGoogleTokens(
  system: Database,
  { issuer, clientId, sub }: ClientIdentity & { readonly sub: string },
): Promise<number> {
  const row = await system
    .selectFrom('google_tokens')
    .select('made')
    .where('issuer', '=', issuer)
    .where('client_id', '=', clientId)
    .where('google_sub', '=', sub)
    .executeTakeFirst();
  return row?.made ?? 0;
}

/** Whether some standing grant of a client, of whatever tenant, was still renewed at an age above `ms`. */
export async function someGrantOutlived(
  system: Database,
  { issuer, clientId }: ClientIdentity,
  ms: number,
): Promise<boolean> {
  const row = await system
    .selectFrom('grants')
    .select('mailbox_id')
    .where('issuer', '=', issuer)
    .where('client_id', '=', clientId)
    .where(sql<boolean>`last_refreshed_at - granted_at > ${ms / 1_000} * interval '1 second'`)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}
