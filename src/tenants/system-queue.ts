import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';
import type { DeliveryState } from '../platform/database-types.ts';
import { hasWaitingJob } from '../platform/queue.ts';

/**
 * The cross-tenant queries of the pacer (see `system.ts` for the others): limits at Google are an account's, whichever
 * tenants send through it. They read when and through which account deliveries leave, and write only that a delivery
 * got its job, and how an account stands.
 */

/** How an account stands. */
export interface AccountState {
  readonly account: string;
  readonly paidUntil: Date;
  readonly blockedUntil: Date | null;
  readonly blockedReason: 'rate' | 'sending_limit' | 'trouble' | null;
  readonly unknownInARow: number;
}

/** Lets one process at a time pace: true in the one that may, until its transaction ends. */
export async function takePacer(trx: Database): Promise<boolean> {
  const { rows } = await sql<{ mine: boolean }>`select pg_try_advisory_xact_lock(5317080216) as mine`.execute(trx);
  return rows[0]?.mine ?? false;
}

function selectStates(db: Database) {
  return db
    .selectFrom('sending_accounts')
    .select([
      'account',
      'paid_until as paidUntil',
      'blocked_until as blockedUntil',
      sql<AccountState['blockedReason']>`blocked_reason`.as('blockedReason'),
      'unknown_in_a_row as unknownInARow',
    ]);
}

function untouched(account: string): AccountState {
  return { account, paidUntil: new Date(0), blockedUntil: null, blockedReason: null, unknownInARow: 0 };
}

/** How many messages accounts sent since a moment, over all tenants. */
export async function countSent(trx: Database, accounts: readonly string[], since: Date): Promise<Map<string, number>> {
  if (accounts.length === 0) return new Map();
  const rows = await trx
    .selectFrom('deliveries')
    .select((eb) => ['account', eb.fn.countAll<string>().as('count')])
    .where('account', 'in', [...accounts])
    .where('sent_at', '>', since)
    .groupBy('account')
    .execute();
  return new Map(rows.map(({ account, count }) => [account, Number(count)]));
}

/** For how long a request, or many, uses up an account's rate. */
export interface Charge {
  readonly account: string;
  readonly ms: number;
}

/** SQL: up to when the rate was used; what lies further ahead than can be was written by a clock that was put back. */
function usedUntil(now: Date) {
  const sane = sql`sending_accounts.paid_until between ${now} and ${now}::timestamptz + interval '10 minutes'`;
  return sql`case when ${sane} then sending_accounts.paid_until else ${now}::timestamptz end`;
}

/** Charges accounts. Added to what stands, so that of two processes that charge at the same instant none is forgotten. */
export async function charge(system: Database, charges: readonly Charge[], now: Date): Promise<void> {
  const due = charges.filter(({ ms }) => ms > 0).sort((a, b) => (a.account < b.account ? -1 : 1));
  if (due.length === 0) return;
  await sql`
    insert into sending_accounts (account, paid_until)
    select account, ${now}::timestamptz + ms * interval '1 millisecond'
    from unnest(${due.map(({ account }) => account)}::text[], ${due.map(({ ms }) => ms)}::float8[]) as due (account, ms)
    on conflict (account) do update
      set paid_until = ${usedUntil(now)} + (excluded.paid_until - ${now}::timestamptz)`.execute(system);
}

/**
 * Charges an account, unless that would use up its rate beyond a moment.
 *
 * @returns false where it would; then nothing was charged
 */
export async function chargeUpTo(system: Database, { account, ms }: Charge, now: Date, atMost: Date): Promise<boolean> {
  const more = sql`${ms}::float8 * interval '1 millisecond'`;
  const { rows } = await sql`
    insert into sending_accounts (account, paid_until) values (${account}, ${now}::timestamptz + ${more})
    on conflict (account) do update set paid_until = ${usedUntil(now)} + ${more}
      where ${usedUntil(now)} + ${more} <= ${atMost}
    returning account`.execute(system);
  return rows.length > 0;
}

