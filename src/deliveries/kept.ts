import { type RawBuilder, sql } from 'kysely';
import { answered } from './answers.ts';

/*
 * The same for counts, in SQL, as `why-it-waits.ts` says of one: what would be promised to leave by itself, though something
 * keeps it that only a person ends.
 */

/** SQL: whether the mailbox of the row of `deliveries` at hand cannot send, or its address is held. */
export const keptByMailbox: RawBuilder<boolean> = sql<boolean>`(exists (select from mailboxes
    where mailboxes.id = deliveries.mailbox_id and mailboxes.state <> 'active')
  or not deliveries.tries_from and exists (select from from_swaps where from_swaps.mailbox_id = deliveries.mailbox_id
    and from_swaps.email = lower(deliveries.from_email) and from_swaps.settled_at is null))`;

/** SQL: whether its run, which somebody paused, stops it. */
export const keptByRun: RawBuilder<boolean> = sql<boolean>`(deliveries.lane > 0 and exists (select from runs
    where runs.id = deliveries.run_id and runs.state = 'paused'))`;

/** SQL: whether it waits for its turn or for a moment, rather than for somebody. */
export const isWaiting: RawBuilder<boolean> = sql<boolean>`(deliveries.state = 'queued' or deliveries.state = 'held'
  and deliveries.not_before is not null and deliveries.held_reason <> all(${['restored', ...answered]}))`;

/** SQL: whether the row of `deliveries` at hand is one of a run that {@link isWaiting}, whichever. */
export function oneWaiting(runId: string): RawBuilder<boolean> {
  return sql<boolean>`deliveries.id = (select id from deliveries where run_id = ${runId} and ${isWaiting} limit 1)`;
}
