import { type RawBuilder, sql } from 'kysely';
import type { Database } from '../platform/database.ts';
import type { Via } from '../transport/transport.ts';
import { answered } from './answers.ts';
import type { DeliverContext } from './context.ts';
import { moveDeliveries } from './state.ts';

/*
 * An attempt is in doubt while nobody knows what came of it: under way, or ended without Gmail's answer. Only two things
 * settle that: a look into Gmail, and a person who looked. Nothing else does, whatever is held, let go or restored
 * meanwhile, and until then its delivery has no other attempt: `readiness` (claim.ts) decides that, and an index of
 * PostgreSQL's (attempts_in_doubt) refuses what would go around it.
 */

/** SQL: whether the row of `attempts` at hand is in doubt. */
export const isInDoubt: RawBuilder<boolean> = sql<boolean>`(attempts.settled_at is null
  and (attempts.outcome is null or attempts.outcome = 'unknown'))`;

/** SQL: whether an attempt of the row of `deliveries` at hand is in doubt. */
export const hasDoubt: RawBuilder<boolean> = sql<boolean>`exists (select from attempts
  where attempts.delivery_id = deliveries.id and ${isInDoubt})`;

/** SQL: whether the row of `deliveries` at hand was handed to Gmail, whose answer will not come any more. */
export const isWithoutAnswer: RawBuilder<boolean> = sql<boolean>`(deliveries.state = 'sending' and exists (select from attempts
  where attempts.delivery_id = deliveries.id and settled_at is null and (outcome = 'unknown' or restored_at is not null)))`;

/**
 * SQL: whether nobody knows of the row of `deliveries` at hand whether it was sent: its answer is missing, it is held after a
 * restore, or a person was asked, or has just said what they found.
 */
export const mayHaveLeft: RawBuilder<boolean> = sql<boolean>`(deliveries.state = 'unconfirmed' or ${isWithoutAnswer}
  or (deliveries.state = 'held' and deliveries.held_reason = any(${['restored', ...answered]})))`;

/** Ends the doubt about deliveries: somebody looked into Gmail, we or a person. */
export async function settleDoubts(
  trx: Database,
  tenantId: string,
  deliveryIds: readonly string[],
  settledBy: 'look' | 'person',
  at: Date,
): Promise<void> {
  if (deliveryIds.length === 0) return;
  await sql`
    update attempts set settled_at = ${at}, settled_by = ${settledBy}, finished_at = coalesce(finished_at, ${at}),
      outcome = 'unknown'
    where tenant_id = ${tenantId} and delivery_id = any(${[...deliveryIds]}::uuid[]) and ${isInDoubt}`.execute(trx);
}

/** An attempt that is under way. */
export interface OpenAttempt {
  readonly id: string;
  /** 1 for the first. */
  readonly number: number;
  /** How many attempts before this one were refused with 401 since the mailbox was connected. */
  readonly permitsRefused: number;
  readonly startedAt: Date;
  /** No byte is written to Gmail after this. */
  readonly deadline: Date;
}

/**
 * Moves queued deliveries, none of which is in doubt, to `sending` and writes down that Gmail is about to be asked.
 *
 * @returns by delivery; none for one that another worker has
 */
export async function beginAttempts(
  trx: Database,
  { owner, clock, sendDeadlineMs, settleMs }: Pick<DeliverContext, 'owner' | 'clock' | 'sendDeadlineMs' | 'settleMs'>,
  tenantId: string,
  attemptIds: ReadonlyMap<string, string>,
  ready: readonly { readonly delivery: { readonly id: string }; readonly via: Via }[],
): Promise<Map<string, OpenAttempt>> {
  if (ready.length === 0) return new Map();
  const startedAt = clock();
  const deadline = new Date(startedAt.getTime() + sendDeadlineMs);
  const moved = await moveDeliveries(
    trx,
    tenantId,
    ready.map(({ delivery }) => delivery.id),
    {
      ...{ from: 'queued', to: 'sending', at: startedAt, detail: 'Handed to Gmail.' },
      // Should we die: nobody looks before nothing can be under way any more.
      notBefore: new Date(deadline.getTime() + settleMs),
    },
  );
  const ours = ready.flatMap(({ delivery: { id }, via }) => {
    const attemptId = attemptIds.get(id);
    return moved.includes(id) && attemptId ? [{ id, attemptId, via }] : [];
  });
  if (ours.length === 0) return new Map();
  const { rows } = await sql<{ id: string; deliveryId: string; number: number; permitsRefused: number }>`
    insert into attempts (id, tenant_id, delivery_id, number, owner, started_at, deadline, via)
    select ours.attempt_id, ${tenantId}, ours.id, (select count(*) + 1 from attempts where delivery_id = ours.id), ${owner},
      ${startedAt}, ${deadline}, ours.via
    from unnest(${ours.map(({ attemptId }) => attemptId)}::uuid[], ${ours.map(({ id }) => id)}::uuid[],
      ${ours.map(({ via }) => via)}::text[]) as ours (attempt_id, id, via)
    returning id, delivery_id as "deliveryId", number, (
      select count(*)::int from attempts earlier
      join deliveries on deliveries.id = earlier.delivery_id join mailboxes on mailboxes.id = deliveries.mailbox_id
      where earlier.delivery_id = attempts.delivery_id and earlier.http_status = 401
        and earlier.started_at >= mailboxes.connected_at) as "permitsRefused"`.execute(trx);
  return new Map(rows.map(({ deliveryId, ...row }) => [deliveryId, { ...row, startedAt, deadline }]));
}
