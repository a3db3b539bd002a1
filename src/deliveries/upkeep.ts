import { markOfOthers, recheckEnded, renewUnused } from '../mailboxes/keep-alive.ts';
import { every } from '../platform/clock.ts';
import type { DeliverContext } from './context.ts';
import { type HousekeepingContext, keepHouse } from './housekeeping.ts';
import { probeTrouble, releaseAfterTrouble, releaseRecovered } from './let-go.ts';
import { type NoticeContext, tellEndings } from './mailbox-notices.ts';
import { holdStuck } from './stuck.ts';

/** What the sweeps need. */
export interface UpkeepContext
  extends DeliverContext,
    Pick<NoticeContext, 'publicUrl'>,
    Pick<HousekeepingContext, 'attemptsKeptDays'> {}

const seconds = 1_000;
const minutes = 60 * seconds;

/**
 * Starts what looks after connections in a worker: tells people once of those that ended, lets go what was held when the
 * reason is gone, keeps unused ones alive; and what looks after Letterhead itself: stuck deliveries, what grows for
 * ever. Each sweep is safe in any number of processes, and none overlaps itself.
 *
 * @returns stops it, and waits for what is under way
 */
export function startUpkeep(ctx: UpkeepContext): () => Promise<void> {
  const startedAt = ctx.clock();
  const sweeps = [
    sweep(ctx, 'notices of ended connections', 5 * seconds, () => tellEndings(ctx)),
    sweep(ctx, 'release after trouble', 10 * seconds, () => releaseAfterTrouble(ctx)),
    sweep(ctx, 'release of what works again', 20 * seconds, () => releaseRecovered(ctx)),
    sweep(ctx, 'probe of trouble', 1 * minutes, () => probeTrouble(ctx)),
    sweep(ctx, 'deliveries that are stuck', 1 * minutes, () => holdStuck(ctx)),
    sweep(ctx, 'housekeeping', 5 * minutes, () => keepHouse(ctx)),
    sweep(ctx, 'connections of another app', 60 * minutes, () => markOfOthers(ctx, startedAt)),
    sweep(ctx, 'another look at ended connections', 60 * minutes, () => recheckEnded(ctx)),
    sweep(ctx, 'unused connections', 60 * minutes, () => renewUnused(ctx)),
  ];
  return async () => void (await Promise.all(sweeps.map((stop) => stop())));
}

/** Runs a sweep now and then, one at a time; a sweep that fails is logged and tried again at its next time. */
function sweep(ctx: UpkeepContext, name: string, ms: number, work: () => Promise<number>): () => Promise<void> {
  let running: Promise<void> | null = null;
  const run = async () => {
    try {
      const done = await work();
      if (done > 0) ctx.log.info({ sweep: name, done }, 'swept');
    } catch (error) {
      ctx.log.error({ err: error, sweep: name }, 'a sweep failed');
    }
    running = null;
  };
  const go = () => {
    running ??= run();
  };
  const stop = every(ctx.clock, ms, go);
  go();
  return async () => {
    stop();
    await running;
  };
}
