import { every } from '../platform/clock.ts';
import { afterDelivery } from './after.ts';
import type { DeliverContext } from './context.ts';
import { createDeliverer } from './deliver.ts';
import { createPacer } from './pacer.ts';

/** How often the pacer looks by itself; whatever waits for a moment in time waits at most so much longer. */
const tickEveryMs = 1_000;

/**
 * Starts working off deliveries in this process.
 *
 * @param concurrency how many at once in this process
 * @returns stops the pacer; running deliveries are finished by the queue's own stop
 */
export function startDelivering(ctx: DeliverContext, concurrency: number): () => Promise<void> {
  const deliverer = createDeliverer(ctx);
  const { deliver, after } = shareInFlight(ctx.pace.inFlight);
  const deliveries = ctx.queue.work('deliver', { concurrency, reserved, perAccount: deliver }, deliverer.deliverAll);
  const finished = ctx.queue.work('after', { concurrency: 5, perAccount: after }, (jobs) =>
    jobs.map((job) => afterDelivery(ctx, job)),
  );
  ctx.queue.wakeUps.on('ready', deliveries.wake);
  ctx.queue.wakeUps.on('finished', finished.wake);
  return startPacing(ctx);
}

/** Of the requests that an account may have in flight at once, one is for what is done after a delivery. */
function shareInFlight(inFlight: number | null): { deliver: number | null; after: number | null } {
  if (inFlight === null) return { deliver: null, after: null };
  return { deliver: Math.max(1, inFlight - 1), after: 1 };
}

/** So many more at once, for emails that somebody waits for: however many slow ones of runs fill the other places. */
const reserved = 10;

/** How soon it looks again where an account has more to send than may be handed out at once. */
const tickSoonMs = 50;

/** Runs the pacer each second, and at once when something waits; one round at a time. */
function startPacing(ctx: DeliverContext): () => Promise<void> {
  const pacer = createPacer(ctx);
  let running: Promise<void> | null = null;
  let again = false;
  let stopped = false;
  let forgetSoon = () => {};

  const rounds = async () => {
    do {
      again = false;
      forgetSoon();
      try {
        if ((await pacer.tick()).full) forgetSoon = ctx.clock.after(tickSoonMs, go);
      } catch (error) {
        ctx.log.error({ err: error }, 'the pacer');
        ctx.database.doubt();
      }
    } while (again && !stopped);
    running = null;
  };
  const go = () => {
    if (stopped) return;
    if (running) again = true;
    else running = rounds();
  };
  const stopTicking = every(ctx.clock, tickEveryMs, go);
  ctx.queue.wakeUps.on('waiting', go);
  go();
  return async () => {
    stopped = true;
    stopTicking();
    forgetSoon();
    await running;
  };
}
