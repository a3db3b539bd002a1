import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { type Answer, answered, isAnswer } from './answers.ts';
import { settleDoubts } from './attempt.ts';
import { freeFromRun } from './free-from-run.ts';
import { recordsNow } from './record-now.ts';
import { reviseByItself } from './revise-by-itself.ts';
import { cancelledWithRecord, type Unsendable, unsendable } from './sendable.ts';
import { type Move, moveDeliveries } from './state.ts';

/** An answer whose minute is over. */
export interface DueAnswer {
  readonly deliveryId: string;
  readonly heldReason: string | null;
}

/** Has answers count that were not taken back in time: the doubt ends, and the delivery is sent, is sent again, or is not. */
export async function concludeAnswers(
  trx: Database,
  clock: Clock,
  tenantId: string,
  due: readonly DueAnswer[],
): Promise<void> {
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
      await concludeAlike(trx, clock, tenantId, ids, { found, memberId });
    }
  }
}

async function concludeAlike(
  trx: Database,
  clock: Clock,
  tenantId: string,
  ids: readonly string[],
  { found, memberId }: { readonly found: Answer; readonly memberId: string | undefined },
): Promise<void> {
  const at = clock();
  const by = { from: 'held', heldFor: [found], dueBy: at, at, ...(memberId && { memberId }) } as const;
  const sends = found === 'not_found' || found === 'not_found_new';
  const apart = sends ? await answeredInSpiteOfRun(trx, tenantId, ids) : new Set<string>();
  const over = sends ? await ofRecordsThatAreOver(trx, tenantId, ids) : new Map<string, Unsendable>();
  const moved: string[] = [];
  for (const [because, same] of Map.groupBy(ids, (id) => over.get(id) ?? null)) {
    moved.push(...(await moveDeliveries(trx, tenantId, same, { ...by, ...moveFor(found, because) })));
  }
  await settleDoubts(trx, tenantId, moved, 'person', at);
  await freeFromRun(
    trx,
    tenantId,
    moved.filter((id) => apart.has(id)),
  );
  if (found === 'not_found_new')
    for (const id of moved.filter((id) => !over.has(id))) await reviseByItself(trx, clock, tenantId, id, memberId);
}

/** @param because why its record cannot be sent any more: it stays where it is */
function moveFor(found: Answer, because: Unsendable | null): Pick<Move, 'to' | 'detail'> {
  if (because !== null) {
    const { to, detail } = cancelledWithRecord(because);
    return { to, detail: `Not found in Gmail. ${detail}` };
  }
  switch (found) {
    case 'found':
      return { to: 'sent', detail: 'Found in Gmail: marked as sent.' };
    case 'not_found':
      return { to: 'queued', detail: 'Not found in Gmail: sent again.' };
    case 'not_found_new':
      return { to: 'queued', detail: 'Not found in Gmail: sent again, with the record as it is now.' };
    case 'not_found_over':
      return { to: 'cancelled', detail: 'Not found in Gmail, and not sent again.' };
    default:
      return found satisfies never;
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

/** Those of records that were cancelled, or are drafts: what did not leave is not to leave any more, see `sendable.ts`. */
async function ofRecordsThatAreOver(
  trx: Database,
  tenantId: string,
  deliveryIds: readonly string[],
): Promise<Map<string, Unsendable>> {
  const records = await recordsNow(trx, tenantId, deliveryIds);
  return new Map(
    [...records].flatMap(([id, { status }]) => {
      const because = unsendable(status, true);
      return because ? [[id, because]] : [];
    }),
  );
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
