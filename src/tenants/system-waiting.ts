import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';
import { readHours, type SendingRules } from './sending-rules.ts';
import type { AccountState } from './system-queue.ts';

/** What waits to leave, over all tenants, and the release of it: the two queries that the pacer lives by. */

/** An account that has deliveries waiting. */
export interface WaitingAccount extends AccountState {
  readonly underWay: number;
  /** Until when its day was found to be used up. */
  readonly fullUntil: Date | null;
  /** The lowest that any tenant set, or null. */
  readonly dailyLimit: number | null;
  /** An address of the account. */
  readonly email: string;
  /** Its mailboxes that have a permission, whichever tenants' they are. */
  readonly mailboxes: readonly PermittedMailbox[];
  /** Whose deliveries wait in it. */
  readonly tenants: readonly WaitingTenant[];
}

/** A mailbox and what decides what may be done with it. */
export interface PermittedMailbox {
  readonly id: string;
  readonly wanted: readonly string[];
  readonly scopes: readonly string[];
}

/** A tenant with deliveries waiting in an account. */
export interface WaitingTenant {
  readonly tenantId: string;
  /** The lowest lane among them. */
  readonly lane: number;
  /** The lowest lane among those that leave whatever the hour; null where there are none, or no hours are set. */
  readonly anyTimeLane: number | null;
  readonly sending: Pick<SendingRules, 'hours' | 'timeZone'>;
}

/**
 * The accounts with waiting deliveries. Costs a few index lookups for each tenant in each, however many deliveries wait:
 * the recursion jumps from one tenant to the next in the index.
 */
export async function findWaitingAccounts(trx: Database): Promise<WaitingAccount[]> {
  const { rows } = await sql<WaitingRow>`
    with recursive waiting as (
      (select account, tenant_id, lane from deliveries where state = 'queued' and released_at is null
        order by account, tenant_id, lane limit 1)
      union all
      select next.account, next.tenant_id, next.lane from waiting cross join lateral (
        select account, tenant_id, lane from deliveries
        where state = 'queued' and released_at is null and (account, tenant_id) > (waiting.account, waiting.tenant_id)
        order by account, tenant_id, lane limit 1) next
    ), under_way as (
      select account, count(*)::int as count from deliveries
      where state in ('queued', 'sending') and released_at is not null group by account
    )
    select waiting.account, waiting.tenant_id as "tenantId", waiting.lane,
      tenants.sending_hours as hours, tenants.time_zone as "timeZone",
      case when tenants.sending_hours is not null then (
        select lane from deliveries where account = waiting.account and tenant_id = waiting.tenant_id
          and state = 'queued' and released_at is null and any_time
        order by lane limit 1) end as "anyTimeLane",
      coalesce(under_way.count, 0) as "underWay",
      coalesce(state.paid_until, 'epoch') as "paidUntil", state.blocked_until as "blockedUntil",
      state.blocked_reason as "blockedReason", state.full_until as "fullUntil", coalesce(state.unknown_in_a_row, 0) as "unknownInARow",
      mailbox.daily_limit as "dailyLimit", coalesce(mailbox.email, '') as email,
      coalesce(mailbox.permitted, '[]') as mailboxes
    from waiting
    join tenants on tenants.id = waiting.tenant_id
    left join under_way using (account)
    left join sending_accounts state using (account)
    left join lateral (
      select min(daily_limit) as daily_limit, min(email) as email,
        json_agg(json_build_object('id', id, 'wanted', wanted, 'scopes', scopes)) filter (where scopes is not null) as permitted
      from mailboxes left join grants on grants.mailbox_id = mailboxes.id where mailboxes.account = waiting.account
    ) mailbox on true`.execute(trx);
  return [...Map.groupBy(rows, ({ account }) => account).values()].flatMap((tenants) => {
    const [row] = tenants;
    return row ? [{ ...row, tenants: tenants.map(readTenant) }] : [];
  });
}

interface WaitingRow extends Omit<WaitingAccount, 'tenants'>, Omit<WaitingTenant, 'sending'> {
  readonly hours: unknown;
  readonly timeZone: string;
}

function readTenant({ tenantId, lane, anyTimeLane, hours, timeZone }: WaitingRow): WaitingTenant {
  return { tenantId, lane, anyTimeLane, sending: { hours: readHours(hours), timeZone } };
}

/** A delivery that may leave now. */
export interface Released {
  readonly deliveryId: string;
  readonly tenantId: string;
  readonly account: string;
  readonly mailboxId: string;
  readonly lane: number;
}

/** What to release of an account. */
export interface Share {
  readonly account: string;
  readonly count: number;
  /** Of these tenants any delivery. */
  readonly tenants: readonly string[];
  /** Of these only what leaves whatever the hour. */
  readonly anyTimeOf: readonly string[];
}

/** Takes so many waiting deliveries of each account, single ones first, oldest first, and marks them as released. */
export async function release(trx: Database, shares: readonly Share[], now: Date): Promise<Released[]> {
  const sources = shares.flatMap(({ account, tenants, anyTimeOf }) => [
    ...tenants.map((tenantId) => ({ account, tenantId, anyTime: false })),
    ...anyTimeOf.map((tenantId) => ({ account, tenantId, anyTime: true })),
  ]);
  const waiting = sql`account = share.account and tenant_id = source.tenant_id and state = 'queued'
    and released_at is null and (not_before is null or not_before <= ${now})`;
  const first = sql`order by lane, created_at, id limit share.count for update skip locked`;
  const { rows } = await sql<Released>`
    with source as (
      select * from unnest(${sources.map(({ account }) => account)}::text[],
        ${sources.map(({ tenantId }) => tenantId)}::uuid[], ${sources.map(({ anyTime }) => anyTime)}::bool[])
        as source (account, tenant_id, any_time)
    ), chosen as (
      select found.id from unnest(${shares.map(({ account }) => account)}::text[], ${shares.map(({ count }) => count)}::int[])
        as share (account, count)
      cross join lateral (
        select near.id from source cross join lateral (
          select * from (
            select id, lane, created_at from deliveries where not source.any_time and ${waiting} ${first}) any_hour
          union all select * from (
            select id, lane, created_at from deliveries where source.any_time and any_time and ${waiting} ${first}) whatever_hour
        ) near
        where source.account = share.account
        order by near.lane, near.created_at, near.id limit share.count) found
    )
    update deliveries set released_at = ${now} from chosen where deliveries.id = chosen.id
    returning deliveries.id as "deliveryId", tenant_id as "tenantId", account, mailbox_id as "mailboxId", lane`.execute(
    trx,
  );
  return rows;
}
