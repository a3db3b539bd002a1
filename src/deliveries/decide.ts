import { sql } from 'kysely';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import type { DeliveryState } from '../platform/database-types.ts';
import { wake } from '../platform/wake.ts';
import { type Answer, answer, answered, isAnswer, takeAnswersBack } from './answers.ts';
import { freeFromRun } from './free-from-run.ts';
import { unhindered } from './obstacles.ts';
import { type RecordNow, recordsNow, type Said, unaskedOf } from './record-now.ts';
import { unsendable } from './sendable.ts';
import { type HeldReason, lockDeliveries, type Move, moveDeliveries, writeEvents } from './state.ts';

/** What a person can decide about a delivery that does not move by itself. */
export type Decision =
  | 'send_again'
  /** It was not sent, and the record as it is now is to be. */
  | 'send_new_version'
  | 'mark_as_sent'
  /** It was not sent, and is not to be. */
  | 'do_not_send'
  | 'cancel'
  | 'send_now'
  | 'seen'
  | 'take_back';

type Step = Pick<Move, 'from' | 'to' | 'detail' | 'heldFor' | 'notHeldFor' | 'anyTime'>;

/** What each decision moves at once; a delivery that nothing fits has moved on. Answers and `seen` are other ways. */
const steps: Partial<Record<Decision, readonly Step[]>> = {
  cancel: [
    { from: 'queued', to: 'cancelled', detail: 'Cancelled before it left.' },
    { from: 'held', to: 'cancelled', detail: 'Cancelled. It may have left before the restore.', heldFor: ['restored'] },
    // What somebody has just answered may have left: the answer is taken back first.
    { from: 'held', to: 'cancelled', detail: 'Cancelled before it left.', notHeldFor: answered },
  ],
  // Said by a person, now means now, whatever the sending hours are.
  send_now: [{ from: 'held', to: 'queued', detail: 'To be sent now.', anyTime: true, notHeldFor: notSentByWord() }],
};

/**
 * What nobody sends by saying so: where Gmail's limit is used up it stays where it is; where its address is held, that is
 * decided about on the mailbox's page; and what may have been sent is asked about.
 */
function notSentByWord(): readonly HeldReason[] {
  return ['sending_limit', 'from_changed', 'restored', ...answered];
}

/** Which answer a decision is, about what may have been sent. `send_now` is one after a restore. */
const answers: Partial<Record<Decision, Answer>> = {
  send_again: 'not_found',
  send_now: 'not_found',
  send_new_version: 'not_found_new',
  do_not_send: 'not_found_over',
  mark_as_sent: 'found',
};

/** Whether it asks a person whether it was sent. */
function isAsked({ state, heldReason }: Pick<Standing, 'state' | 'heldReason'>): boolean {
  return state === 'unconfirmed' || (state === 'held' && heldReason === 'restored');
}

/**
 * Carries out one decision about any number of deliveries, and records with each who made it. In a few statements,
 * however many they are; those that have moved on meanwhile, that it does not fit, or that would only be held again, are
 * left alone, and so are those that are not sent again before somebody says more, see `record-now.ts`.
 *
 * @param said what the person was shown of the record
 * @returns the ids of those that it moved
 */
export async function decide(
  ctx: { readonly clock: Clock },
  trx: Database,
  tenantId: string,
  deliveryIds: readonly string[],
  decision: Decision,
  memberId: string,
  said: Said = {},
): Promise<string[]> {
  await lockDeliveries(trx, tenantId, deliveryIds);
  if (said.thoughPaid) await letLeaveThoughPaid(trx, tenantId, deliveryIds);
  const found = answers[decision];
  const moved = found ? await answerAbout(ctx, trx, tenantId, deliveryIds, { decision, found, said, memberId }) : [];
  const others = deliveryIds.filter((id) => !moved.includes(id));
  const free = decision === 'send_now' ? await unhindered(trx, ctx.clock, tenantId, others) : others;
  const released: string[] = [];
  for (const step of steps[decision] ?? []) {
    released.push(...(await moveDeliveries(trx, tenantId, free, { ...step, at: ctx.clock(), memberId })));
  }
  if (decision === 'send_now') released.push(...(await sendAnyTime(ctx, trx, tenantId, free, memberId)));
  if (decision === 'send_now' && released.length > 0) {
    await freeFromRun(trx, tenantId, released);
    await wake(trx, 'waiting');
  }
  moved.push(...released);
  if (decision === 'seen') moved.push(...(await markSeen(ctx, trx, tenantId, deliveryIds, memberId)));
  if (decision === 'take_back') moved.push(...(await takeAnswersBack(trx, ctx.clock, tenantId, deliveryIds, memberId)));
  return moved;
}

/** Says of emails that they leave although their records are paid. */
async function letLeaveThoughPaid(trx: Database, tenantId: string, deliveryIds: readonly string[]): Promise<void> {
  await trx
    .updateTable('deliveries')
    .set({ though_paid: true })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', sql<string>`any(${[...deliveryIds]}::uuid[])`)
    .execute();
}

