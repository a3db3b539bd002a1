import type { ServiceAccount } from '../google/delegation.ts';
import type { Database } from '../platform/database.ts';
import type { DelegationState } from '../platform/database-types.ts';
import type { KeyRing } from '../platform/key-ring.ts';

/**
 * A service account that may send as the people of one Workspace domain, as its pages see it.
 *
 * - `waiting`: it is kept, and the Workspace administrator has not allowed it yet.
 * - `active`: Google gave us a token for somebody of the domain.
 * - `ended`: it was active, and Google refuses it now.
 */
export interface Delegation {
  readonly id: string;
  readonly domain: string;
  readonly clientEmail: string;
  /** What the Workspace administrator authorises: a number of about 21 digits. */
  readonly clientId: string;
  readonly state: DelegationState;
  /** Why it waits or ended. */
  readonly stateReason: string | null;
  readonly stateAt: Date;
  readonly addedAt: Date;
  readonly addedByName: string | null;
  /** What the administrator was seen to allow; empty while it waits. */
  readonly scopes: readonly string[];
}

/** The same with its key, opened. Keep it in a variable, never in a log, an error or an answer. */
export interface OpenDelegation extends ServiceAccount {
  readonly id: string;
  readonly domain: string;
  readonly state: DelegationState;
  readonly scopes: readonly string[];
}

/** Why a delegation ended: the administrator took it back, the service account or its key is gone, our key to it is lost. */
export type DelegationEnding = 'not_authorized' | 'key_refused' | 'key_lost';

/** What of a key file is kept, and for whom. */
export interface NewDelegation extends ServiceAccount {
  readonly domain: string;
  /** Which Google it belongs to. */
  readonly issuer: string;
  readonly clientId: string;
  /** Null where the operator stored it. */
  readonly addedBy: string | null;
  /** What it was seen to be allowed; empty while that is to be found out. */
  readonly scopes: readonly string[];
}

/** What a service account's key belongs to is sealed in with it: copied into another row, it does not open. */
export function keyContext(tenantId: string, domain: string): string {
  return `delegation/${tenantId}/${domain}/private-key`;
}

/** The delegations of a tenant, by domain. */
export function listDelegations(db: Database, tenantId: string): Promise<Delegation[]> {
  return db
    .selectFrom('delegations')
    .leftJoin('members', 'members.id', 'delegations.added_by')
    .select([
      'delegations.id',
      'delegations.domain',
      'delegations.client_email as clientEmail',
      'delegations.client_id as clientId',
      'delegations.state',
      'delegations.state_reason as stateReason',
      'delegations.state_at as stateAt',
      'delegations.added_at as addedAt',
      'members.name as addedByName',
      'delegations.scopes',
    ])
    .where('delegations.tenant_id', '=', tenantId)
    .orderBy('delegations.domain')
    .limit(100)
    .execute();
}

/** Keeps a service account for a domain, in place of an earlier one; it waits until it is seen to be allowed something. */
export async function keepDelegation(
  db: Database,
  keys: KeyRing,
  tenantId: string,
  delegation: NewDelegation,
  now: Date,
): Promise<string> {
  const row = {
    issuer: delegation.issuer,
    client_email: delegation.clientEmail,
    client_id: delegation.clientId,
    private_key_id: delegation.privateKeyId,
    private_key: keys.seal(delegation.privateKey, keyContext(tenantId, delegation.domain)),
    scopes: [...delegation.scopes],
    state: delegation.scopes.length > 0 ? ('active' as const) : ('waiting' as const),
    ...{ state_reason: null, state_at: now, added_at: now, added_by: delegation.addedBy },
  };
  const { id } = await db
    .insertInto('delegations')
    .values({ tenant_id: tenantId, domain: delegation.domain, ...row })
    .onConflict((conflict) => conflict.columns(['tenant_id', 'domain']).doUpdateSet(row))
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

/**
 * Reads and opens the delegation for a domain; undefined when the tenant has none, or its key was given up.
 *
 * @throws {KeyRingError} when the key that seals it is missing or wrong
 */
export async function openDelegation(
  db: Database,
  keys: KeyRing,
  tenantId: string,
  domain: string,
): Promise<OpenDelegation | undefined> {
  const row = await db
    .selectFrom('delegations')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('domain', '=', domain)
    .executeTakeFirst();
  if (!row || row.private_key.length === 0) return undefined;
  return {
    ...{ id: row.id, domain, state: row.state, scopes: row.scopes },
    ...{ clientEmail: row.client_email, privateKeyId: row.private_key_id },
    privateKey: keys.open(row.private_key, keyContext(tenantId, domain)),
  };
}
