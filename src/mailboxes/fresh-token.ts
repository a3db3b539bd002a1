import type { AccessToken } from '../google/gmail.ts';
import type { Database } from '../platform/database.ts';
import { type KeyRing, KeyRingError } from '../platform/key-ring.ts';
import { openGrant } from './grant-vault.ts';

/** An access token that ends sooner than this is renewed before it is used. */
export const renewAheadMs = 5 * 60_000;

/**
 * The kept access token of a mailbox, where it is good for a few minutes more: one query, and nobody is asked. Null
 * says to go through `AccessTokens`, which also explains what is wrong.
 *
 * @param trx inside the tenant
 */
export async function readFreshToken(
  trx: Database,
  keys: KeyRing,
  tenantId: string,
  mailboxId: string,
  now: Date,
): Promise<AccessToken | null> {
  try {
    const access = (await openGrant(trx, keys, tenantId, mailboxId))?.access;
    return access && access.expiresAt.getTime() > now.getTime() + renewAheadMs ? access : null;
  } catch (error) {
    if (error instanceof KeyRingError) return null;
    throw error;
  }
}
