import type { Clock } from '../../platform/clock.ts';
import type { Database } from '../../platform/database.ts';
import type { RunState } from '../../platform/database-types.ts';
import { wake } from '../../platform/wake.ts';
import { decide } from '../decide.ts';
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
 * @returns how many deliveries moved; undefined when the run does not stand so that it fits
 */
export async function controlRun(
  trx: Database,
  clock: Clock,
  { tenantId, runId, memberId }: RunOrder,
  control: RunControl,
): Promise<number | undefined> {
  const { from, to } = orders[control];
  const { numUpdatedRows } = await trx
    .updateTable('runs')
    .set({ state: to, state_at: clock(), state_by: memberId })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', runId)
    .where('state', 'in', [...from])
    .executeTakeFirst();
  if (numUpdatedRows === 0n) return undefined;
  const take = (which: Taken) => takeDeliveries(trx, { tenantId, runId }, which);
  const by = { at: clock(), memberId };
  switch (control) {
    case 'pause': {
      const move = { ...pausedWithRun, ...by, from: 'queued' } as const;
      return (await moveDeliveries(trx, tenantId, await take({ state: 'queued' }), move)).length;
    }
    case 'resume': {
      const move = { ...by, from: 'held', to: 'queued', detail: 'Its run was resumed.' } as const;
      const paused = await take({ state: 'held', heldReason: 'run_paused' });
      const moved = await moveDeliveries(trx, tenantId, paused, move);
      if (moved.length > 0) await wake(trx, 'waiting');
      return moved.length;
    }
    case 'send_now': {
      // Said by a person, now means now, whatever the sending hours are.
      const move = { ...by, from: 'held', to: 'queued', detail: 'To be sent now.', anyTime: true } as const;
      const scheduled = await take({ state: 'held', heldReason: 'scheduled' });
      const moved = await moveDeliveries(trx, tenantId, scheduled, move);
      if (moved.length > 0) await wake(trx, 'waiting');
      return moved.length;
    }
    case 'cancel': {
      let count = 0;
      for (const state of ['queued', 'held'] as const) {
        // What somebody has just found in Gmail was sent, and is no more to be cancelled.
        const notFound = state === 'held' && { notHeldFor: ['found'] as const };
        const move = { ...cancelledWithRun, ...by, from: state, ...notFound };
        count += (await moveDeliveries(trx, tenantId, await take({ state }), move)).length;
      }
      return count;
    }
    default:
      return control satisfies never;
  }
}

/**
 * Decides about all deliveries of a run of which nobody knows whether Gmail sent them, after somebody looked. Those of a
 * cancelled run are not sent again.
 *
 * @param until when they looked at the run: nobody has looked for what became unknown later
 * @returns how many it decided
 */
export async function decideRun(
  trx: Database,
  clock: Clock,
  { tenantId, runId, memberId }: RunOrder,
  decision: 'send_again' | 'mark_as_sent',
  until: Date,
): Promise<number> {
  const run = await trx
    .selectFrom('runs')
    .select('state')
    .where('tenant_id', '=', tenantId)
    .where('id', '=', runId)
    .executeTakeFirst();
  if (!run || (run.state === 'cancelled' && decision === 'send_again')) return 0;
  const ids = await takeDeliveries(trx, { tenantId, runId }, { state: 'unconfirmed', until });
  return (await decide({ clock }, trx, tenantId, ids, decision, memberId)).length;
}
