import { type RawBuilder, sql } from 'kysely';
import type { Database } from '../platform/database.ts';
import { answered } from './answers.ts';
import { isWithoutAnswer } from './attempt.ts';
import { isWaiting, keptByMailbox, keptByRun } from './kept.ts';
import { isDecidedBy, isSeenBy, type Onlooker } from './onlooker.ts';

/** Why a delivery needs somebody. */
export const whys = ['restored', 'unconfirmed', 'answered', 'from_changed', 'held', 'failed'] as const;
/** See {@link whys}. */
export type Why = (typeof whys)[number];

/** Whether a word from an address or a form is one. */
export function isWhy(word: unknown): word is Why {
  return whys.some((why) => why === word);
}

/**
 * SQL: whether a person has something to do about the row of `deliveries` at hand. What is held until a time goes on by
 * itself, who paused a run knows it, what was sent again needs nothing more; and what failed, or left from another
 * address, is off the list once somebody has seen it.
 */
export const needsSomebody: RawBuilder<boolean> = sql<boolean>`(deliveries.replaced_by is null and (
  deliveries.state = 'unconfirmed'
  or (deliveries.state = 'held' and deliveries.not_before is null and deliveries.held_reason <> 'run_paused')
  or (deliveries.state = 'failed' and deliveries.seen_at is null)
  or (deliveries.from_changed_at is not null and deliveries.seen_at is null)))`;

/** SQL: whether somebody has just said what they found in Gmail about it, and may undo that. It needs nobody. */
const isAnswered: RawBuilder<boolean> = sql<boolean>`(deliveries.state = 'held' and deliveries.held_reason = any(${[...answered]}))`;

const why = sql<Why>`case when deliveries.held_reason = 'restored' then 'restored'
  when ${isAnswered} then 'answered'
  when deliveries.state in ('held', 'unconfirmed', 'failed') then deliveries.state::text else 'from_changed' end`;

/** SQL: whether it is one that needs somebody for this. */
export function needsSomebodyFor(asked: Why): RawBuilder<boolean> {
  if (asked === 'answered') return isAnswered;
  return sql<boolean>`(${needsSomebody} and ${why} = ${asked})`;
}

/** How many of the deliveries that they may see wait for somebody to do something. */
export async function countAttention(db: Database, tenantId: string, onlooker: Onlooker): Promise<number> {
  const { count } = await db
    .selectFrom('deliveries')
    .select((eb) => eb.fn.countAll<string>().as('count'))
    .where('tenant_id', '=', tenantId)
    .where(needsSomebody)
    .where(isSeenBy(onlooker))
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** How many wait for what: of those that they may see, and of those that they may decide about. */
export async function countByWhy(
  db: Database,
  tenantId: string,
  onlooker: Onlooker,
): Promise<Map<Why, { readonly seen: number; readonly theirs: number }>> {
  const rows = await db
    .selectFrom('deliveries')
    .select([
      why.as('why'),
      sql<number>`count(*)::int`.as('seen'),
      sql<number>`(count(*) filter (where ${isDecidedBy(onlooker)}))::int`.as('theirs'),
    ])
    .where('tenant_id', '=', tenantId)
    .where(sql<boolean>`(${needsSomebody} or ${isAnswered})`)
    .where(isSeenBy(onlooker))
    .groupBy(sql`1`)
    .execute();
  return new Map(rows.map(({ why, seen, theirs }) => [why, { seen, theirs }]));
}

/** What is under way and asks nobody, of what they may see. */
export interface OnTheWay {
  /** Gmail’s answer never arrived, and it is being found out. */
  readonly inDoubt: number;
  /** Leaves by itself at a moment that is known. */
  readonly later: number;
  /** Of runs that somebody paused. */
  readonly paused: number;
  /** Queued or scheduled, but its mailbox or address is on hold, so it needs a person. */
  readonly kept: number;
}

/** Counts what is under way and asks nobody. */
export async function countOnTheWay(db: Database, tenantId: string, onlooker: Onlooker): Promise<OnTheWay> {
  const { rows } = await sql<OnTheWay>`
    select (count(*) filter (where ${isWithoutAnswer}))::int as "inDoubt",
      (count(*) filter (where deliveries.state = 'held' and deliveries.not_before is not null
        and not ${isAnswered} and deliveries.held_reason <> 'restored' and not ${keptByMailbox} and not ${keptByRun}))::int
        as later,
      (count(*) filter (where deliveries.state = 'held' and deliveries.held_reason = 'run_paused'
        or ${isWaiting} and not ${keptByMailbox} and ${keptByRun}))::int as paused,
      (count(*) filter (where ${isWaiting} and ${keptByMailbox}))::int as kept
    from deliveries where tenant_id = ${tenantId} and state in ('held', 'sending', 'queued') and ${isSeenBy(onlooker)}`.execute(
    db,
  );
  return rows[0] ?? { inDoubt: 0, later: 0, paused: 0, kept: 0 };
}

/** Whether the company ever sent a record. */
export async function hasSent(db: Database, tenantId: string): Promise<boolean> {
  const { rows } = await sql`
    select from deliveries where tenant_id = ${tenantId} and purpose = 'document' and sent_at is not null limit 1`.execute(
    db,
  );
  return rows.length > 0;
}

/** Which of these deliveries they may decide about. */
export async function keepTheirs(
  db: Database,
  tenantId: string,
  onlooker: Onlooker,
  deliveryIds: readonly string[],
): Promise<string[]> {
  if (deliveryIds.length === 0) return [];
  const rows = await db
    .selectFrom('deliveries')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('id', '=', sql<string>`any(${[...deliveryIds]}::uuid[])`)
    .where(isSeenBy(onlooker))
    .where(isDecidedBy(onlooker))
    .execute();
  return rows.map(({ id }) => id);
}

/**
 * The next of all that need somebody for this and are theirs to decide, in the order of their ids, locked until the
 * transaction ends.
 *
 * @param page `until`: what came later was not on the page that was decided about; `after`: the last of the page before,
 *   so that one that a decision does not fit is passed, and not met again; at most `limit`
 */
export async function takeTheirs(
  trx: Database,
  tenantId: string,
  onlooker: Onlooker,
  asked: Why,
  { until, after, limit }: { readonly until: Date; readonly after: string | undefined; readonly limit: number },
): Promise<string[]> {
  const rows = await trx
    .selectFrom('deliveries')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where(needsSomebodyFor(asked))
    .where('state_at', '<=', until)
    .$if(after !== undefined, (query) => query.where('id', '>', after ?? null))
    .where(isSeenBy(onlooker))
    .where(isDecidedBy(onlooker))
    .orderBy('id')
    .limit(limit)
    .forUpdate()
    .execute();
  return rows.map(({ id }) => id);
}
