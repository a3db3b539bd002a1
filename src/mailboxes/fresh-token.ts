import { sql } from 'kysely';
import type { AccessToken } from '../google/gmail.ts';
import type { Database } from '../platform/database.ts';
import type { KeyRing } from '../platform/key-ring.ts';
import { openAccessToken } from './grant-vault.ts';

/** An access token that ends sooner than this is renewed before it is used. */
export const renewAheadMs = 5 * 60_000;

/**
 * The kept access tokens of mailboxes, where they are good for a few minutes more: one query, and nobody is asked. A
 * mailbox that is missing in the answer goes through `AccessTokens`, which also explains what is wrong.
 *
 * @param trx inside the tenant
 */
export async function readFreshTokens(
  trx: Database,
  keys: KeyRing,
  tenantId: string,
  mailboxIds: readonly string[],
  now: Date,
): Promise<Map<string, AccessToken>> {
  if (mailboxIds.length === 0) return new Map();
  const rows = await trx
    .selectFrom('grants')
    .select(['mailbox_id', 'kind', 'access_token', 'access_token_expires_at'])
    .where('tenant_id', '=', tenantId)
    .where('mailbox_id', '=', sql<string>`any(${[...mailboxIds]}::uuid[])`)
    .where('access_token_expires_at', '>', new Date(now.getTime() + renewAheadMs))
    .execute();
  return new Map(
    rows.flatMap(({ mailbox_id: mailboxId, kind, access_token: sealed, access_token_expires_at: expiresAt }) => {
      const token = sealed && openAccessToken(keys, tenantId, mailboxId, sealed);
      return token && expiresAt
        ? [[mailboxId, { token, expiresAt, ...(kind === 'delegated' && { foreign: true as const }) }] as const]
        : [];
    }),
  );
}
