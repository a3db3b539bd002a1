import { sql } from 'kysely';
import { isUsableBy } from '../mailboxes/access.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import type { MemberRole } from '../platform/database-types.ts';
import { wake } from '../platform/wake.ts';
import { formatMoment } from '../platform/zoned-time.ts';
import { inTenant } from '../tenants/scope.ts';
import { sendingRulesOf } from '../tenants/sending-rules.ts';
import { releaseHoursOf } from '../tenants/tenants.ts';
import { type HeldReason, lockDeliveries, type Move, moveDeliveries } from './state.ts';

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

/** What whoever sent it lacks now: a place in the company, which they left or were removed from, the role to send, or the mailbox. */
export type Lack = 'left' | 'membership' | 'role' | 'mailbox';

/** Whose deliveries to look at: of one mailbox, or of one member. */
export type WithdrawnOf = { readonly mailboxId: string } | { readonly memberId: string };

/** The member who sent something, as they stand to its mailbox now. */
export interface Standing {
  readonly name: string;
  readonly role: MemberRole;
  readonly removedAt: Date | null;
  /** Where they are gone: nobody took them out but they themselves. */
  readonly left: boolean;
  /** Whether they may use the mailbox. */
  readonly mayUse: boolean;
}

/** Says why the member may not send it any more, or null where they still may. */
export function judge({ name, role, removedAt, left, mayUse }: Standing): Withdrawn | null {
  const reason = 'not_allowed';
  if (removedAt) {
    const gone = left ? `${name} left the company` : `${name} was removed from the company`;
    const words = `${gone}, so it does not leave. Cancel it; somebody else can send the document again.`;
    return { reason, lacks: left ? 'left' : 'membership', words };
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

/** What is held for these leaves at a time, and nothing else is asked of anybody. */
const byTime = ['scheduled', 'outside_hours', 'undo', 'sending_limit', 'operator'] as const satisfies HeldReason[];

/**
 * Holds what is queued, or leaves at a time, and may not leave any more. Call it once the decision is committed: whatever a worker has not
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
        .where((eb) =>
          eb.or([
            eb('deliveries.state', '=', 'queued'),
            eb.and([eb('deliveries.state', '=', 'held'), eb('deliveries.held_reason', 'in', byTime)]),
          ]),
        )
        .where(sql<boolean>`(members.removed_at is not null or members.role = 'viewer' or not ${mayUse})`)
        .limit(batch)
        .execute();
      await lockDeliveries(trx, tenantId, idsOf(rows));
      const byWords = Map.groupBy(rows, (row) => judge(row)?.words ?? '');
      let moved = 0;
      for (const [detail, same] of byWords) {
        const move = { to: 'held', at: clock(), heldReason: 'not_allowed', detail } as const;
        moved += (await moveDeliveries(trx, tenantId, idsOf(same), { ...move, from: 'queued' })).length;
        const timed = { ...move, from: 'held', heldFor: byTime } as const;
        moved += (await moveDeliveries(trx, tenantId, idsOf(same), timed)).length;
      }
      return { seen: rows.length, moved };
    });
    held += page.moved;
    if (page.seen < batch) return held;
  }
}

/**
 * Lets go of what was held for this reason and may leave again, if it waited for less than the tenant says. Older ones
 * stay held, for somebody to look first. What was scheduled for later waits for that again.
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
      const now = clock();
      const { timeZone } = await sendingRulesOf(trx, tenantId);
      const moved: string[] = [];
      const isLater = ({ scheduledFor }: (typeof rows)[number]) => scheduledFor !== null && scheduledFor > now;
      for (const [time, same] of Map.groupBy(rows, (row) => (isLater(row) ? row.scheduledFor?.getTime() : undefined))) {
        const detail = 'Whoever sent it may send it again.';
        const by = { from: 'held', heldFor: ['not_allowed'], at: now } as const;
        const move: Move =
          time === undefined
            ? { ...by, to: 'queued', detail }
            : {
                ...by,
                ...{ to: 'held', heldReason: 'scheduled', notBefore: new Date(time) },
                detail: `${detail} Leaves on ${formatMoment(new Date(time), timeZone)}.`,
              };
        moved.push(...(await moveDeliveries(trx, tenantId, idsOf(same), move)));
      }
      if (moved.length > 0) await wake(trx, 'waiting');
      await each(trx, moved);
      return rows.length;
    });
    if (seen < batch) return;
  }
}

const mayUse = isUsableBy(sql.ref('deliveries.member_id'));

/** SQL: whether the row of `members` at hand is of one who left by themselves. */
export const hasLeft = sql<boolean>`(members.removed_by is not distinct from members.id)`;

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
    .select(['deliveries.scheduled_for as scheduledFor', mayUse.as('mayUse'), hasLeft.as('left')])
    .where('deliveries.tenant_id', '=', tenantId)
    .where(column, '=', id);
}
