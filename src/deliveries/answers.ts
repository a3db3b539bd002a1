import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { settleDoubts } from './attempt.ts';
import { freeFromRun } from './free-from-run.ts';
import { type HeldReason, moveDeliveries } from './state.ts';

/*
 * A person who looked into Gmail answers whether an email was sent. A wrong answer costs an email too many or one too few,
 * so for a minute it can be taken back: until then the delivery is held, its doubt stays open, and nothing leaves.
 */

/** For how long an answer can be taken back. */
export const answerUndoMs = 60_000;

/** What a delivery is held for while an answer about it can be taken back. */
export const answered = ['found', 'not_found'] as const satisfies readonly HeldReason[];
/** One of {@link answered}. */
export type Answer = (typeof answered)[number];

/** Whether a word is one. */
export function isAnswer(reason: string | null): reason is Answer {
  return answered.some((answer) => answer === reason);
}

const said: Record<Answer, string> = {
  found: 'Looked in Gmail and found it. It is marked as sent in a minute, unless that is undone.',
  not_found: 'Looked in Gmail and did not find it. It is sent again in a minute, unless that is undone.',
};

/**
 * Writes down what a person found, about those that ask for it: what is unconfirmed, and what is held after a restore.
 *
 * @returns the ids of those that it fits
 */
export async function answer(
  trx: Database,
  clock: Clock,
  tenantId: string,
  deliveryIds: readonly string[],
  found: Answer,
  memberId: string,
): Promise<string[]> {
  const at = clock();
  const notBefore = new Date(at.getTime() + answerUndoMs);
  const move = { to: 'held', heldReason: found, at, notBefore, detail: said[found], memberId } as const;
  return [
    ...(await moveDeliveries(trx, tenantId, deliveryIds, { ...move, from: 'unconfirmed' })),
    ...(await moveDeliveries(trx, tenantId, deliveryIds, {
      ...move,
      ...{ from: 'held', heldFor: ['restored'] },
      // Said by a person, now means now, whatever the sending hours are.
      ...(found === 'not_found' && { anyTime: true }),
    })),
  ];
}

/**
 * Takes answers back: what was in doubt is in doubt again, what was held after a restore is held for that again.
 *
 * @returns the ids of those whose answer could still be taken back
 */
export async function takeAnswersBack(
  trx: Database,
  clock: Clock,
  tenantId: string,
  deliveryIds: readonly string[],
  memberId: string,
): Promise<string[]> {
  if (deliveryIds.length === 0) return [];
  const restored = await askedAfterRestore(trx, tenantId, deliveryIds);
  const others = deliveryIds.filter((id) => !restored.includes(id));
  const move = {
    from: 'held',
    heldFor: answered,
    at: clock(),
    detail: 'The answer was undone.',
    memberId,
  } as const;
  return [
    ...(await moveDeliveries(trx, tenantId, others, { ...move, to: 'unconfirmed' })),
    ...(await moveDeliveries(trx, tenantId, restored, { ...move, to: 'held', heldReason: 'restored' })),
  ];
}

/** Those that were held after a restore when they were answered, by what their timelines say; the others were in doubt. */
async function askedAfterRestore(trx: Database, tenantId: string, deliveryIds: readonly string[]): Promise<string[]> {
  const rows = await trx
    .selectFrom('delivery_events')
    .distinctOn('delivery_id')
    .select(['delivery_id', 'state', 'held_reason'])
    .where('tenant_id', '=', tenantId)
    .where('delivery_id', 'in', [...deliveryIds])
    .where((where) => where.or([where('held_reason', 'is', null), where('held_reason', 'not in', [...answered])]))
    .orderBy('delivery_id')
    .orderBy('id', 'desc')
    .execute();
  return rows
    .filter(({ state, held_reason }) => state === 'held' && held_reason === 'restored')
    .map(({ delivery_id }) => delivery_id);
}

/** An answer whose minute is over. */
export interface DueAnswer {
  readonly deliveryId: string;
  readonly heldReason: string | null;
}