/** `send_again` is about what is unconfirmed alone, `send_now` about what a restore left open. */
async function answerAbout(
  { clock }: { readonly clock: Clock },
  trx: Database,
  tenantId: string,
  deliveryIds: readonly string[],
  {
    decision,
    found,
    said,
    memberId,
  }: { readonly decision: Decision; readonly found: Answer; readonly said: Said; readonly memberId: string },
): Promise<string[]> {
  const state =
    decision === 'send_again' || decision === 'do_not_send' ? 'unconfirmed' : decision === 'send_now' ? 'held' : null;
  const rows = await trx
    .selectFrom('deliveries')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('id', '=', sql<string>`any(${[...deliveryIds]}::uuid[])`)
    .$if(state !== null, (query) => query.where('state', '=', state))
    .execute();
  const ids = rows.map(({ id }) => id);
  const sends = found === 'not_found' || found === 'not_found_new';
  const records = sends ? await recordsNow(trx, tenantId, ids) : new Map<string, RecordNow>();
  const known = found === 'not_found_new' ? { ...said, asItWas: true } : said;
  const free = ids.filter((id) => {
    const record = records.get(id);
    return !record || unaskedOf(record, known) === null;
  });
  return answer(trx, clock, tenantId, free, found, memberId);
}

/** Takes what failed, or left from another address, off the list of what needs somebody. */
async function markSeen(
  { clock }: { readonly clock: Clock },
  trx: Database,
  tenantId: string,
  deliveryIds: readonly string[],
  memberId: string,
): Promise<string[]> {
  if (deliveryIds.length === 0) return [];
  const at = clock();
  const rows = await trx
    .updateTable('deliveries')
    .set({ seen_at: at })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', sql<string>`any(${[...deliveryIds]}::uuid[])`)
    .where('seen_at', 'is', null)
    .where((where) => where.or([where('state', '=', 'failed'), where('from_changed_at', 'is not', null)]))
    .returning(['id', 'state'])
    .execute();
  for (const [state, same] of Map.groupBy(rows, (row) => row.state)) {
    const ids = same.map(({ id }) => id);
    const detail = 'Seen, and off the list of what needs somebody.';
    await writeEvents(trx, tenantId, ids, { state, at, detail, memberId });
  }
  return rows.map(({ id }) => id);
}

/** Has what waits for the sending hours in the queue leave whatever the hour: no move, but a line in its timeline. */
async function sendAnyTime(
  { clock }: { readonly clock: Clock },
  trx: Database,
  tenantId: string,
  deliveryIds: readonly string[],
  memberId: string,
): Promise<string[]> {
  if (deliveryIds.length === 0) return [];
  const rows = await trx
    .updateTable('deliveries')
    .set({ any_time: true })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', sql<string>`any(${[...deliveryIds]}::uuid[])`)
    .where('state', '=', 'queued')
    .where('any_time', '=', false)
    .returning('id')
    .execute();
  const ids = rows.map(({ id }) => id);
  await writeEvents(trx, tenantId, ids, { state: 'queued', at: clock(), detail: 'To be sent now.', memberId });
  return ids;
}

const decisions = [
  'send_again',
  'send_now',
  'send_new_version',
  'mark_as_sent',
  'do_not_send',
  'cancel',
  'seen',
  'take_back',
] as const satisfies Decision[];

/** Whether a word from a form is a decision. */
export function isDecision(word: unknown): word is Decision {
  return decisions.some((decision) => decision === word);
}

/** What of a delivery says which decisions fit it. */
export interface Standing {
  readonly state: DeliveryState;
  readonly heldReason: string | null;
  readonly fromChangedAt: Date | null;
  readonly seenAt: Date | null;
}

/** What stands around it. */
export interface Around {
  /** It would leave now, were it not for the sending hours. */
  readonly waitsForHours?: boolean;
  /** It would be held again at once, see `obstacles.ts`. */
  readonly isHindered?: boolean;
  /** What became of its record, where it has one. */
  readonly record?: Pick<RecordNow, 'status' | 'isChanged'> | null;
}

function isUnseen({ state, fromChangedAt, seenAt }: Standing): boolean {
  return seenAt === null && (state === 'failed' || fromChangedAt !== null);
}

/** What fits a delivery that stands so, and can work, in the order to offer it. Pure. */
export function decisionsFor(delivery: Standing, around: Around = {}): Decision[] {
  return decisions.filter((decision) => fits(decision, delivery, around));
}

function fits(
  decision: Decision,
  delivery: Standing,
  { waitsForHours = false, isHindered = false, record = null }: Around,
): boolean {
  const { state, heldReason } = delivery;
  const moves = (steps[decision] ?? []).some(
    ({ from, heldFor, notHeldFor }) =>
      from === state &&
      !(notHeldFor ?? []).some((reason) => reason === heldReason) &&
      (!heldFor || heldFor.some((reason) => reason === heldReason)),
  );
  const isOver = record !== null && unsendable(record.status, true) !== null;
  switch (decision) {
    case 'send_again':
      return state === 'unconfirmed' && !isOver;
    case 'send_new_version':
      return isAsked(delivery) && !isOver && record?.isChanged === true;
    case 'mark_as_sent':
      return isAsked(delivery);
    case 'do_not_send':
      return state === 'unconfirmed' && record !== null && unsendable(record.status, false) !== null;
    case 'send_now':
      if (state === 'held' && heldReason === 'restored') return !isOver;
      return !isHindered && (moves || (state === 'queued' && waitsForHours));
    case 'cancel':
      return moves;
    case 'seen':
      return isUnseen(delivery);
    case 'take_back':
      return state === 'held' && isAnswer(heldReason);
    default:
      return decision satisfies never;
  }
}
