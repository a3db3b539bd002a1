import { sql } from 'kysely';
import type { AccessToken } from '../google/gmail.ts';
import type { TokenAnswer } from '../google/oauth.ts';
import type { Database } from '../platform/database.ts';
import { type KeyRing, tryToOpen } from '../platform/key-ring.ts';
import { lockMailbox } from './lock.ts';
import { prefixDigest, tokenDigest } from './token-digest.ts';

/** The tokens behind a mailbox, opened. Keep it in a variable, never in a log, an error or an answer. */
export interface OpenGrant {
  readonly issuer: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** Null for a delegated grant: its access tokens come from the company's service account. */
  readonly refreshToken: string | null;
  readonly grantedAt: Date;
  /** When Google last gave an access token for it. */
  readonly lastRefreshedAt: Date;
  /** When it ends by itself, where Google said so. */
  readonly endsAt: Date | null;
  /** Its place among the refresh tokens that Google gave us for this account and client. */
  readonly number: number;
  readonly access: AccessToken | null;
}

/** What a consent leaves to be kept. */
export interface NewGrant {
  readonly issuer: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly refreshToken: string;
  readonly accessToken: string;
  readonly expiresAt: Date;
  readonly grantedAt: Date;
  /** When it ends by itself, where Google said so. */
  readonly endsAt: Date | null;
  /** From `noteGoogleToken`. */
  readonly number: number;
}

/** What a refresh brought, by the product's clock. */
export interface RefreshedTokens extends Omit<TokenAnswer, 'expiresInMs' | 'endsInMs'> {
  readonly expiresAt: Date;
  readonly refreshedAt: Date;
  readonly endsAt?: Date;
}

// What a token belongs to is sealed in with it: copied into another row, it does not open.
const context = (tenantId: string, mailboxId: string, token: 'refresh' | 'access') =>
  `grant/${tenantId}/${mailboxId}/${token}`;

/** Writes the grant of a mailbox, in place of an earlier one. */
export async function keepGrant(
  db: Database,
  keys: KeyRing,
  tenantId: string,
  mailboxId: string,
  grant: NewGrant,
): Promise<void> {
  const row = {
    issuer: grant.issuer,
    client_id: grant.clientId,
    scopes: [...grant.scopes],
    ...sealRefresh(keys, tenantId, mailboxId, grant.refreshToken),
    access_token: keys.seal(grant.accessToken, context(tenantId, mailboxId, 'access')),
    access_token_expires_at: grant.expiresAt,
    refresh_lease_until: null,
    refresh_lease_by: null,
    granted_at: grant.grantedAt,
    last_refreshed_at: grant.grantedAt,
    ends_at: grant.endsAt,
    number: grant.number,
  };
  await db
    .insertInto('grants')
    .values({ tenant_id: tenantId, mailbox_id: mailboxId, ...row })
    .onConflict((conflict) => conflict.column('mailbox_id').doUpdateSet(row))
    .execute();
}

/** A refresh token as the row keeps it: sealed, and with the digests by which Google's events name it. */
function sealRefresh(keys: KeyRing, tenantId: string, mailboxId: string, token: string) {
  return {
    refresh_token: keys.seal(token, context(tenantId, mailboxId, 'refresh')),
    refresh_token_digest: tokenDigest(token),
    refresh_prefix_digest: prefixDigest(token),
  };
}

/**
 * Reads and opens a grant; undefined when the mailbox has none.
 *
 * @throws {KeyRingError} when the key it was sealed with is missing or wrong
 */
export async function openGrant(
  db: Database,
  keys: KeyRing,
  tenantId: string,
  mailboxId: string,
): Promise<OpenGrant | undefined> {
  const row = await db
    .selectFrom('grants')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('mailbox_id', '=', mailboxId)
    .executeTakeFirst();
  if (!row) return undefined;
  return {
    issuer: row.issuer,
    clientId: row.client_id,
    scopes: row.scopes,
    refreshToken: row.refresh_token && keys.open(row.refresh_token, context(tenantId, mailboxId, 'refresh')),
    grantedAt: row.granted_at,
    lastRefreshedAt: row.last_refreshed_at,
    endsAt: row.ends_at,
    number: row.number,
    access:
      row.access_token && row.access_token_expires_at
        ? {
            token: keys.open(row.access_token, context(tenantId, mailboxId, 'access')),
            expiresAt: row.access_token_expires_at,
            ...(row.kind === 'delegated' && { foreign: true as const }),
          }
        : null,
  };
}

/** Opens a sealed access token of a mailbox; null where this ring cannot. */
export function openAccessToken(keys: KeyRing, tenantId: string, mailboxId: string, sealed: Buffer): string | null {
  return tryToOpen(keys, sealed, context(tenantId, mailboxId, 'access')) ?? null;
}

/**
 * Keeps what a refresh brought, if the grant is still the one that was refreshed, whichever key seals it by now.
 * A missing refresh token replaces nothing.
 *
 * @returns whether it was kept
 */
