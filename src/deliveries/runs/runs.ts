import { sql } from 'kysely';
import { z } from 'zod';
import { type Page, type PageRequest, pageOf, pageSize, readCursor } from '../../documents/paging.ts';
import type { Database } from '../../platform/database.ts';
import type { DeliveryState, DocumentKind, RunState } from '../../platform/database-types.ts';
import { isAnswer } from '../answers.ts';
import { isWithoutAnswer } from '../attempt.ts';
import { isDecidedBy, isSeenBy, type Onlooker } from '../onlooker.ts';
import type { HeldReason } from '../state.ts';
import { type Asked, askedSchema, type LeftOutRecord, leftOutRecordSchema } from './asked.ts';

/** How many deliveries of a run stand how. What was sent again counts where it stands now. */
export interface RunCounts {
  readonly total: number;
  /** Queued, or being handed to Gmail. */
  readonly waiting: number;
  readonly sending: number;
  /** Handed to Gmail, whose answer never arrived: it is being found out whether they were sent. */
  readonly inDoubt: number;
  /** Somebody has just said what they found in Gmail about them, and may undo that. */
  readonly answered: number;
  readonly sent: number;
  /** For the moment in which all of it, or one that was sent again by hand, can be undone. */
  readonly undo: number;
  /** For a time that somebody chose. */
  readonly scheduled: number;
  /** For any other reason. */
  readonly held: number;
  readonly failed: number;
  readonly unconfirmed: number;
  readonly cancelled: number;
  /** The {@link held} and the {@link answered} ones by reason, most first. */
  readonly heldBy: readonly { readonly reason: string; readonly count: number }[];
}

/** A run as lists show it. */
export interface RunSummary {
  readonly id: string;
  readonly kind: DocumentKind;
  readonly state: RunState;
  readonly fromEmail: string;
  readonly memberName: string;
  readonly createdAt: Date;
  readonly counts: RunCounts;
}

/** A run with everything its page shows. */
export interface RunRecord extends RunSummary {
  readonly fromName: string;
  readonly mailboxId: string;
  readonly subject: string;
  readonly message: string;
  readonly stateAt: Date;
  /** Who paused, resumed or cancelled it last; null where nobody did. */
  readonly stateByName: string | null;
  /** Whether the onlooker may decide about it, as far as mailboxes go. */
  readonly mayDecide: boolean;
  /** How many of the chosen records were left out when it was started, by reason. */
  readonly leftOut: Readonly<Record<string, number>>;
  /** The first of these. */
  readonly leftOutRecords: readonly LeftOutRecord[];
  /** When the first of what waits for nothing but its time leaves. */
  readonly leavesAt: Date | null;
  /** It leaves whatever the sending hours say. */
  readonly anyTime: boolean;
  /** What somebody filled in to start it; null for a run from before that was kept. */
  readonly asked: Asked | null;
}

/** How many runs a page lists: each is counted. */
const runsPage = 20;

/** One page of the runs that somebody may see, newest first. */
export async function listRuns(
  db: Database,
  tenantId: string,
  onlooker: Onlooker,
  request: PageRequest = {},
): Promise<Page<RunSummary>> {
  const limit = pageSize({ limit: runsPage, ...request });
  const after = readCursor(request.after);
  const rows = await selectRuns(db, tenantId, onlooker)
    .$if(after !== undefined && /^\d{1,17}$/.test(after[0]), (query) =>
      query.where(
        sql<boolean>`(runs.created_at, runs.id) <
          (timestamptz 'epoch' + ${after?.[0]}::bigint * interval '1 microsecond', ${after?.[1]}::uuid)`,
      ),
    )
    .select(sql<string>`(extract(epoch from runs.created_at) * 1000000)::bigint::text`.as('place'))
    .orderBy('runs.created_at', 'desc')
    .orderBy('runs.id', 'desc')
    .limit(limit + 1)
    .execute();
  const page = await pageOf(rows, limit, (last) => [last.place, last.id]);
  const counts = await countRuns(
    db,
    tenantId,
    page.rows.map(({ id }) => id),
  );
  return { ...page, rows: page.rows.map((row) => ({ ...row, counts: counts.get(row.id) ?? countsOf([]) })) };
}

