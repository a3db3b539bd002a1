import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';

/**
 * After a restore it is looked so much further back: what was written is told by the clock of whoever wrote it, and one
 * that stood in another time zone must not end the look too early.
 */
export const writersClockMs = 24 * 3_600_000;

/**
 * The last few messages of a delivery's mailbox that were sent before its first attempt. What came first is told by
 * the numbers of the timeline, not by a clock. Without an attempt that is known of, after a restore: before it was held.
 */
export async function readSentBefore(trx: Database, tenantId: string, deliveryId: string): Promise<Set<string>> {
  const { rows } = await sql<{ id: string }>`
    with asked as (
      select mailbox_id, account, (select coalesce(min(id) filter (where state = 'sending'), max(id))
        from delivery_events where delivery_id = deliveries.id) as first
      from deliveries where tenant_id = ${tenantId} and id = ${deliveryId}
    ), latest as (
      select sent.id, sent.provider_message_id, asked.first from asked cross join lateral (
        select id, provider_message_id from deliveries
        where account = asked.account and tenant_id = ${tenantId} and mailbox_id = asked.mailbox_id
          and sent_at is not null and provider_message_id is not null
        order by sent_at desc limit 500) sent
    )
    select provider_message_id as id from latest
    where exists (select from delivery_events
      where delivery_id = latest.id and state = 'sent' and delivery_events.id < latest.first)
    limit 50`.execute(trx);
  return new Set(rows.map(({ id }) => id));
}
