import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';
import { inTenant } from '../tenants/scope.ts';

/**
 * How long a lease holds without being renewed: what a refresher that is killed costs whoever waits for it. Its holder
 * renews it three times as often for as long as Google takes, and holds no connection in between.
 */
export const leaseMs = 6_000;

/** The right to ask Google for a new access token of one grant; one process at a time has it. */
export interface RefreshLease {
  readonly id: string;
  /** Renews it no longer. Whoever wrote what came of it has freed the row, or does so with {@link freeLease}. */
  letGo(): void;
}

/**
 * Takes the lease of a grant, if nobody has it.
 *
 * @param db the app's pool
 */
export async function takeLease(db: Database, tenantId: string, mailboxId: string): Promise<RefreshLease | null> {
  const id = randomUUID();
  const { numUpdatedRows } = await inTenant(db, tenantId, (trx) =>
    trx
      .updateTable('grants')
      .set({ refresh_lease_until: leaseEnd, refresh_lease_by: id })
      .where('tenant_id', '=', tenantId)
      .where('mailbox_id', '=', mailboxId)
      // The database's clock: the machines' own need not agree to the second.
      .where((where) =>
        where.or([where('refresh_lease_until', 'is', null), where('refresh_lease_until', '<', sql<Date>`now()`)]),
      )
      .executeTakeFirst(),
  );
  if (numUpdatedRows === 0n) return null;
  // A renewal that fails loses the lease at worst, and then two ask Google: harmless.
  const renew = () => void renewLease(db, tenantId, mailboxId, id).catch(() => {});
  const timer = setInterval(renew, leaseMs / 3);
  timer.unref();
  return { id, letGo: () => clearInterval(timer) };
}

const leaseEnd = sql<Date>`now() + ${leaseMs / 1_000} * interval '1 second'`;

function renewLease(db: Database, tenantId: string, mailboxId: string, id: string) {
  return inTenant(db, tenantId, (trx) =>
    trx
      .updateTable('grants')
      .set({ refresh_lease_until: leaseEnd })
      .where('tenant_id', '=', tenantId)
      .where('mailbox_id', '=', mailboxId)
      // Not after it was freed, or went to somebody else.
      .where('refresh_lease_by', '=', id)
      .where('refresh_lease_until', 'is not', null)
      .execute(),
  );
}

/** Frees a lease before its time, unless somebody else has it by now. */
export async function freeLease(trx: Database, tenantId: string, mailboxId: string, id: string): Promise<void> {
  await trx
    .updateTable('grants')
    .set({ refresh_lease_until: null, refresh_lease_by: null })
    .where('tenant_id', '=', tenantId)
    .where('mailbox_id', '=', mailboxId)
    .where('refresh_lease_by', '=', id)
    .execute();
}
