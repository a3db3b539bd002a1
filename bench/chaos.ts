/**
 * Does every document leave once? Deliveries go out while Local Google misbehaves in every way that it knows and workers,
 * PostgreSQL and everything together are killed; then Local Google, which never dies, is asked what it really accepted.
 *
 *   npm run chaos                         20,000 deliveries, then a broken classifier that must be noticed
 *   npm run chaos -- --quick              500 deliveries, under 50 seconds
 *   npm run chaos -- --seed 7             another order of faults and kills
 *   npm run chaos -- --break-classifier   500 deliveries with a classifier that tries again what was not answered
 */
import { parseArgs } from 'node:util';
import { dealFaults, type Never, readStruck } from './chaos/faults.ts';
import { feed } from './chaos/feed.ts';
import { type Kill, startVictims } from './chaos/kills.ts';
import { startPerson } from './chaos/person.ts';
import { type Account, reckon, untilSettled } from './chaos/reckoning.ts';
import { type SetName, sets } from './chaos/senders.ts';
import { timelines } from './chaos/timeline.ts';
import { startWorld } from './chaos/world.ts';

interface Plan {
  readonly sets: readonly SetName[];
  readonly deliveries: number;
  readonly perSecond: number;
  /** For each set of permissions. */
  readonly mailboxes: number;
  readonly workers: number;
  /** How often every fault strikes, and how many calls there are for each that is struck. */
  readonly faults: { readonly times: number; readonly every: number };
  /** One after the other, over and over; one whenever so many more deliveries were written. */
  readonly kills: readonly Kill[];
  readonly killEvery: number;
  /** When nothing moves for so long, what is left is stuck. */
  readonly patienceMs: number;
  readonly brokenClassifier: boolean;
}

const quick: Plan = {
  ...{ sets: Object.keys(sets) as SetName[], deliveries: 500, perSecond: 40, mailboxes: 5, workers: 2 },
  ...{ faults: { times: 1, every: 3 }, kills: ['worker', 'postgres', 'restore', 'everything'], killEvery: 100 },
  ...{ patienceMs: 120_000, brokenClassifier: false },
};
const full: Plan = {
  ...{ ...quick, deliveries: 20_000, perSecond: 120, mailboxes: 20, workers: 3 },
  ...{ faults: { times: 20, every: 4 }, killEvery: 500 },
  kills: ['worker', 'worker', 'postgres', 'worker', 'everything', 'restore'],
};
/** So many emails are written for the copy of a database that is restored, while nobody sends. */
const waitingInCopy = 40;
const broken: Plan = { ...quick, brokenClassifier: true, kills: [] };

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    'break-classifier': { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
  },
});
const seed = Number(values.seed);
if (!Number.isInteger(seed)) throw new RangeError(`${values.seed} is no seed: give a whole number.`);

let fine = true;
if (!values['break-classifier']) fine = await holds(values.quick ? quick : full);
if (values['break-classifier'] || (fine && !values.quick)) fine = (await isNoticed()) && fine;
process.exitCode = fine ? 0 : 1;

/** Runs a plan and says how it ended. True where every promise held. */
async function holds(plan: Plan): Promise<boolean> {
  const { accounts, problems, seconds, story } = await run(plan);
  for (const account of accounts) console.log(line(account));
  console.log(story);
  for (const problem of problems) console.log(`  NOT AS PROMISED  ${problem}`);
  console.log(
    `${problems.length === 0 ? 'Every promise held' : 'A promise was broken'}, in ${seconds} s; seed ${seed}`,
  );
  return problems.length === 0;
}

/** Runs the same with a classifier that tries again what was not answered: duplicates, and seen as such. */
async function isNoticed(): Promise<boolean> {
  const { accounts, problems } = await run(broken);
  const duplicates = accounts.reduce((sum, { duplicated }) => sum + duplicated, 0);
  const noticed = duplicates > 0 && problems.some((problem) => problem.includes('duplicated'));
  console.log(
    noticed
      ? `A broken classifier is noticed: ${duplicates} duplicates of ${broken.deliveries}`
      : 'A broken classifier went UNNOTICED: this run proves nothing',
  );
  return noticed;
}

