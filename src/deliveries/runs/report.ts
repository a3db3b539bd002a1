import { sql } from 'kysely';
import { type Page, type PageRequest, pageOf, pageSize, readCursor } from '../../documents/paging.ts';
import type { Database } from '../../platform/database.ts';
import type { DeliveryState } from '../../platform/database-types.ts';
import { answered } from '../answers.ts';
import { isWithoutAnswer } from '../attempt.ts';
import { isSeenBy, type Onlooker } from '../onlooker.ts';
import { type Recipients, recipientsSchema } from '../recipients.ts';
import type { RunCounts } from './runs.ts';

/** One delivery in the report of its run, as it was frozen. */
export interface ReportRow {
  readonly id: string;
  readonly documentId: string | null;
  readonly number: string;
  readonly partyName: string;
  readonly recipients: Recipients;
  readonly fromEmail: string;
  readonly state: DeliveryState;
  readonly heldReason: string | null;
  /** Gmail’s answer never arrived; while it is `sending`. */
  readonly isInDoubt: boolean;
  /** When it was seen that Gmail used another address than was asked for. */
  readonly fromChangedAt: Date | null;
  readonly notBefore: Date | null;
  readonly createdAt: Date;
  readonly stateAt: Date;
  readonly sentAt: Date | null;
  readonly providerMessageId: string | null;
  /** The delivery by which it was sent again. */
  readonly replacedBy: string | null;
  /** Of its PDF; null until that is made. */
  readonly sha256: string | null;
  /** The latest sentence of its timeline. */
  readonly lastDetail: string | null;
}

/** What a report may be narrowed to: the same parts as {@link RunCounts} counts, so that neither says what the other denies. */
export const reportFilters = [
  'undo',
  'scheduled',
  'waiting',
  'inDoubt',
  'answered',
  'sent',
  'held',
  'failed',
  'unconfirmed',
  'cancelled',
] as const satisfies readonly (keyof RunCounts)[];
/** One of {@link reportFilters}. */
export type ReportFilter = (typeof reportFilters)[number];

const microseconds = /^\d{1,17}$/;

/**
 * One page of those of a run's deliveries that somebody may see, in the order of its records; what was sent again comes after all others.
 *
 * @param all those that were replaced too
 */
export async function reportPage(
  db: Database,
  tenantId: string,
  onlooker: Onlooker,
  runId: string,
  {
    show,
    all = false,
    ...request
  }: PageRequest & { readonly show?: ReportFilter | undefined; readonly all?: boolean } = {},
): Promise<Page<ReportRow>> {
  const limit = pageSize(request);
  let query = db
    .selectFrom('deliveries')
    .select([
      'deliveries.id',
      'deliveries.document_id as documentId',
      'deliveries.recipients',
      'deliveries.from_email as fromEmail',
      'deliveries.state',
      'deliveries.held_reason as heldReason',
      'deliveries.not_before as notBefore',
      'deliveries.created_at as createdAt',
      'deliveries.state_at as stateAt',
      'deliveries.sent_at as sentAt',
      'deliveries.from_changed_at as fromChangedAt',
      'deliveries.provider_message_id as providerMessageId',
      'deliveries.replaced_by as replacedBy',
      sql<string>`coalesce(document_snapshot ->> 'number', '')`.as('number'),
      sql<string>`coalesce(document_snapshot #>> '{party,name}', '')`.as('partyName'),
      sql<string>`(extract(epoch from deliveries.created_at) * 1000000)::bigint::text`.as('place'),
    ])
    .select(isWithoutAnswer.as('isInDoubt'))
    .select((eb) => [
      eb
        .selectFrom('delivery_attachments')
        .select('sha256')
        .whereRef('delivery_attachments.delivery_id', '=', 'deliveries.id')
        .limit(1)
        .as('sha256'),
      eb
        .selectFrom('delivery_events')
        .select('detail')
        .whereRef('delivery_events.delivery_id', '=', 'deliveries.id')
        .orderBy('delivery_events.id', 'desc')
        .limit(1)
        .as('lastDetail'),
    ])
    .where('deliveries.tenant_id', '=', tenantId)
    .where('deliveries.run_id', '=', runId)
    .where(isSeenBy(onlooker));
  if (!all) query = query.where('deliveries.replaced_by', 'is', null);
  if (show) query = query.where(isShownAs(show));
  const after = readCursor(request.after);
  if (after && microseconds.test(after[0])) {
    const at = sql`timestamptz 'epoch' + ${after[0]}::bigint * interval '1 microsecond'`;
    query = query.where(sql<boolean>`(deliveries.created_at, deliveries.id) > (${at}, ${after[1]}::uuid)`);
  }
  const rows = await query
    .orderBy('deliveries.created_at')
    .orderBy('deliveries.id')
    .limit(limit + 1)
    .execute();
  const read = rows.map((row) => ({ ...row, recipients: recipientsSchema.parse(row.recipients) }));
  return pageOf(read, limit, (last) => [last.place, last.id]);
}

function isShownAs(show: ReportFilter) {
  switch (show) {
    case 'waiting':
      return sql<boolean>`(deliveries.state in ('queued', 'sending') and not ${isWithoutAnswer})`;
    case 'inDoubt':
      return isWithoutAnswer;
    case 'answered':
      return sql<boolean>`(deliveries.state = 'held' and deliveries.held_reason = any(${[...answered]}))`;
    case 'undo':
    case 'scheduled':
      return sql<boolean>`deliveries.state = 'held' and deliveries.held_reason = ${show}`;
    case 'held':
      return sql<boolean>`deliveries.state = 'held' and deliveries.held_reason <> all(${['undo', 'scheduled', ...answered]})`;
    case 'sent':
    case 'failed':
    case 'unconfirmed':
    case 'cancelled':
      return sql<boolean>`deliveries.state = ${show}`;
    default:
      return show satisfies never;
  }
}
