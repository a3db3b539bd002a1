import type { Clock } from '../../platform/clock.ts';
import type { Database } from '../../platform/database.ts';
import type { RunState } from '../../platform/database-types.ts';
import { wake } from '../../platform/wake.ts';
import { noteChange } from '../../tenants/rights-changes.ts';
import { answered } from '../answers.ts';
import { type Decided, decideAndTell, nothingDecided } from '../decided.ts';
import type { Foretelling } from '../prospect.ts';
import { moveDeliveries } from '../state.ts';
import { cancelledWithRun, pausedWithRun } from './moves.ts';
import { type Taken, takeDeliveries } from './take.ts';

/** Who controls which run. */
export interface RunOrder {
  readonly tenantId: string;
  readonly runId: string;
  readonly memberId: string;
}

/**
 * Pauses, resumes or cancels a run, or has what was scheduled leave now, its deliveries set by set. What a worker has in its hands at this moment is let
 * through to Gmail; whatever comes back to the queue after that is stopped when a worker takes it (`claim.ts`). So rows
 * that somebody else is moving just now are passed over, and nobody waits for anybody.
 */
const orders = {
  pause: { from: ['running'], to: 'paused' },
  resume: { from: ['paused'], to: 'running' },
  send_now: { from: ['running'], to: 'running' },
  // Once more for what was under way at the first time, and is held since.
  cancel: { from: ['running', 'paused', 'cancelled'], to: 'cancelled' },
} as const satisfies Record<string, { readonly from: readonly RunState[]; readonly to: RunState }>;

/** See {@link controlRun}. */
export type RunControl = keyof typeof orders;

/** Whether a word from a form is one. */
export function isRunControl(word: unknown): word is RunControl {
  return typeof word === 'string' && Object.hasOwn(orders, word);
}

/**
 * Carries out what somebody decided about a whole run, and records who it was with each delivery that moved.
 *
 * @returns the deliveries that moved; undefined when the run does not stand so that it fits
 */
export async function controlRun(
  trx: Database,
  clock: Clock,
  { tenantId, runId, memberId }: RunOrder,
  control: RunControl,
): Promise<string[] | undefined> {
  const { from, to } = orders[control];
  const run = await trx
    .updateTable('runs')
    .set({ state: to, state_at: clock(), state_by: memberId })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', runId)
    .where('state', 'in', [...from])
    .returning('document_kind as documentKind')
    .executeTakeFirst();
  if (!run) return undefined;
  const moved = await moveAll(trx, clock, { tenantId, runId, memberId }, control);
  const { documentKind } = run;
  const change = { kind: 'run_controlled', documentKind, control, count: moved.length } as const;
  // Cancelled once more, or sent at once when it had left already, says nothing new.
  if (moved.length > 0 || control === 'pause' || control === 'resume')
    await noteChange(trx, tenantId, { memberId, at: clock() }, change);
  return moved;
}

async function moveAll(
  trx: Database,
  clock: Clock,
  { tenantId, runId, memberId }: RunOrder,
  control: RunControl,
): Promise<string[]> {
  const take = (which: Taken) => takeDeliveries(trx, { tenantId, runId }, which);
  const by = { at: clock(), memberId };
  switch (control) {
    case 'pause': {
      const move = { ...pausedWithRun, ...by, from: 'queued' } as const;
      return moveDeliveries(trx, tenantId, await take({ state: 'queued' }), move);
    }
    case 'resume': {
      const move = { ...by, from: 'held', to: 'queued', detail: 'Its run was resumed.' } as const;
      const paused = await take({ state: 'held', heldReason: 'run_paused' });
      const moved = await moveDeliveries(trx, tenantId, paused, move);
      if (moved.length > 0) await wake(trx, 'waiting');
      return moved;
    }
    case 'send_now': {
      // Said by a person, now means now, whatever the sending hours are.
      const move = { ...by, from: 'held', to: 'queued', detail: 'To be sent now.', anyTime: true } as const;
      const scheduled = await take({ state: 'held', heldReason: 'scheduled' });
      const moved = await moveDeliveries(trx, tenantId, scheduled, move);
      if (moved.length > 0) await wake(trx, 'waiting');
      return moved;
    }
    case 'cancel': {
      const cancelled: string[] = [];
      for (const state of ['queued', 'held'] as const) {
        // What somebody has just found in Gmail was sent. What they did not find there is in doubt for as long as they can undo
        // that, and is stopped with its run after it.
        const inDoubt = state === 'held' && { notHeldFor: answered };
        const move = { ...cancelledWithRun, ...by, from: state, ...inDoubt };
        cancelled.push(...(await moveDeliveries(trx, tenantId, await take({ state }), move)));
      }
      return cancelled;
    }
    default:
      return control satisfies never;
  }
}

/** How many emails of a run wait for whatever it is, those that nobody knows of left out: a paused run holds them all. */
export async function countWaiting(trx: Database, { tenantId, runId }: Omit<RunOrder, 'memberId'>): Promise<number> {
  const { count } = await trx
    .selectFrom('deliveries')
    .select(({ fn }) => fn.countAll<string>().as('count'))
    .where('tenant_id', '=', tenantId)
    .where('run_id', '=', runId)
    .where('state', 'in', ['queued', 'held'])
    .where((where) =>
      where.or([where('held_reason', 'is', null), where('held_reason', 'not in', ['restored', ...answered])]),
    )
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** What somebody decides about many of a run at once: what nobody knows of, or what they have just answered about that. */
export type RunDecision = 'send_again' | 'mark_as_sent' | 'take_back';

/**
 * Decides about all deliveries of a run of which nobody knows whether Gmail sent them, after somebody looked; or undoes
 * such answers, while that can be undone. Those of a cancelled run are not sent again.
 *
 * @param until when they looked at the run: nobody has looked for what became unknown later
 */
export async function decideRun(
  trx: Database,
  ctx: Foretelling,
  { tenantId, runId, memberId }: RunOrder,
  decision: RunDecision,
  until: Date,
): Promise<Decided> {
  const run = await trx
    .selectFrom('runs')
    .select(['state', 'document_kind as documentKind'])
    .where('tenant_id', '=', tenantId)
    .where('id', '=', runId)
    .executeTakeFirst();
  if (!run || (run.state === 'cancelled' && decision === 'send_again')) return nothingDecided;
  const take = (which: Taken) => takeDeliveries(trx, { tenantId, runId }, which);
  const ids: string[] = [];
  if (decision === 'take_back')
    for (const heldReason of answered) ids.push(...(await take({ state: 'held', heldReason, until })));
  else ids.push(...(await take({ state: 'unconfirmed', until })));
  const decided = await decideAndTell(ctx, trx, tenantId, ids, decision, memberId);
  if (decided.moved > 0) {
    const { documentKind } = run;
    const change = { kind: 'run_answered', documentKind, decision, count: decided.moved } as const;
    await noteChange(trx, tenantId, { memberId, at: ctx.clock() }, change);
  }
  return decided;
}