/** How an account stands, whoever uses it. */
export async function readAccount(system: Database, account: string): Promise<AccountState> {
  return (await selectStates(system).where('account', '=', account).executeTakeFirst()) ?? untouched(account);
}

/**
 * Writes down, for the pages, that an account's day is used up, and until when: the oldest of its messages that must be a
 * day old first. Or that it is not.
 *
 * @param over how many messages beyond the limit were sent; null where there is room
 */
export async function noteFull(
  trx: Database,
  { account, over }: { readonly account: string; readonly over: number | null },
  now: Date,
): Promise<void> {
  const since = new Date(now.getTime() - 86_400_000);
  const until = sql`(select sent_at + interval '24 hours' from deliveries where account = ${account} and sent_at > ${since}
    order by sent_at offset ${over ?? 0} limit 1)`;
  await sql`
    insert into sending_accounts (account, full_until) values (${account}, ${over === null ? null : until})
    on conflict (account) do update set full_until = excluded.full_until`.execute(trx);
}

/**
 * Takes back what was released before this, still waits, and has no job that does: it was lost. (A job may wait for long
 * where workers cannot keep up; another one beside it would only make that worse.)
 */
export async function takeBackLost(trx: Database, releasedBefore: Date): Promise<number> {
  const { numUpdatedRows } = await trx
    .updateTable('deliveries')
    .set({ released_at: null })
    .where('state', '=', 'queued')
    .where('released_at', '<', releasedBefore)
    .where(sql<boolean>`not ${hasWaitingJob('deliver', 'deliveries')}`)
    .executeTakeFirst();
  return Number(numUpdatedRows);
}

/** A delivery whose moment has come. */
export interface Due {
  readonly deliveryId: string;
  readonly tenantId: string;
  readonly account: string;
  readonly lane: number;
  readonly state: DeliveryState;
  readonly heldReason: string | null;
}

/** Held deliveries to let go, and finished ones to clear up after. At most 500, earliest first. */
export function findDue(system: Database, now: Date): Promise<Due[]> {
  return selectDue(system, now)
    .where((where) =>
      where.or([
        where('state', 'in', ['failed', 'cancelled']),
        where.and([where('state', '=', 'held'), where('held_reason', '<>', 'restored')]),
      ]),
    )
    .orderBy('not_before')
    .limit(500)
    .execute();
}

/** Deliveries that are to be looked for in Gmail: a few of each account, however many there are. */
export async function findToLookFor(system: Database, now: Date, ofEach: number): Promise<Due[]> {
  return system
    .selectFrom(
      selectDue(system, now)
        .select(sql<number>`row_number() over (partition by account order by not_before)`.as('place'))
        .where((where) =>
          where.or([
            where('state', 'in', ['sending', 'unconfirmed']),
            where.and([where('state', '=', 'held'), where('held_reason', '=', 'restored')]),
          ]),
        )
        .as('due'),
    )
    .select(['deliveryId', 'tenantId', 'account', 'lane', 'state', 'heldReason'])
    .where('place', '<=', ofEach)
    .limit(500)
    .execute();
}

function selectDue(system: Database, now: Date) {
  return system
    .selectFrom('deliveries')
    .select(['id as deliveryId', 'tenant_id as tenantId', 'account', 'lane', 'state', 'held_reason as heldReason'])
    .where('state', 'in', ['held', 'sending', 'unconfirmed', 'failed', 'cancelled'])
    .where('not_before', '<=', now);
}

/** How accounts stand, by account; none for one of which nothing is written. */
export async function readAccounts(system: Database, accounts: readonly string[]): Promise<Map<string, AccountState>> {
  if (accounts.length === 0) return new Map();
  const rows = await selectStates(system)
    .where('account', 'in', [...accounts])
    .execute();
  return new Map(rows.map((row) => [row.account, row]));
}

/**
 * Keeps an account still until a moment. A later one that stands already is kept, and so is trouble where only the rate was
 * met: what goes first after that is still one probe.
 *
 * @param troubleIsOver the answer that says so is the probe's
 */
