import type { Database } from '../platform/database.ts';
import { type KeyRing, tryToOpen } from '../platform/key-ring.ts';
import type { DelegationPlace } from '../tenants/system.ts';
import { endDelegation } from './delegated-mailboxes.ts';
import { keyContext } from './delegations.ts';

/**
 * Seals a delegation's key with the newest key of the ring.
 *
 * @param db a transaction inside the tenant
 * @returns `unopened` when no key of the ring opens it: nothing is changed then
 */
export async function resealDelegation(
  db: Database,
  keys: KeyRing,
  { tenantId, delegationId }: DelegationPlace,
): Promise<'resealed' | 'current' | 'unopened' | 'gone'> {
  const row = await lockKey(db, keys, tenantId, delegationId);
  if (!row) return 'gone';
  if (row.keyId === keys.currentId) return 'current';
  if (row.opened === undefined) return 'unopened';
  await db
    .updateTable('delegations')
    .set({ private_key: keys.seal(row.opened, keyContext(tenantId, row.domain)) })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', delegationId)
    .execute();
  return 'resealed';
}

/** Whether the ring opens a delegation's key; undefined where there is none. The row stays locked until `db` ends. */
export async function delegationOpens(
  db: Database,
  keys: KeyRing,
  { tenantId, delegationId }: DelegationPlace,
): Promise<boolean | undefined> {
  const row = await lockKey(db, keys, tenantId, delegationId);
  return row && row.opened !== undefined;
}

/** Forgets a delegation's key, which nobody can open any more. What was sent through it waits for a new key file. */
export async function dropDelegationKey(
  db: Database,
  { tenantId, delegationId }: DelegationPlace,
  at: Date,
): Promise<void> {
  await endDelegation(db, tenantId, delegationId, 'key_lost', at);
  await db
    .updateTable('delegations')
    .set({ private_key: Buffer.alloc(0), state: 'ended', state_reason: 'key_lost', state_at: at })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', delegationId)
    .execute();
}

async function lockKey(db: Database, keys: KeyRing, tenantId: string, delegationId: string) {
  const row = await db
    .selectFrom('delegations')
    .select(['domain', 'private_key', 'key_id as keyId'])
    .where('tenant_id', '=', tenantId)
    .where('id', '=', delegationId)
    .forUpdate()
    .executeTakeFirst();
  if (!row || row.private_key.length === 0) return undefined;
  return { ...row, opened: tryToOpen(keys, row.private_key, keyContext(tenantId, row.domain)) };
}