/** One run; undefined when there is none that they may see. */
export async function getRun(
  db: Database,
  tenantId: string,
  onlooker: Onlooker,
  runId: string,
): Promise<RunRecord | undefined> {
  const row = await selectRuns(db, tenantId, onlooker)
    .leftJoin('members as decider', 'decider.id', 'runs.state_by')
    .select([
      'runs.from_name as fromName',
      'runs.mailbox_id as mailboxId',
      'runs.subject',
      'runs.message',
      'runs.state_at as stateAt',
      'runs.left_out as leftOut',
      'runs.left_out_records as leftOutRecords',
      'runs.any_time as anyTime',
      'runs.asked',
      'decider.name as stateByName',
      isDecidedBy(onlooker, 'runs').as('mayDecide'),
    ])
    .select((eb) =>
      eb
        .selectFrom('deliveries')
        .select((of) => of.fn.min('not_before').as('at'))
        .whereRef('deliveries.run_id', '=', 'runs.id')
        .where('deliveries.state', '=', 'held')
        .where('deliveries.held_reason', 'in', ['scheduled', 'undo'])
        .as('leavesAt'),
    )
    .where('runs.id', '=', runId)
    .executeTakeFirst();
  if (!row) return undefined;
  const counts = (await countRuns(db, tenantId, [runId])).get(runId) ?? countsOf([]);
  const asked = askedSchema.safeParse(row.asked).data ?? null;
  const leftOutRecords = leftOutRecordSchema.array().parse(row.leftOutRecords);
  return { ...row, leftOut: leftOutSchema.parse(row.leftOut), leftOutRecords, asked, counts };
}

const leftOutSchema = z.record(z.string(), z.number());

function selectRuns(db: Database, tenantId: string, onlooker: Onlooker) {
  return db
    .selectFrom('runs')
    .innerJoin('members', 'members.id', 'runs.member_id')
    .select([
      'runs.id',
      'runs.document_kind as kind',
      'runs.state',
      'runs.from_email as fromEmail',
      'runs.created_at as createdAt',
      'members.name as memberName',
    ])
    .where('runs.tenant_id', '=', tenantId)
    .where(isSeenBy(onlooker, 'runs'));
}

/** Counts the deliveries of runs in one query, which an index answers alone. */
export async function countRuns(
  db: Database,
  tenantId: string,
  runIds: readonly string[],
): Promise<Map<string, RunCounts>> {
  if (runIds.length === 0) return new Map();
  const rows = await db
    .selectFrom('deliveries')
    .select(['run_id as runId', 'state', 'held_reason as reason', sql<number>`count(*)::int`.as('count')])
    .where('tenant_id', '=', tenantId)
    .where('run_id', '=', sql<string>`any(${runIds}::uuid[])`)
    .where('replaced_by', 'is', null)
    .groupBy(['run_id', 'state', 'held_reason'])
    .execute();
  const doubts = await countDoubts(db, tenantId, [
    ...new Set(rows.flatMap(({ runId, state }) => (runId !== null && state === 'sending' ? [runId] : []))),
  ]);
  const byRun = Map.groupBy(rows, ({ runId }) => runId ?? '');
  return new Map([...byRun].map(([runId, counted]) => [runId, countsOf(counted, doubts.get(runId))]));
}

/** How many of what is `sending` had no answer from Gmail. Few ever are, so these alone are looked at one by one. */
async function countDoubts(db: Database, tenantId: string, runIds: readonly string[]): Promise<Map<string, number>> {
  if (runIds.length === 0) return new Map();
  const rows = await db
    .selectFrom('deliveries')
    .select(['run_id as runId', sql<number>`count(*)::int`.as('count')])
    .where('tenant_id', '=', tenantId)
    .where('run_id', '=', sql<string>`any(${runIds}::uuid[])`)
    .where('replaced_by', 'is', null)
    .where(isWithoutAnswer)
    .groupBy('run_id')
    .execute();
  return new Map(rows.map(({ runId, count }) => [runId ?? '', count]));
}

