import { sql } from 'kysely';
import { seededRandom } from '../../src/sandbox/fault-effects.ts';
import { whenever } from './feed.ts';
import type { Program } from './processes.ts';
import type { SetName } from './senders.ts';
import type { World } from './world.ts';

/** What is killed: one worker, PostgreSQL, or everything but Google. */
export type Kill = 'worker' | 'postgres' | 'everything';

/** What was killed, and what it had in its hands. */
export interface Killed {
  readonly times: Record<Kill, number>;
  /** By set: attempts that were under way in workers when those were killed. */
  readonly inFlight: Map<SetName, number>;
  /** Workers that ended although nobody had killed them. */
  readonly endedThemselves: string[];
}

/** Workers that are killed and started again. */
export interface Massacre {
  readonly killed: Killed;
  /** Kills that, once the kill before is over, and starts it again. */
  kill(what: Kill): void;
  /** Waits until everything runs again. */
  over(): Promise<void>;
  /** Asks the workers to end, and waits. */
  stopWorkers(): Promise<void>;
}

/** Starts workers to be killed; the seed decides which. */
export async function startVictims(
  world: World,
  { workers: count, seed }: { readonly workers: number; readonly seed: number },
): Promise<Massacre> {
  const random = seededRandom(seed);
  const workers: Program[] = await Promise.all(Array.from({ length: count }, () => world.startWorker()));
  const killed: Killed = { times: { worker: 0, postgres: 0, everything: 0 }, inFlight: new Map(), endedThemselves: [] };
  let last: Promise<void> = Promise.resolve();

  const replace = async (which: readonly number[]) => {
    const fresh = await Promise.all(which.map(() => whenever(() => world.startWorker())));
    for (const [index, worker] of fresh.entries()) workers.splice(which[index] ?? 0, 1, worker);
  };
  const kill = async (what: Kill) => {
    for (const worker of workers) if (worker.ended()) killed.endedThemselves.push(worker.lastWords());
    const chosen =
      what === 'worker' ? [Math.floor(random() * count)] : what === 'everything' ? [...workers.keys()] : [];
    const victims = chosen.flatMap((place) => workers[place] ?? []);
    const postmaster = what === 'worker' ? null : world.postmasterPid();
    if (postmaster !== null) process.kill(postmaster, 'SIGKILL');
    await Promise.all(victims.map((worker) => worker.kill()));
    killed.times[what] += 1;
    for (const { pid } of victims) await countInFlight(world, pid, killed.inFlight);
    await replace(chosen);
  };

  return {
    killed,
    kill(what) {
      last = last.then(() => kill(what));
      // Whoever waits for it hears of it.
      last.catch(() => {});
    },
    over: () => last,
    async stopWorkers() {
      for (const worker of workers) if (worker.ended()) killed.endedThemselves.push(worker.lastWords());
      await Promise.all(workers.map((worker) => worker.stop()));
    },
  };
}

/** Counts what a dead worker left unfinished: nobody else can have known of it yet. */
async function countInFlight(world: World, pid: number, inFlight: Map<SetName, number>): Promise<void> {
  const { rows } = await whenever(() =>
    sql<{ mailboxId: string; count: number }>`
      select mailbox_id as "mailboxId", count(*)::int as count from attempts
      join deliveries on deliveries.id = attempts.delivery_id
      where finished_at is null and owner like ${`%/${pid}/%`} group by mailbox_id`.execute(world.owner),
  );
  for (const { mailboxId, count } of rows) {
    const set = world.senders.find((sender) => sender.mailboxId === mailboxId)?.set;
    if (set) inFlight.set(set, (inFlight.get(set) ?? 0) + count);
  }
}
