import { type RawBuilder, sql } from 'kysely';
import type { Database } from '../platform/database.ts';
import type { DeliveryState } from '../platform/database-types.ts';
import { answered } from './answers.ts';
import { hasDoubt } from './attempt.ts';
import { isDecidedBy, isSeenBy, type Onlooker } from './onlooker.ts';
import { type Recipients, recipientsSchema } from './recipients.ts';
import { moveDeliveries } from './state.ts';

/** An email of a record that waits, is just being sent, or of which nobody knows whether it was. */
export interface WaitingEmail {
  readonly id: string;
  readonly state: DeliveryState;
  readonly heldReason: string | null;
  readonly notBefore: Date | null;
  readonly recipients: Recipients;
  readonly memberName: string;
  /** It has certainly not left: it can be stopped, or get another paper. */
  readonly isUnsent: boolean;
  /** Whether the onlooker may see it, and decide about it. */
  readonly isSeen: boolean;
  readonly mayDecide: boolean;
}

/**
 * SQL: whether the row of `deliveries` at hand waits and nothing of it can be at Gmail. What was held after a restore may
 * have left since the backup, so may what somebody has just answered about, and what had an attempt without an answer may have left, too.
 */
export const isUnsent: RawBuilder<boolean> = sql<boolean>`(deliveries.state in ('queued', 'held')
  and (deliveries.held_reason is null or deliveries.held_reason <> all(${['restored', ...answered]}))
  and not ${hasDoubt})`;

/** What a member may change of a record whose emails wait: all of those, oldest first, at most 500. */
export async function listWaitingEmails(
  db: Database,
  tenantId: string,
  onlooker: Onlooker,
  documentId: string,
): Promise<WaitingEmail[]> {
  const rows = await db
    .selectFrom('deliveries')
    .innerJoin('members', 'members.id', 'deliveries.member_id')
    .select([
      ...(['deliveries.id', 'deliveries.state', 'deliveries.held_reason as heldReason'] as const),
      ...(['deliveries.not_before as notBefore', 'deliveries.recipients', 'members.name as memberName'] as const),
      isUnsent.as('isUnsent'),
      isSeenBy(onlooker).as('isSeen'),
      isDecidedBy(onlooker).as('mayDecide'),
    ])
    .where('deliveries.tenant_id', '=', tenantId)
    .where('deliveries.document_id', '=', documentId)
    .where('deliveries.state', 'in', ['queued', 'held', 'sending', 'unconfirmed'])
    .orderBy('deliveries.created_at')
    .limit(500)
    .execute();
  return rows.map((row) => ({ ...row, recipients: recipientsSchema.parse(row.recipients) }));
}

/** What became of the emails of a record that should not leave any more: how many of each. */
export interface Stopped {
  readonly stopped: number;
  /** Just being sent, or possibly sent already. */
  readonly tooLate: number;
}

/**
 * Stops what waits of a record that nobody should get any more. It asks for no permission on a mailbox: whoever may say
 * that an invoice is cancelled says with it that it does not go out.
 *
 * @param trx the transaction in which the record changes: what a worker takes at the same moment is either stopped here,
 *   or found to be leaving
 * @param why for the timelines: `The invoice was marked as cancelled`
 */
export async function stopWaitingEmails(
  { clock }: { readonly clock: () => Date },
  trx: Database,
  tenantId: string,
  documentId: string,
  { memberId, why }: { readonly memberId: string; readonly why: string },
): Promise<Stopped> {
  await trx
    .selectFrom('deliveries')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('document_id', '=', documentId)
    .where('state', 'in', ['queued', 'held', 'sending', 'unconfirmed'])
    .orderBy('id')
    .forNoKeyUpdate()
    .execute();
  // Asked anew, now that nobody else moves them.
  const waiting = await listWaitingEmails(trx, tenantId, { memberId, seesAll: true }, documentId);
  let stopped = 0;
  for (const from of ['queued', 'held'] as const) {
    const ids = waiting.filter(({ state, isUnsent }) => isUnsent && state === from).map(({ id }) => id);
    const move = { from, to: 'cancelled', at: clock(), detail: `${why}, so it was stopped.`, memberId } as const;
    stopped += (await moveDeliveries(trx, tenantId, ids, move)).length;
  }
  return { stopped, tooLate: waiting.length - stopped };
}

/** Somebody marks a record as paid, and says that what waits of it leaves all the same. What may have left is asked about then. */
export async function sendThoughPaid(trx: Database, tenantId: string, documentId: string): Promise<void> {
  await trx
    .updateTable('deliveries')
    .set({ though_paid: true })
    .where('tenant_id', '=', tenantId)
    .where('document_id', '=', documentId)
    .where(isUnsent)
    .execute();
}
