import { sql } from 'kysely';
import { isUsableBy } from '../mailboxes/access.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import type { MemberRole } from '../platform/database-types.ts';
import { wake } from '../platform/wake.ts';
import { inTenant } from '../tenants/scope.ts';
import { releaseHoursOf } from '../tenants/tenants.ts';
import { lockDeliveries, moveDeliveries } from './state.ts';

/**
 * Deliveries that their member may not send any more: the member was removed, may only look, or was not given the
 * mailbox. They are held as soon as that is decided, and looked at once more just before they would leave.
 */

/** Why a delivery must not leave, as of {@link judge}. */
export interface Withdrawn {
  readonly reason: 'not_allowed';
  readonly lacks: Lack;
  readonly words: string;
}

/** What whoever sent it lacks now: a place in the company, the role to send, or the mailbox. */
export type Lack = 'membership' | 'role' | 'mailbox';

/** Whose deliveries to look at: of one mailbox, or of one member. */
export type WithdrawnOf = { readonly mailboxId: string } | { readonly memberId: string };

/** The member who sent something, as they stand to its mailbox now. */
export interface Standing {
  readonly name: string;
  readonly role: MemberRole;
  readonly removedAt: Date | null;
  /** Whether they may use the mailbox. */
  readonly mayUse: boolean;
}

/** Says why the member may not send it any more, or null where they still may. */
export function judge({ name, role, removedAt, mayUse }: Standing): Withdrawn | null {
  const reason = 'not_allowed';
  if (removedAt) {
    const words = `${name} was removed from the company before it left. Cancel it; somebody else can send the document again.`;
    return { reason, lacks: 'membership', words };
  }
  if (role === 'viewer') {
    const words = `${name} may only look now, so it does not leave. An owner or admin can change that in Settings → Members. Or cancel it here.`;
    return { reason, lacks: 'role', words };
  }
  if (mayUse) return null;
  const words = `${name} may no longer use the Gmail account that it was to leave through. An owner or admin can change that in Settings → Email. Or cancel it here.`;
  return { reason, lacks: 'mailbox', words };
}

/** How many are moved in one transaction. */
const batch = 200;

/**
 * Holds what is queued and may not leave any more. Call it once the decision is committed: whatever a worker has not
 * claimed by the time this is done does not leave.
 *
 * @param db the app's pool
 * @returns how many it held
 */
export async function holdWithdrawn(
  { db, clock }: { readonly db: Database; readonly clock: Clock },
  tenantId: string,
  of: WithdrawnOf,
): Promise<number> {
  let held = 0;
  while (true) {
    const page = await inTenant(db, tenantId, async (trx) => {
      const rows = await selectStandings(trx, tenantId, of)
        .where('deliveries.state', '=', 'queued')
        .where(sql<boolean>`(members.removed_at is not null or members.role = 'viewer' or not ${mayUse})`)
        .limit(batch)
        .execute();
      await lockDeliveries(trx, tenantId, idsOf(rows));
      const byWords = Map.groupBy(rows, (row) => judge(row)?.words ?? '');
      let moved = 0;
      for (const [detail, same] of byWords) {
        const move = { from: 'queued', to: 'held', at: clock(), heldReason: 'not_allowed', detail } as const;
        moved += (await moveDeliveries(trx, tenantId, idsOf(same), move)).length;
      }
      return { seen: rows.length, moved };
    });
    held += page.moved;
    if (page.seen < batch) return held;
  }
}

/**
 * Lets go of what was held for this reason and may leave again, if it waited for less than the tenant says. Older ones
 * stay held, for somebody to look first.
 *
 * @param db the app's pool
 * @param each is told which it let go, in the transaction that does
 */
export async function releaseAllowed(
  { db, clock }: { readonly db: Database; readonly clock: Clock },
  tenantId: string,
  of: WithdrawnOf,
  each: (trx: Database, released: readonly string[]) => Promise<void> = async () => {},
): Promise<void> {
  const hours = await inTenant(db, tenantId, (trx) => releaseHoursOf(trx, tenantId));
  const heldAfter = new Date(clock().getTime() - hours * 3_600_000);
  while (true) {
    const seen = await inTenant(db, tenantId, async (trx) => {
      const rows = await selectStandings(trx, tenantId, of)
        .where('deliveries.state', '=', 'held')
        .where('deliveries.held_reason', '=', 'not_allowed')
        .where('deliveries.state_at', '>', heldAfter)
        .where(sql<boolean>`(members.removed_at is null and members.role <> 'viewer' and ${mayUse})`)
        .limit(batch)
        .execute();
      await lockDeliveries(trx, tenantId, idsOf(rows));
      const detail = 'Whoever sent it may send it again.';
      const move = { from: 'held', to: 'queued', at: clock(), detail } as const;
      const moved = await moveDeliveries(trx, tenantId, idsOf(rows), move);
      if (moved.length > 0) await wake(trx, 'waiting');
      await each(trx, moved);
      return rows.length;
    });
    if (seen < batch) return;
  }
}

const mayUse = isUsableBy(sql.ref('deliveries.member_id'));

function idsOf(rows: readonly { readonly id: string }[]): string[] {
  return rows.map(({ id }) => id);
}

function selectStandings(trx: Database, tenantId: string, of: WithdrawnOf) {
  const [column, id] =
    'mailboxId' in of
      ? (['deliveries.mailbox_id', of.mailboxId] as const)
      : (['deliveries.member_id', of.memberId] as const);
  return trx
    .selectFrom('deliveries')
    .innerJoin('members', 'members.id', 'deliveries.member_id')
    .innerJoin('mailboxes', 'mailboxes.id', 'deliveries.mailbox_id')
    .select(['deliveries.id', 'members.name', 'members.role', 'members.removed_at as removedAt'])
    .select(mayUse.as('mayUse'))
    .where('deliveries.tenant_id', '=', tenantId)
    .where(column, '=', id);
}
