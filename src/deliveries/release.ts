import { type RawBuilder, sql } from 'kysely';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { wake } from '../platform/wake.ts';
import { releaseHoursOf } from '../tenants/tenants.ts';
import { addUp, becameOf, type Decided, nothingDecided } from './decided.ts';
import { freeFromRun } from './free-from-run.ts';
import { unhindered } from './obstacles.ts';
import type { Foretelling } from './prospect.ts';
import { type HeldReason, type Move, moveDeliveries } from './state.ts';

/** Why a delivery waits for its mailbox, and for nothing else. */
const forMailbox = ['mailbox_needs_reconnect', 'mailbox_disconnected', 'mailbox_paused'] as const;

/** The same, and what waited for so long that somebody decides about it although its mailbox is back. */
export const waitingReasons = [...forMailbox, 'waited_too_long'] as const satisfies readonly HeldReason[];

/** How many deliveries of a mailbox wait, and why. */
export interface Waiting {
  /** About to leave, or to be tried again. */
  readonly queued: number;
  /** Held for the mailbox: until it is connected again, or until somebody decides about it. */
  readonly forMailbox: number;
  /** Held for another reason, such as the day's sending limit. */
  readonly otherwise: number;
}

const waits = sql<boolean>`(state = 'held' and held_reason = any (${[...waitingReasons]}))`;

/** Counts what has not left through a mailbox yet. */
export async function countWaiting(db: Database, tenantId: string, mailboxId: string): Promise<Waiting> {
  const { rows } = await sql<Waiting>`
    select count(*) filter (where state = 'queued')::int as queued,
           count(*) filter (where ${waits})::int as "forMailbox",
           count(*) filter (where state = 'held' and not ${waits})::int as otherwise
    from deliveries
    where tenant_id = ${tenantId} and mailbox_id = ${mailboxId} and state in ('queued', 'held')`.execute(db);
  return rows[0] ?? { queued: 0, forMailbox: 0, otherwise: 0 };
}

/** What is queued for a mailbox: what of it leaves when, `prospectOf` tells. */
export async function listQueued(db: Database, tenantId: string, mailboxId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('deliveries')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('mailbox_id', '=', mailboxId)
    .where('state', '=', 'queued')
    .execute();
  return rows.map(({ id }) => id);
}

/** What became of the deliveries that waited for a mailbox. */
export interface Released {
  /** Those that are let go: what becomes of them, `prospectOf` tells. */
  readonly released: readonly string[];
  /** Too old to go out by themselves. */
  readonly waiting: number;
  /** What is too old, in this tenant. */
  readonly hours: number;
}

/**
 * Lets go of what waited for a mailbox that is active again, if it waited for less than the tenant says (24 hours
 * unless changed). Older ones stay held: what is in them may not be true any more, so somebody looks first.
 *
 * @param trx the transaction in which the mailbox becomes active: whoever holds a delivery for it locks its row, so
 *   either it is held before and found here, or it is not held
 */
export async function releaseMailbox(
  trx: Database,
  clock: Clock,
  tenantId: string,
  mailboxId: string,
): Promise<Released> {
  const hours = await releaseHoursOf(trx, tenantId);
  const now = clock();
  const heldAfter = new Date(now.getTime() - hours * 3_600_000);
  const here = { tenantId, mailboxId };
  const isBack = sql<boolean>`(state = 'held' and held_reason = any (${[...forMailbox]})
    and exists (select from mailboxes where id = ${mailboxId} and state = 'active'))`;
  const released: string[] = [];
  const move = { from: 'held', to: 'queued', at: now, detail: 'Its Gmail account can send again.' } as const;
  await moveAll(trx, here, sql<boolean>`${isBack} and state_at > ${heldAfter}`, move, {
    each: async (_ids, moved) => void released.push(...moved),
  });
  const tooLong = hours === 0 ? '' : `, but it waited for more than ${hours === 1 ? '1 hour' : `${hours} hours`}`;
  const detail = `Its Gmail account can send again${tooLong}: it is sent when somebody says so.`;
  await moveAll(trx, here, isBack, {
    ...{ from: 'held', to: 'held', at: now, heldReason: 'waited_too_long', detail },
  });
  await lookIntoUnconfirmed(trx, here, now);
  const { forMailbox: waiting } = await countWaiting(trx, tenantId, mailboxId);
  return { released, waiting, hours };
}