async function run(plan: Plan) {
  const started = performance.now();
  const world = await startWorld(plan);
  try {
    await dealFaults(world, seed, plan.faults.times, plan.faults.every);
    const massacre = await startVictims(world, { ...plan, seed });
    const person = startPerson(world);
    const begun = performance.now();
    let kills = 0;
    let copied: { readonly from: number; readonly begin: () => void } | null = null;
    await feed(world, plan.deliveries, plan.perSecond, (written) => {
      if (copied && written >= copied.from) {
        copied.begin();
        copied = null;
        // What was written after the copy was made would be gone with the restore.
        return massacre.over();
      }
      const next = plan.kills[kills % plan.kills.length];
      if (!next || written < (kills + 1) * plan.killEvery) return undefined;
      kills += 1;
      const { promise, resolve } = Promise.withResolvers<void>();
      if (next === 'restore') copied = { from: written + waitingInCopy, begin: resolve };
      massacre.kill(next, promise);
      return undefined;
    });
    await massacre.over();
    const fed = performance.now();
    const left = await untilSettled(world, plan.deliveries, plan.patienceMs);
    const settled = performance.now();
    await person.stop();
    await massacre.stopWorkers();

    const { killed } = massacre;
    const struck = await readStruck(world);
    const { accounts, problems, suspects } = await reckon(world, plan.deliveries, struck, killed.forgotten);
    if (left > 0) problems.push(`${left} deliveries still moved, or waited for their proof, when patience ended`);
    const unasked = callsNeverMade(accounts, struck.never);
    for (const { words } of struck.never.filter((never) => !unasked.includes(never)))
      problems.push(`a fault never struck: ${words}`);
    for (const { words } of unasked) console.log(`  too few calls came for a fault: ${words}`);
    for (const what of new Set(plan.kills)) if (killed.times[what] === 0) problems.push(`never killed: ${what}`);
    for (const words of killed.endedThemselves) problems.push(`a worker ended by itself: ${words.slice(-1_500)}`);
    const inFlight = [...killed.inFlight.values()].reduce((sum, count) => sum + count, 0);
    if (plan.kills.length > 0 && inFlight === 0) problems.push('no kill struck an email on its way');
    if (killed.times.restore > 0 && killed.takenBack === 0)
      problems.push('no restore took an email back that had left');
    if (suspects.length > 0 && !plan.brokenClassifier) console.log(await timelines(world, suspects.slice(0, 5)));
    const { worker, postgres, everything, restore } = killed.times;
    return {
      ...{ accounts, problems, seconds: Math.round((performance.now() - started) / 1_000) },
      story:
        `faults=${struck.all} kills: worker=${worker} postgres=${postgres} everything=${everything}, ` +
        `restored=${restore} (emails that had left and were taken back: ${killed.takenBack}), ` +
        `emails in their hands=${inFlight}; reconnected=${person.reconnected()}; ` +
        `start ${since(started, begun)} s, sending and killing ${since(begun, fed)} s, until all was settled ${since(fed, settled)} s`,
    };
  } finally {
    await world.close();
  }
}

/**
 * Faults that waited for calls which were never made, as far as attempts that were cut off may explain it: a worker that is
 * killed, or late, after its claim asks nothing.
 */
function callsNeverMade(accounts: readonly Account[], never: readonly Never[]): Never[] {
  const left = new Map(accounts.map(({ set, overdue }) => [set, overdue]));
  return never.filter(({ set, callsMissing }) => {
    const room = (set === null ? 0 : (left.get(set) ?? 0)) - callsMissing;
    if (set === null || callsMissing === 0 || room < 0) return false;
    left.set(set, room);
    return true;
  });
}

function since(from: number, to: number): number {
  return Math.round((to - from) / 1_000);
}

function line(account: Account): string {
  const { set, accepted, lost, duplicated, unconfirmed, stuck, fed, failed, mayBeAsked } = account;
  return (
    `${set.padEnd(12)} accepted=${accepted} lost=${lost} duplicated=${duplicated} unconfirmed=${unconfirmed} stuck=${stuck}` +
    `   of ${fed}, refused=${failed}, unconfirmed at most ${mayBeAsked}`
  );
}
