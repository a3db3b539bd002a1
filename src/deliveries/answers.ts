import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { type HeldReason, moveDeliveries } from './state.ts';

/*
 * A person who looked into Gmail answers whether an email was sent. A wrong answer costs an email too many or one too few,
 * so for a minute it can be taken back: until then the delivery is held, its doubt stays open, and nothing leaves.
 */

/** For how long an answer can be taken back. */
export const answerUndoMs = 60_000;

/** What a delivery is held for while an answer about it can be taken back. */
export const answered = [
  'found',
  'not_found',
  'not_found_new',
  'not_found_over',
] as const satisfies readonly HeldReason[];
/** One of {@link answered}. */
export type Answer = (typeof answered)[number];

/** Whether a word is one. */
export function isAnswer(reason: string | null): reason is Answer {
  return answered.some((answer) => answer === reason);
}

const said: Record<Answer, string> = {
  found: 'Looked in Gmail and found it. It is marked as sent in a minute, unless that is undone.',
  not_found: 'Looked in Gmail and did not find it. It is sent again in a minute, unless that is undone.',
  not_found_new:
    'Looked in Gmail and did not find it. The record as it is by then is sent instead in a minute, unless that is undone.',
  not_found_over: 'Looked in Gmail and did not find it. It is not sent again.',
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
      ...(found !== 'found' && { anyTime: true }),
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
