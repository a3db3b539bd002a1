import { setTimeout as wait } from 'node:timers/promises';
import { sql } from 'kysely';
import { seededRandom } from 'local-google';
import { whenever } from './feed.ts';
import type { Program } from './processes.ts';
import type { SetName } from './senders.ts';
import type { World } from './world.ts';

/**
 * What is killed: one worker, PostgreSQL, or everything but Google. `restore`: every worker, twice; in between they send what a
 * copy of the database says was not sent, and then the copy takes the database's place.
 */
export type Kill = 'worker' | 'postgres' | 'everything' | 'restore';

/** Of the emails that wait in the copy, so many leave before it takes the database's place. */
const enoughLeft = 10;
/** Deadline and settle time, as fast as time goes here, and a second. */
const settledMs = 6_000;

/** What was killed, and what it had in its hands. */
export interface Killed {
  readonly times: Record<Kill, number>;
  /** By set: attempts that were under way in workers when those were killed. */
  readonly inFlight: Map<SetName, number>;
  /** Emails that had left and were not sent any more, by the copy of the database that was restored. */
  takenBack: number;
  /** By set: emails that Gmail had refused for good, of which the restored database knew nothing. */
  readonly forgotten: Map<SetName, number>;
  /** Workers that ended although nobody had killed them. */
  readonly endedThemselves: string[];
}

/** Workers that are killed and started again. */
export interface Massacre {
  readonly killed: Killed;
  /**
   * Kills that, once the kill before is over, and starts it again.
   *
   * @param written for a restore: when as much is written as is to be in the copy
   */
  kill(what: Kill, written?: Promise<void>): void;
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
  const killed: Killed = {
    times: { worker: 0, postgres: 0, everything: 0, restore: 0 },
    inFlight: new Map(),
    takenBack: 0,
    forgotten: new Map(),
    endedThemselves: [],
  };
  let last: Promise<void> = Promise.resolve();

  const replace = async (which: readonly number[]) => {
    const fresh = await Promise.all(which.map(() => whenever(() => world.startWorker())));
    for (const [index, worker] of fresh.entries()) workers.splice(which[index] ?? 0, 1, worker);
  };
  const killAll = async () => {
    await Promise.all(workers.map((worker) => worker.kill()));
    for (const { pid } of workers) await countInFlight(world, pid, killed.inFlight);
  };
  const restore = async (written: Promise<void> | undefined) => {
    await killAll();
    await written;
    const before = await countEnded(world);
    await whenever(() => world.backUp());
    await replace([...workers.keys()]);
    await untilSomeLeft(world, before);
    await killAll();
    // A restore takes its time: what was inside Google is done by then.
    await wait(settledMs);
    const after = await countEnded(world);
    await whenever(() => world.restore());
    for (const [set, { sent, failed }] of after) {
      killed.takenBack += sent - (before.get(set)?.sent ?? 0);
      const forgotten = failed - (before.get(set)?.failed ?? 0);
      killed.forgotten.set(set, (killed.forgotten.get(set) ?? 0) + forgotten);
    }
    killed.times.restore += 1;
    await replace([...workers.keys()]);
  };
  const kill = async (what: Kill, written?: Promise<void>) => {
    for (const worker of workers) if (worker.ended()) killed.endedThemselves.push(worker.lastWords());
    if (what === 'restore') return restore(written);
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
    kill(what, written) {
      last = last.then(() => kill(what, written));
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

/** Waits until emails left that the copy says did not, on however slow a machine; they may all have left before. */
async function untilSomeLeft(world: World, before: Awaited<ReturnType<typeof countEnded>>): Promise<void> {
  const sum = (ended: typeof before) => [...ended.values()].reduce((all, { sent }) => all + sent, 0);
  for (let tries = 0; tries < 200; tries += 1) {
    if (sum(await countEnded(world)) >= sum(before) + enoughLeft) return;
    await wait(200);
  }
}

/** How many emails of each set were sent, and refused for good, by the database. */
async function countEnded(world: World): Promise<Map<SetName, { sent: number; failed: number }>> {
  const { rows } = await whenever(() =>
    sql<{ mailboxId: string; sent: number; failed: number }>`
      select mailbox_id as "mailboxId", count(*) filter (where state = 'sent')::int as sent,
        count(*) filter (where state = 'failed')::int as failed
      from deliveries group by mailbox_id`.execute(world.owner),
  );
  const ended = new Map<SetName, { sent: number; failed: number }>();
  for (const { mailboxId, sent, failed } of rows) {
    const set = world.senders.find((sender) => sender.mailboxId === mailboxId)?.set;
    if (!set) continue;
    const so = ended.get(set) ?? { sent: 0, failed: 0 };
    ended.set(set, { sent: so.sent + sent, failed: so.failed + failed });
  }
  return ended;
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
