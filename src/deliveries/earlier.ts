import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';
import { type DeliverySummary, type HiddenDelivery, listDeliveries, listHidden } from './deliveries.ts';
import type { Onlooker } from './onlooker.ts';

/** For so long after an email was sent, sending its record again is asked about. */
const withinMs = 24 * 3_600_000;

/**
 * The deliveries of a record that make sending it again worth a question: those on their way, those of which nobody
 * knows, and those sent within a day.
 *
 * @returns their ids, newest first
 */
export async function findEarlier(trx: Database, tenantId: string, documentId: string, now: Date): Promise<string[]> {
  const rows = await trx
    .selectFrom('deliveries')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('document_id', '=', documentId)
    .where(isEarlier(now))
    .orderBy('created_at', 'desc')
    .execute();
  return rows.map(({ id }) => id);
}

/** The same for a page: those that somebody may see, and that there are others. */
export interface Earlier {
  readonly ids: readonly string[];
  readonly seen: readonly DeliverySummary[];
  readonly hidden: readonly HiddenDelivery[];
}

/** See {@link Earlier}. At most 50 of each are named. */
export async function listEarlier(
  trx: Database,
  tenantId: string,
  onlooker: Onlooker,
  documentId: string,
  now: Date,
): Promise<Earlier> {
  return {
    ids: await findEarlier(trx, tenantId, documentId, now),
    seen: (await listDeliveries(trx, tenantId, onlooker, { documentId, only: isEarlier(now) })).rows,
    hidden: await listHidden(trx, tenantId, onlooker, documentId, isEarlier(now)),
  };
}

/** SQL: whether the row of `deliveries` at hand is one of {@link findEarlier}. */
export function isEarlier(now: Date) {
  return sql<boolean>`(deliveries.state in ('queued', 'sending', 'held', 'unconfirmed') or
    (deliveries.state = 'sent' and deliveries.sent_at > ${new Date(now.getTime() - withinMs)}))`;
}
