import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { answered } from './answers.ts';
import type { Objection } from './check-sender.ts';
import { type Decision, decide } from './decide.ts';
import { type LeavesLater, prospectOf } from './departures.ts';
import { type LastMove, lastMove } from './last-move.ts';
import { obstaclesOf } from './obstacles.ts';
import type { HeldReason } from './state.ts';

/** What became of deliveries that somebody decided about. */
export interface Decided {
  readonly asked: number;
  /** How many the decision moved. */
  readonly moved: number;
  /** Of those that it moved: how many wait for a minute, because they were answers that can be undone until then. */
  readonly answers: number;
  /** Of those that were let go: how many leave later than now, when the first of them does, and why. */
  readonly later: { readonly count: number; readonly first: LeavesLater } | null;
  /** Let go, they would only be held again, or will be: how many, and what the first of them would be held for. */
  readonly hindered: { readonly count: number; readonly words: string } | null;
  /** Moved by others meanwhile, or standing so that the decision does not fit: how many, and who moved the first of them. */
  readonly left: { readonly count: number; readonly last: LastMove | undefined } | null;
}

/** Carries out one decision about any number of deliveries, see `decide`, and says what became of them. */
export async function decideAndTell(
  { clock }: { readonly clock: Clock },
  trx: Database,
  tenantId: string,
  deliveryIds: readonly string[],
  decision: Decision,
  memberId: string,
): Promise<Decided> {
  const moved = await decide({ clock }, trx, tenantId, deliveryIds, decision, memberId);
  return becameOf({ clock }, trx, tenantId, deliveryIds, decision, moved);
}

/** Says what became of deliveries after a decision that moved some of them. */
export async function becameOf(
  { clock }: { readonly clock: Clock },
  trx: Database,
  tenantId: string,
  deliveryIds: readonly string[],
  decision: Decision,
  moved: readonly string[],
): Promise<Decided> {
  const now = clock();
  const stayed = deliveryIds.filter((id) => !moved.includes(id));
  const sends = decision === 'send_now' || decision === 'send_again';
  const answers = await keepHeld(trx, tenantId, deliveryIds, answered);
  const { later } = sends ? await prospectOf(trx, tenantId, moved, now) : { later: null };
  // What others have just answered is not what stands in the way of it.
  const asked =
    decision === 'send_now' ? deliveryIds.filter((id) => moved.includes(id) || !answers.includes(id)) : moved;
  const obstacles = sends ? await obstaclesOf(trx, tenantId, asked, now) : new Map<string, Objection>();
  // What had left meanwhile nothing stands in the way of.
  const held = await keepHeld(trx, tenantId, [...obstacles.keys()]);
  const [first] = held;
  const left = stayed.filter((id) => !held.includes(id));
  return {
    ...{ asked: deliveryIds.length, moved: moved.length, later },
    answers: answers.filter((id) => moved.includes(id)).length,
    hindered: first ? { count: held.length, words: obstacles.get(first)?.words ?? '' } : null,
    left: left[0] ? { count: left.length, last: await lastMove(trx, tenantId, left[0]) } : null,
  };
}

async function keepHeld(
  trx: Database,
  tenantId: string,
  deliveryIds: readonly string[],
  reasons: readonly HeldReason[] = [],
): Promise<string[]> {
  if (deliveryIds.length === 0) return [];
  const rows = await trx
    .selectFrom('deliveries')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('id', 'in', [...deliveryIds])
    .where('state', 'in', ['held', 'queued'])
    .$if(reasons.length > 0, (query) => query.where('held_reason', 'in', [...reasons]))
    .orderBy('id')
    .execute();
  return rows.map(({ id }) => id);
}

/** Adds up what became of one page of them, and of the next. */
export function addUp(a: Decided, b: Decided): Decided {
  return {
    ...{ asked: a.asked + b.asked, moved: a.moved + b.moved, answers: a.answers + b.answers },
    later: plus(a.later, b.later),
    hindered: plus(a.hindered, b.hindered),
    left: plus(a.left, b.left),
  };
}

/** Of the first that there is, what it says; of both, how many. */
function plus<Part extends { readonly count: number }>(a: Part | null, b: Part | null): Part | null {
  return a && b ? { ...a, count: a.count + b.count } : (a ?? b);
}
