import { sql } from 'kysely';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import type { DocumentStatus, RunState } from '../platform/database-types.ts';
import { budgetOf } from './budget.ts';
import { departuresOf } from './departures.ts';
import { obstaclesOf } from './obstacles.ts';
import type { Pace } from './pacing.ts';
import { unsendable } from './sendable.ts';
import type { HeldReason } from './state.ts';
import { type ByTime, type Waiter, whyItWaits } from './why-it-waits.ts';

/** What is needed to foretell when emails leave. */
export interface Foretelling {
  readonly clock: Clock;
  readonly pace: Pace;
  /** The day has room, whatever was written down of that before its limit was changed. */
  readonly hasRoom?: boolean;
}

/** Some of the emails, which leave later by themselves: for what, and when the first of them does. */
export interface Later {
  readonly why: ByTime['why'];
  readonly until: Date;
  readonly count: number;
}

/** Some of the emails, which are held, or will be as soon as a worker takes them, until somebody does something. */
export interface Stays {
  readonly why: HeldReason | 'free' | 'run_cancelled' | 'record_over';
  /** A sentence of what stands in their way; null where the reason says it all. */
  readonly words: string | null;
  readonly count: number;
}

/** What really becomes of emails that somebody let go. */
export interface Prospect {
  /** Leave now, one after the other. */
  readonly leaving: number;
  /** For how long the last of those takes at the rate of its account, in milliseconds. */
  readonly takesMs: number;
  readonly later: readonly Later[];
  readonly stays: readonly Stays[];
}

/** Of no email at all. */
export const nothingLeaves: Prospect = { leaving: 0, takesMs: 0, later: [], stays: [] };

/** How many are asked about in one statement. */
const batch = 1_000;

/**
 * Foretells what becomes of emails after a button let them go, whichever it was: they leave now, or later and why, or
 * something else holds them still. It asks what the pacer and the claim will ask: how their senders, their runs, the sending
 * hours, their Google accounts and the day's limits stand. What has left meanwhile counts as leaving.
 *
 * @param deliveryIds any number
 */
export async function prospectOf(
  db: Database,
  { clock, pace, hasRoom = false }: Foretelling,
  tenantId: string,
  deliveryIds: readonly string[],
): Promise<Prospect> {
  const now = clock();
  const later: Later[] = [];
  const stays: Stays[] = [];
  const queued: Queued[] = [];
  let leaving = 0;
  for (let first = 0; first < deliveryIds.length; first += batch) {
    const ids = deliveryIds.slice(first, first + batch);
    const rows = await readRows(db, tenantId, ids);
    const waiting = rows.filter(({ state }) => state === 'queued' || state === 'held').map(({ id }) => id);
    const obstacles = await obstaclesOf(db, tenantId, waiting, now);
    const departures = await departuresOf(db, tenantId, waiting, now, hasRoom);
    for (const row of rows) {
      const obstacle = obstacles.get(row.id) ?? null;
      const waits = whyItWaits(row, obstacle, departures.get(row.id) ?? null);
      if (waits === null) leaving += 1;
      else if (row.state === 'queued' && row.recordStatus && unsendable(row.recordStatus, true))
        stays.push({ why: 'record_over', words: null, count: 1 });
      else if (waits.kind === 'leaves') queued.push(row);
      else if (waits.kind === 'later') later.push({ why: waits.why, until: waits.until, count: 1 });
      else {
        const words = obstacle?.reason === waits.why ? obstacle.words : null;
        stays.push({ why: waits.why, words, count: 1 });
      }
    }
  }
  const paced = await inTheirTurn(db, { pace, now, hasRoom }, tenantId, queued);
  return {
    leaving: leaving + paced.leaving,
    takesMs: paced.takesMs,
    later: sumLater([...later, ...paced.later]),
    stays: sumStays(stays),
  };
}

type Queued = Pick<Row, 'mailboxId' | 'lane'>;

interface Row extends Waiter {
  readonly id: string;
  readonly mailboxId: string;
  readonly lane: number;
  /** How its record stands; null where it carries none. */
  readonly recordStatus: DocumentStatus | null;
}

/** How they stand now; those that there are. */
async function readRows(db: Database, tenantId: string, ids: readonly string[]): Promise<Row[]> {
  return (
    db
      .selectFrom('deliveries')
      .leftJoin('runs', 'runs.id', 'deliveries.run_id')
      .leftJoin('documents', 'documents.id', 'deliveries.document_id')
      .select(['deliveries.id', 'deliveries.state', 'deliveries.mailbox_id as mailboxId', 'deliveries.lane'])
      .select('documents.status as recordStatus')
      .select(['deliveries.not_before as notBefore', 'deliveries.held_reason as heldReason'])
      // What somebody let go by itself is no longer stopped with its run.
      .select(sql<RunState | null>`case when deliveries.lane > 0 then runs.state end`.as('runStops'))
      .where('deliveries.tenant_id', '=', tenantId)
      .where('deliveries.id', '=', sql<string>`any(${[...ids]}::uuid[])`)
      .execute()
  );
}

/** Of those that nothing stands in the way of: how many go at once, and how many only when the day's limit lets them. */
async function inTheirTurn(
  db: Database,
  at: { readonly pace: Pace; readonly now: Date; readonly hasRoom: boolean },
  tenantId: string,
  queued: readonly Queued[],
): Promise<Omit<Prospect, 'stays'>> {
  let [leaving, takesMs] = [0, 0];
  const later: Later[] = [];
  for (const [mailboxId, theirs] of Map.groupBy(queued, (row) => row.mailboxId)) {
    for (const [single, alike] of Map.groupBy(theirs, ({ lane }) => lane === 0)) {
      const count = alike.length;
      const budget = await budgetOf(db, at, tenantId, mailboxId, count, { letGo: count, single });
      if (!budget) continue;
      const { forecast, standsStill, laterFrom } = budget;
      if (standsStill) {
        later.push({ why: standsStill.reason, until: standsStill.until, count });
        continue;
      }
      leaving += forecast.soon;
      if (forecast.soon > 0) takesMs = Math.max(takesMs, forecast.takesMs);
      if (laterFrom) later.push({ why: 'budget', until: laterFrom, count: forecast.later });
    }
  }
  return { leaving, takesMs, later };
}

/** Adds up what became of one part of them, and of another. */
export function addProspects(a: Prospect, b: Prospect): Prospect {
  return {
    leaving: a.leaving + b.leaving,
    takesMs: Math.max(a.takesMs, b.takesMs),
    later: sumLater([...a.later, ...b.later]),
    stays: sumStays([...a.stays, ...b.stays]),
  };
}

/** One for each reason, the earliest first. */
function sumLater(all: readonly Later[]): Later[] {
  return [...Map.groupBy(all, ({ why }) => why).values()]
    .map((alike) => {
      const count = alike.reduce((sum, each) => sum + each.count, 0);
      const until = new Date(Math.min(...alike.map((each) => each.until.getTime())));
      return { why: alike[0]?.why ?? 'hours', until, count };
    })
    .toSorted((a, b) => a.until.getTime() - b.until.getTime());
}

/** One for each reason and each sentence, the most first. */
export function sumStays(all: readonly Stays[]): Stays[] {
  return [...Map.groupBy(all, ({ why, words }) => `${why} ${words ?? ''}`).values()]
    .flatMap(([first, ...others]) =>
      first ? [{ ...first, count: others.reduce((sum, each) => sum + each.count, first.count) }] : [],
    )
    .toSorted((a, b) => b.count - a.count);
}