/** Has answers count that were not taken back in time: the doubt ends, and the delivery is sent, or is sent again. */
export async function concludeAnswers(
  trx: Database,
  clock: Clock,
  tenantId: string,
  due: readonly DueAnswer[],
): Promise<void> {
  const at = clock();
  const answers = due.flatMap(({ deliveryId, heldReason }) =>
    isAnswer(heldReason) ? [{ deliveryId, found: heldReason }] : [],
  );
  const who = await whoAnswered(
    trx,
    tenantId,
    answers.map(({ deliveryId }) => deliveryId),
  );
  for (const [memberId, theirs] of Map.groupBy(answers, ({ deliveryId }) => who.get(deliveryId))) {
    for (const [found, alike] of Map.groupBy(theirs, (each) => each.found)) {
      const ids = alike.map(({ deliveryId }) => deliveryId);
      const apart = found === 'not_found' ? await answeredInSpiteOfRun(trx, tenantId, ids) : new Set<string>();
      const over = found === 'not_found' ? await ofCancelledRecords(trx, tenantId, ids) : new Set<string>();
      const move = { from: 'held', heldFor: [found], dueBy: at, at, ...(memberId && { memberId }) } as const;
      const moved =
        found === 'found'
          ? await moveDeliveries(trx, tenantId, ids, { ...move, to: 'sent', detail: 'Found in Gmail: marked as sent.' })
          : [
              ...(await moveDeliveries(
                trx,
                tenantId,
                ids.filter((id) => over.has(id)),
                {
                  ...move,
                  to: 'cancelled',
                  detail: 'Not found in Gmail. Its record was cancelled, so it is not sent again.',
                },
              )),
              ...(await moveDeliveries(
                trx,
                tenantId,
                ids.filter((id) => !over.has(id)),
                { ...move, to: 'queued', detail: 'Not found in Gmail: sent again.' },
              )),
            ];
      await settleDoubts(trx, tenantId, moved, 'person', at);
      await freeFromRun(
        trx,
        tenantId,
        moved.filter((id) => apart.has(id)),
      );
    }
  }
}

/** Those about which somebody answered when their run was paused or cancelled already. One that was stopped later stops them too. */
async function answeredInSpiteOfRun(
  trx: Database,
  tenantId: string,
  deliveryIds: readonly string[],
): Promise<Set<string>> {
  const rows = await trx
    .selectFrom('deliveries')
    .innerJoin('runs', (join) =>
      join.onRef('runs.tenant_id', '=', 'deliveries.tenant_id').onRef('runs.id', '=', 'deliveries.run_id'),
    )
    .select('deliveries.id')
    .where('deliveries.tenant_id', '=', tenantId)
    .where('deliveries.id', 'in', [...deliveryIds])
    .whereRef('runs.state_at', '<=', 'deliveries.state_at')
    .execute();
  return new Set(rows.map(({ id }) => id));
}

/** Those of records that were cancelled: what did not leave is not to leave any more, see `sendable.ts`. */
async function ofCancelledRecords(
  trx: Database,
  tenantId: string,
  deliveryIds: readonly string[],
): Promise<Set<string>> {
  const rows = await trx
    .selectFrom('deliveries')
    .innerJoin('documents', (join) =>
      join
        .onRef('documents.tenant_id', '=', 'deliveries.tenant_id')
        .onRef('documents.id', '=', 'deliveries.document_id'),
    )
    .select('deliveries.id')
    .where('deliveries.tenant_id', '=', tenantId)
    .where('deliveries.id', 'in', [...deliveryIds])
    .where('documents.status', '=', 'cancelled')
    .execute();
  return new Set(rows.map(({ id }) => id));
}

/** Who answered last, by delivery. */
async function whoAnswered(
  trx: Database,
  tenantId: string,
  deliveryIds: readonly string[],
): Promise<Map<string, string>> {
  if (deliveryIds.length === 0) return new Map();
  const rows = await trx
    .selectFrom('delivery_events')
    .distinctOn('delivery_id')
    .select(['delivery_id', 'member_id'])
    .where('tenant_id', '=', tenantId)
    .where('delivery_id', 'in', [...deliveryIds])
    .where('held_reason', 'in', [...answered])
    .orderBy('delivery_id')
    .orderBy('id', 'desc')
    .execute();
  return new Map(rows.flatMap(({ delivery_id, member_id }) => (member_id ? [[delivery_id, member_id]] : [])));
}