export async function blockAccount(
  system: Database,
  account: string,
  until: Date,
  reason: 'rate' | 'sending_limit',
  troubleIsOver = false,
): Promise<void> {
  await sql`
    insert into sending_accounts (account, blocked_until, blocked_reason) values (${account}, ${until}, ${reason})
    on conflict (account) do update set blocked_until = excluded.blocked_until,
      blocked_reason = case when sending_accounts.blocked_reason = 'trouble' and ${reason === 'rate' && !troubleIsOver}
        then 'trouble' else excluded.blocked_reason end
    where sending_accounts.blocked_until is null or sending_accounts.blocked_until < excluded.blocked_until`.execute(
    system,
  );
}

/** Counts an outcome that nobody knows. @returns how many in a row by now */
export async function countUnknown(system: Database, account: string): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    insert into sending_accounts (account, unknown_in_a_row) values (${account}, 1)
    on conflict (account) do update set unknown_in_a_row = sending_accounts.unknown_in_a_row + 1
    returning unknown_in_a_row as count`.execute(system);
  return rows[0]?.count ?? 1;
}

/**
 * Holds an account, or the whole project, for trouble. The next that may go is a probe, at `until`, or later where that
 * was said already: of two answers lost at the same instant the earlier may be written last. A day's limit that lasts
 * longer stays what it is.
 */
export async function markTrouble(system: Database, account: string, until: Date): Promise<void> {
  await sql`
    insert into sending_accounts (account, blocked_until, blocked_reason) values (${account}, ${until}, 'trouble')
    on conflict (account) do update set blocked_reason = 'trouble', probe_id = null,
      blocked_until = case when sending_accounts.blocked_reason = 'trouble'
        then greatest(sending_accounts.blocked_until, excluded.blocked_until) else excluded.blocked_until end
    where not (coalesce(sending_accounts.blocked_reason, '') = 'sending_limit'
      and sending_accounts.blocked_until > excluded.blocked_until)`.execute(system);
}

/** Names the one delivery that tries whether the trouble is over, and when the next one may. */
export async function markProbe(trx: Database, account: string, deliveryId: string, next: Date): Promise<void> {
  await trx
    .updateTable('sending_accounts')
    .set({ probe_id: deliveryId, blocked_until: next })
    .where('account', '=', account)
    .where('blocked_reason', '=', 'trouble')
    .execute();
}

/** An outcome was known again: the count starts anew, and trouble is over. */
export async function endTrouble(system: Database, account: string): Promise<void> {
  await system
    .updateTable('sending_accounts')
    .set({ unknown_in_a_row: 0 })
    .where('account', '=', account)
    .where('unknown_in_a_row', '>', 0)
    .execute();
  await system
    .updateTable('sending_accounts')
    .set({ blocked_until: null, blocked_reason: null, probe_id: null })
    .where('account', '=', account)
    .where('blocked_reason', '=', 'trouble')
    .execute();
}

/** What Gmail refused for the time being since a moment, over all accounts: each with each of its answers once. */
export function refusedSince(system: Database, since: Date) {
  return system
    .selectFrom('attempts')
    .innerJoin('deliveries', 'deliveries.id', 'attempts.delivery_id')
    .select(['account', 'http_status as status', 'reason', 'provider_said as message'])
    .distinct()
    .where('finished_at', '>', since)
    .where('outcome', '=', 'refused_retry')
    .where('http_status', 'in', [403, 429])
    .execute();
}

/** What came of all attempts at a provider that ended after a moment; a draft that was not made counts with the unknown. */
export interface Outcomes {
  readonly provider: string;
  readonly unknown: number;
  readonly all: number;
}

/** Counts them, provider by provider. */
export async function countOutcomes(system: Database, since: Date): Promise<Outcomes[]> {
  const { rows } = await sql<Outcomes>`
    select split_part(account, ':', 1) as provider, count(*)::int as all,
      count(*) filter (where http_status >= 500 or (outcome = 'unknown' and http_status is distinct from 404))::int as unknown
    from attempts join deliveries on deliveries.id = attempts.delivery_id
    where finished_at > ${since} group by 1`.execute(system);
  return rows;
}
