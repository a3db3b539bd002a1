import type { DeliveryState, RunState } from '../platform/database-types.ts';
import { isAnswer } from './answers.ts';
import type { LeavesLater } from './departures.ts';
import type { HeldReason } from './state.ts';

/** What of a delivery says what it waits for. */
export interface Waiter {
  readonly state: DeliveryState;
  readonly heldReason: string | null;
  readonly notBefore: Date | null;
  /** The state of its run, where that still stops it. */
  readonly runStops: RunState | null;
}

/** A moment before which it does not leave, and why. */
export interface ByTime {
  readonly why: LeavesLater['why'] | HeldReason;
  readonly until: Date;
}

/** What a delivery waits for that is queued or held. */
export type WhyItWaits =
  /** Until a person does something, and then not before `time`. `free`: what held it is over, and somebody has to say so. */
  | { readonly kind: 'stays'; readonly why: HeldReason | 'free' | 'run_cancelled'; readonly time: ByTime | null }
  /** It leaves then, without anybody. */
  | ({ readonly kind: 'later' } & ByTime)
  /** Nothing is in its way but those before it. */
  | { readonly kind: 'leaves' };

/** What is held for one of these is held by what is seen anew each time: it may be another of them by now, or over. */
const seenAnew: readonly HeldReason[] = [
  'mailbox_needs_reconnect',
  'mailbox_disconnected',
  'mailbox_paused',
  'sender_changed',
  'from_changed',
  'not_allowed',
  'record_paid',
];

/**
 * Says what a delivery waits for, of everything that keeps it. Pure: lists, pages, notices and counts all say this. What
 * needs a person comes before what ends with time, so that nothing is promised to leave that will not; a numbered order:
 *
 * 1. It may have been sent, and is being settled: that comes before anything else.
 * 2. It is held for a person by what they see in it (a changed draft, a long wait).
 * 3. What would hold it, were it let go now: its mailbox, its address, whoever sent it; then its run.
 * 4. It was held for a person by what is over: somebody has to say that it leaves.
 * 5. A moment that must come first; else it leaves.
 *
 * @param hindrance what would hold it again, see `obstacles.ts`
 * @param later when what is queued leaves, see `departures.ts`
 * @returns null for one that is neither queued nor held
 */
export function whyItWaits(
  { state, heldReason, notBefore, runStops }: Waiter,
  hindrance: { readonly reason: HeldReason } | null,
  later: LeavesLater | null,
): WhyItWaits | null {
  if (state !== 'queued' && state !== 'held') return null;
  const reason = heldReason as HeldReason | null;
  const time: ByTime | null =
    state === 'queued' ? later : reason && notBefore ? { why: reason, until: notBefore } : null;
  if (state === 'held' && reason && (reason === 'restored' || isAnswer(reason)))
    return time ? { kind: 'later', ...time } : { kind: 'stays', why: reason, time: null };
  const needsPerson = state === 'held' && !time;
  if (needsPerson && reason && !seenAnew.includes(reason)) return { kind: 'stays', why: reason, time: null };
  const stop = hindrance?.reason ?? stoppedByRun(runStops);
  if (stop) return { kind: 'stays', why: stop, time };
  if (needsPerson) return { kind: 'stays', why: 'free', time: null };
  return time ? { kind: 'later', ...time } : { kind: 'leaves' };
}

function stoppedByRun(state: RunState | null): 'run_paused' | 'run_cancelled' | null {
  if (state === 'paused') return 'run_paused';
  return state === 'cancelled' ? 'run_cancelled' : null;
}