export async function keepRefreshed(
  db: Database,
  keys: KeyRing,
  tenantId: string,
  mailboxId: string,
  refreshed: OpenGrant,
  answer: RefreshedTokens,
): Promise<boolean> {
  if (!(await isStanding(db, keys, tenantId, mailboxId, refreshed))) return false;
  await db
    .updateTable('grants')
    .set({
      access_token: keys.seal(answer.accessToken, context(tenantId, mailboxId, 'access')),
      access_token_expires_at: answer.expiresAt,
      refresh_lease_until: null,
      refresh_lease_by: null,
      last_refreshed_at: answer.refreshedAt,
      ...(answer.endsAt && { ends_at: answer.endsAt }),
      ...(answer.refreshToken && sealRefresh(keys, tenantId, mailboxId, answer.refreshToken)),
      ...(answer.scopes && { scopes: [...answer.scopes] }),
    })
    .where('tenant_id', '=', tenantId)
    .where('mailbox_id', '=', mailboxId)
    .execute();
  return true;
}

/** Whether the row still holds this grant, whichever key seals it by now; locks it until the transaction ends. */
export async function isStanding(
  db: Database,
  keys: KeyRing,
  tenantId: string,
  mailboxId: string,
  grant: OpenGrant,
): Promise<boolean> {
  // Sealed anew while Google answered, it reads differently and is the same: the row is locked, and looked into.
  await lockGrant(db, tenantId, mailboxId);
  const standing = await openGrant(db, keys, tenantId, mailboxId);
  // A delegated one has no refresh token, and is known by its service account.
  return standing?.refreshToken === grant.refreshToken && standing.clientId === grant.clientId;
}

/**
 * Seals a grant's tokens with the newest key. A grant that is being refreshed is left alone: whoever holds its
 * lease may be about to write it. An access token that does not open is dropped; the next use fetches another.
 *
 * @param db a transaction inside the tenant
 * @returns `unopened` when its refresh token does not open with any key of the ring: nothing is changed then
 */
export async function resealGrant(
  db: Database,
  keys: KeyRing,
  tenantId: string,
  mailboxId: string,
): Promise<'resealed' | 'current' | 'refreshing' | 'unopened' | 'gone'> {
  const row = await lockGrant(db, tenantId, mailboxId);
  if (!row) return 'gone';
  const id = keys.currentId;
  if ((row.refresh_key_id ?? id) === id && (row.access_key_id ?? id) === id) return 'current';
  if (row.refreshing) return 'refreshing';
  const reseal = (token: 'refresh' | 'access', sealed: Buffer) => {
    const opened = tryToOpen(keys, sealed, context(tenantId, mailboxId, token));
    return opened === undefined ? null : keys.seal(opened, context(tenantId, mailboxId, token));
  };
  const refreshToken = row.refresh_token && reseal('refresh', row.refresh_token);
  if (row.refresh_token && !refreshToken) return 'unopened';
  await db
    .updateTable('grants')
    .set({ refresh_token: refreshToken, access_token: row.access_token && reseal('access', row.access_token) })
    .where('tenant_id', '=', tenantId)
    .where('mailbox_id', '=', mailboxId)
    .execute();
  return 'resealed';
}

/** One kept token as an inspection finds it: never the token itself. */
export interface KeptToken {
  readonly keyId: string | null;
  readonly opens: boolean;
}

/**
 * Says of a grant's tokens which keys seal them and whether this ring opens them; undefined without a grant.
 *
 * @param db a transaction inside the tenant; the row stays locked until it ends
 */
export async function inspectGrant(
  db: Database,
  keys: KeyRing,
  tenantId: string,
  mailboxId: string,
): Promise<{ refresh: KeptToken | null; access: KeptToken | null } | undefined> {
  const row = await lockGrant(db, tenantId, mailboxId);
  if (!row) return undefined;
  const opens = (token: 'refresh' | 'access', sealed: Buffer) =>
    tryToOpen(keys, sealed, context(tenantId, mailboxId, token)) !== undefined;
  return {
    refresh: row.refresh_token && { keyId: row.refresh_key_id, opens: opens('refresh', row.refresh_token) },
    access: row.access_token && { keyId: row.access_key_id, opens: opens('access', row.access_token) },
  };
}

/** Locks a grant's row until the transaction ends; before it that of its mailbox, as everybody does who needs both. */
async function lockGrant(db: Database, tenantId: string, mailboxId: string) {
  await lockMailbox(db, tenantId, mailboxId);
  return db
    .selectFrom('grants')
    .select(['refresh_token', 'access_token', 'refresh_key_id', 'access_key_id'])
    .select(sql<boolean>`coalesce(refresh_lease_until > now(), false)`.as('refreshing'))
    .where('tenant_id', '=', tenantId)
    .where('mailbox_id', '=', mailboxId)
    .forUpdate()
    .executeTakeFirst();
}

/** Forgets an access token that Google no longer takes, so that the next use refreshes. */
export async function dropAccessToken(db: Database, tenantId: string, mailboxId: string): Promise<void> {
  await db
    .updateTable('grants')
    .set({ access_token: null, access_token_expires_at: null })
    .where('tenant_id', '=', tenantId)
    .where('mailbox_id', '=', mailboxId)
    .execute();
}

/** Deletes the grant of a mailbox. */
export async function dropGrant(db: Database, tenantId: string, mailboxId: string): Promise<void> {
  await db.deleteFrom('grants').where('tenant_id', '=', tenantId).where('mailbox_id', '=', mailboxId).execute();
}