/**
 * Sums up counted states. Pure.
 *
 * @param inDoubt how many of what is `sending` had no answer
 */
export function countsOf(
  rows: readonly { readonly state: DeliveryState; readonly reason: string | null; readonly count: number }[],
  inDoubt = 0,
): RunCounts {
  const of = (state: DeliveryState) =>
    rows.filter((row) => row.state === state).reduce((sum, { count }) => sum + count, 0);
  const isTimed = ({ state, reason }: (typeof rows)[number]) =>
    state === 'held' && (reason === 'undo' || reason === 'scheduled');
  const others = rows.filter((row) => row.state === 'held' && !isTimed(row));
  const sumOf = (some: typeof others) => some.reduce((sum, { count }) => sum + count, 0);
  const sending = of('sending') - inDoubt;
  const heldFor = (reason: HeldReason) =>
    rows.filter((row) => isTimed(row) && row.reason === reason).reduce((sum, { count }) => sum + count, 0);
  return {
    total: rows.reduce((sum, { count }) => sum + count, 0),
    waiting: of('queued') + sending,
    ...{ sending, inDoubt },
    answered: sumOf(others.filter(({ reason }) => isAnswer(reason))),
    sent: of('sent'),
    undo: heldFor('undo'),
    scheduled: heldFor('scheduled'),
    held: sumOf(others.filter(({ reason }) => !isAnswer(reason))),
    failed: of('failed'),
    unconfirmed: of('unconfirmed'),
    cancelled: of('cancelled'),
    heldBy: others
      .flatMap(({ reason, count }) => (reason === null ? [] : [{ reason, count }]))
      .sort((a, b) => b.count - a.count),
  };
}

/**
 * Where a run stands. `undo`, `scheduled`: it waits for nothing but its time, and all of it can be undone, or what is left
 * leaves later. `in_doubt`: of all that is open it is being found out whether it was sent, or somebody has just said so.
 * `needs_you`: nothing of it moves any more, and some of it waits for somebody to decide.
 */
export type RunPhase =
  | 'undo'
  | 'scheduled'
  | 'running'
  | 'waiting'
  | 'paused'
  | 'cancelled'
  | 'in_doubt'
  | 'needs_you'
  | 'over';

/** Says where a run stands. Pure. `waiting`: everything that is left is held. */
export function phaseOf({ state, counts }: Pick<RunSummary, 'state' | 'counts'>): RunPhase {
  if (state === 'cancelled') return 'cancelled';
  if (unsentOf(counts) === 0) {
    if (counts.inDoubt + counts.answered > 0) return 'in_doubt';
    return counts.failed + counts.unconfirmed > 0 ? 'needs_you' : 'over';
  }
  if (state === 'paused') return 'paused';
  if (counts.waiting > 0) return 'running';
  if (counts.undo === counts.total) return 'undo';
  return counts.scheduled === unsentOf(counts) ? 'scheduled' : 'waiting';
}

/** How many of a run have not left yet, and still would; of what is in doubt nobody knows. Pure. */
export function unsentOf({ waiting, undo, scheduled, held }: RunCounts): number {
  return waiting + undo + scheduled + held;
}

/** What becomes of a run's emails where it is cancelled now. */
export interface CancelForecast {
  /** Have not left, and will not. */
  readonly stopped: number;
  /** Held after a restore: they are discarded, and may have left before it. */
  readonly restored: number;
  /** Nobody knows whether they were sent: these are not stopped, and that stays so. */
  readonly inDoubt: number;
  /** Just being handed to Gmail. */
  readonly sending: number;
}

/** Foretells it. Pure. */
export function cancelForecast(counts: RunCounts): CancelForecast {
  const restored = counts.heldBy.find(({ reason }) => reason === 'restored')?.count ?? 0;
  return {
    stopped: unsentOf(counts) - counts.sending - restored,
    restored,
    inDoubt: counts.inDoubt + counts.answered + counts.unconfirmed,
    sending: counts.sending,
  };
}