/** What nobody could tell of before may be seen now, with another permission or with any at all: the pacer has it looked into. */
async function lookIntoUnconfirmed(
  trx: Database,
  { tenantId, mailboxId }: { readonly tenantId: string; readonly mailboxId: string },
  now: Date,
): Promise<void> {
  await trx
    .updateTable('deliveries')
    .set({ not_before: now })
    .where('tenant_id', '=', tenantId)
    .where('mailbox_id', '=', mailboxId)
    .where('state', '=', 'unconfirmed')
    .execute();
}

/** What a person decides about deliveries that waited too long to go out by themselves. */
export interface WaitingDecision {
  readonly kind: 'send_now' | 'discard';
  /** One of them; null for all. */
  readonly deliveryId: string | null;
  /** Held until then: what came later was not on the page that was decided about. */
  readonly heldUntil: Date;
  readonly memberId: string;
}

/**
 * Carries out a decision about what waits for a mailbox.
 *
 * @returns what became of those that waited: what would only be held again is left alone
 */
export async function decideWaiting(
  trx: Database,
  ctx: Foretelling,
  tenantId: string,
  mailboxId: string,
  { kind, deliveryId, heldUntil, memberId }: WaitingDecision,
): Promise<Decided> {
  const which = sql<boolean>`${waits} and state_at <= ${heldUntil}
    and (${deliveryId}::uuid is null or id = ${deliveryId})`;
  const move =
    kind === 'send_now'
      ? ({ from: 'held', to: 'queued', detail: 'To be sent now, after it had waited.' } as const)
      : ({ from: 'held', to: 'cancelled', detail: 'Discarded, after it had waited.' } as const);
  const { clock } = ctx;
  let decided: Decided = nothingDecided;
  await moveAll(
    trx,
    { tenantId, mailboxId },
    which,
    { ...move, at: clock(), memberId },
    {
      // What would only be held again stays.
      only: kind === 'send_now' ? (ids) => unhindered(trx, clock, tenantId, ids) : undefined,
      each: async (ids, moved) => {
        const decision = kind === 'send_now' ? 'send_now' : 'cancel';
        decided = addUp(decided, await becameOf(ctx, trx, tenantId, ids, decision, moved));
      },
    },
  );
  return decided;
}

/** Holds what is queued for a mailbox that is being disconnected, by a member or by the operator. Returns how many. */
export function holdMailbox(
  trx: Database,
  clock: Clock,
  { tenantId, memberId }: { readonly tenantId: string; readonly memberId?: string },
  mailboxId: string,
): Promise<number> {
  const detail = 'The Gmail account was disconnected. It waits until that is connected again.';
  return moveAll(trx, { tenantId, mailboxId }, sql<boolean>`state = 'queued'`, {
    ...{ from: 'queued', to: 'held', heldReason: 'mailbox_disconnected', detail, at: clock() },
    ...(memberId && { memberId }),
  });
}

/** How many are moved by one statement. */
const batch = 1_000;

async function moveAll(
  trx: Database,
  { tenantId, mailboxId }: { readonly tenantId: string; readonly mailboxId: string },
  which: RawBuilder<boolean>,
  move: Move,
  {
    only,
    each,
  }: {
    /** Keeps those of a page that move. */
    readonly only?: ((deliveryIds: readonly string[]) => Promise<readonly string[]>) | undefined;
    /** Sees each page, and those of it that moved. */
    readonly each?: (deliveryIds: readonly string[], moved: readonly string[]) => Promise<void>;
  } = {},
): Promise<number> {
  let moved = 0;
  let after: string | undefined;
  do {
    // Locked, so that each of them moves, and the next page holds others; in the order in which everybody locks many.
    const rows = await trx
      .selectFrom('deliveries')
      .select('id')
      .where('tenant_id', '=', tenantId)
      .where('mailbox_id', '=', mailboxId)
      .where(which)
      .$if(after !== undefined, (query) => query.where('id', '>', after ?? null))
      .orderBy('id')
      .limit(batch)
      .forUpdate()
      .execute();
    const ids = rows.map(({ id }) => id);
    const done = await moveDeliveries(trx, tenantId, only ? await only(ids) : ids, move);
    // What a person lets go leaves; what goes by itself waits for its run.
    if (move.to === 'queued' && move.memberId) await freeFromRun(trx, tenantId, done);
    await each?.(ids, done);
    moved += done.length;
    after = ids.length < batch ? undefined : ids.at(-1);
  } while (after !== undefined);
  if (moved > 0 && move.to === 'queued') await wake(trx, 'waiting');
  return moved;
}
