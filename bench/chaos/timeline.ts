import { sql } from 'kysely';
import type { World } from './world.ts';

/** What the database tells of deliveries that did not end as they should, for whoever has to find out why. */
export async function timelines({ owner }: World, ids: readonly string[]): Promise<string> {
  const { rows } = await sql<{ id: string; email: string; events: string; attempts: string }>`
    select deliveries.id, email,
      (select string_agg(concat_ws(' ', at::time(3), delivery_events.state, detail), E'\n      ' order by delivery_events.id)
        from delivery_events where delivery_id = deliveries.id) as events,
      (select string_agg(concat_ws(' ', number, via, owner, started_at, finished_at, outcome, http_status, reason),
        E'\n      ' order by number) from attempts where delivery_id = deliveries.id) as attempts
    from deliveries join mailboxes on mailboxes.id = mailbox_id
    where deliveries.id = any(${[...ids]}::uuid[])`.execute(owner);
  return rows
    .map(({ id, email, events, attempts }) => `    ${id} of ${email}\n      ${events}\n      ${attempts}`)
    .join('\n');
}
