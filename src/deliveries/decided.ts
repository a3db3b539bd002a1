import type { Database } from '../platform/database.ts';
import { answered } from './answers.ts';
import { type Decision, decide } from './decide.ts';
import { type LastMove, lastMove } from './last-move.ts';
import { obstaclesOf } from './obstacles.ts';
import {
  addProspects,
  type Foretelling,
  nothingLeaves,
  type Prospect,
  prospectOf,
  type Stays,
  sumStays,
} from './prospect.ts';
import { type Kept, keptOf, type Said, sumKept } from './record-now.ts';
import type { HeldReason } from './state.ts';

/** What became of deliveries that somebody decided about. */
export interface Decided {
  readonly asked: number;
  /** How many the decision moved. */
  readonly moved: number;
  /** Of those that it moved: how many wait for a minute, because they were answers that can be undone until then. */
  readonly answers: number;
  /** What becomes of those that were let go. */
  readonly prospect: Prospect;
  /** Those that were left alone, because they would only be held again. */
  readonly hindered: readonly Stays[];
  /** Moved by others meanwhile, or standing so that the decision does not fit: how many, and who moved the first of them. */
  readonly left: { readonly count: number; readonly last: LastMove | undefined } | null;
  /** Those that are not sent again before somebody says more about their records. */
  readonly kept: readonly Kept[];
}

/** About none. */
export const nothingDecided: Decided = {
  ...{ asked: 0, moved: 0, answers: 0 },
  ...{ prospect: nothingLeaves, hindered: [], left: null, kept: [] },
};

/** Carries out one decision about any number of deliveries, see `decide`, and says what became of them. */
export async function decideAndTell(
  ctx: Foretelling,
  trx: Database,
  tenantId: string,
  deliveryIds: readonly string[],
  decision: Decision,
  memberId: string,
  said: Said = {},
): Promise<Decided> {
  const moved = await decide(ctx, trx, tenantId, deliveryIds, decision, memberId, said);
  return becameOf(ctx, trx, tenantId, deliveryIds, decision, moved);
}

/** Says what became of deliveries after a decision that moved some of them. */
export async function becameOf(
  ctx: Foretelling,
  trx: Database,
  tenantId: string,
  deliveryIds: readonly string[],
  decision: Decision,
  moved: readonly string[],
): Promise<Decided> {
  const stayed = without(deliveryIds, moved);
  const sends = decision === 'send_now' || decision === 'send_again' || decision === 'send_new_version';
  const kept = sends ? await keptOf(trx, tenantId, await stillAsked(trx, tenantId, stayed)) : new Map<string, Kept>();
  const allAnswered = await keepHeld(trx, tenantId, deliveryIds, answered);
  const answers = allAnswered.filter((id) => moved.includes(id));
  const prospect = sends ? await prospectOf(trx, ctx, tenantId, without(moved, answers)) : nothingLeaves;
  // What others have just answered is not what stands in the way of it.
  const hindered = decision === 'send_now' ? without(stayed, [...allAnswered, ...kept.keys()]) : [];
  const obstacles = await obstaclesOf(trx, tenantId, hindered, ctx.clock());
  // What had left meanwhile nothing stands in the way of.
  const held = await keepHeld(trx, tenantId, [...obstacles.keys()]);
  const left = without(stayed, [...held, ...kept.keys()]);
  return {
    ...{ asked: deliveryIds.length, moved: moved.length, answers: answers.length, prospect },
    hindered: sumStays(
      held.flatMap((id) => {
        const obstacle = obstacles.get(id);
        return obstacle ? [{ why: obstacle.reason, words: obstacle.words, count: 1 }] : [];
      }),
    ),
    left: left[0] ? { count: left.length, last: await lastMove(trx, tenantId, left[0]) } : null,
    kept: sumKept([...kept.values()]),
  };
}

/** The deliveries that still need a person to say whether they were sent. */
async function stillAsked(trx: Database, tenantId: string, deliveryIds: readonly string[]): Promise<string[]> {
  if (deliveryIds.length === 0) return [];
  const rows = await trx
    .selectFrom('deliveries')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('id', 'in', [...deliveryIds])
    .where((eb) => eb.or([eb('state', '=', 'unconfirmed'), eb('held_reason', '=', 'restored')]))
    .execute();
  return rows.map(({ id }) => id);
}

function without(ids: readonly string[], others: readonly string[]): string[] {
  const out = new Set(others);
  return ids.filter((id) => !out.has(id));
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
    prospect: addProspects(a.prospect, b.prospect),
    hindered: sumStays([...a.hindered, ...b.hindered]),
    kept: sumKept([...a.kept, ...b.kept]),
    left: a.left && b.left ? { ...a.left, count: a.left.count + b.left.count } : (a.left ?? b.left),
  };
}
