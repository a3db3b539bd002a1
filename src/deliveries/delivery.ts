import { sql } from 'kysely';
import { pdfName } from '../documents/format.ts';
import type { Database } from '../platform/database.ts';
import type { DeliveryState, DocumentKind } from '../platform/database-types.ts';
import { type AttachedFile, listAttachedFiles } from './attached-files.ts';
import { type DeliverySummary, summaries } from './deliveries.ts';
import { isDecidedBy, isSeenBy, type Onlooker } from './onlooker.ts';
import { recipientsSchema } from './recipients.ts';
import { isUnsent } from './waiting-emails.ts';

/** A delivery with everything there is to know about it. */
export interface DeliveryRecord extends DeliverySummary {
  readonly fromName: string;
  readonly replyTo: string | null;
  readonly message: string;
  /** It leaves whatever the sending hours say. */
  readonly anyTime: boolean;
  /** It certainly waits: nothing of it can be at Gmail. */
  readonly isUnsent: boolean;
  /** The email that took its place. */
  readonly replacedBy: string | null;
  readonly sentAt: Date | null;
  readonly providerMessageId: string | null;
  /** What Gmail used, and when it was read back; null until then, and without the permission to look. */
  readonly sentMessageId: string | null;
  readonly provenAt: Date | null;
  /** What its PDF will be called that is not made yet, see `freeze.ts`; null where there is none to be made. */
  readonly pdfToMake: string | null;
  readonly attachments: readonly { readonly fileName: string; readonly size: number; readonly sha256: string }[];
  /** The record's files that go along with it, after the PDF. */
  readonly files: readonly AttachedFile[];
  readonly events: readonly {
    readonly at: Date;
    readonly state: DeliveryState;
    readonly heldReason: string | null;
    readonly detail: string | null;
    readonly memberName: string | null;
  }[];
  readonly attempts: readonly AttemptRecord[];
}

/** One try at Gmail, with what Gmail answered. */
export interface AttemptRecord {
  readonly number: number;
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
  readonly outcome: string | null;
  readonly httpStatus: number | null;
  readonly reason: string | null;
  readonly providerSaid: string | null;
  readonly durationMs: number | null;
}

/** One delivery with its timeline, attempts and attachments; undefined when there is none that they may see. */
export async function getDelivery(
  db: Database,
  tenantId: string,
  onlooker: Onlooker,
  deliveryId: string,
): Promise<DeliveryRecord | undefined> {
  const row = await summaries(db, tenantId)
    .select([
      'deliveries.from_name as fromName',
      'deliveries.reply_to as replyTo',
      'deliveries.message',
      'deliveries.any_time as anyTime',
      'deliveries.sent_at as sentAt',
      'deliveries.provider_message_id as providerMessageId',
      'deliveries.sent_message_id as sentMessageId',
      'deliveries.proven_at as provenAt',
      isDecidedBy(onlooker).as('mayDecide'),
      isUnsent.as('isUnsent'),
      'deliveries.replaced_by as replacedBy',
      sql<DocumentKind | null>`deliveries.document_snapshot ->> 'kind'`.as('frozenKind'),
      sql<string | null>`deliveries.document_snapshot ->> 'number'`.as('frozenNumber'),
      sql<string | null>`deliveries.document_snapshot ->> 'typeCode'`.as('frozenTypeCode'),
      sql<string | null>`coalesce(deliveries.head, (select runs.head from runs where runs.id = deliveries.run_id))
        #>> '{company,name}'`.as('frozenCompany'),
    ])
    .where('deliveries.id', '=', deliveryId)
    .where(isSeenBy(onlooker))
    .executeTakeFirst();
  if (!row) return undefined;
  const attachments = await db
    .selectFrom('delivery_attachments')
    .select(['file_name as fileName', 'sha256', sql<number>`length(bytes)`.as('size')])
    .where('delivery_id', '=', deliveryId)
    .execute();
  const files = row.documentId === null ? [] : await listAttachedFiles(db, tenantId, deliveryId);
  const events = await db
    .selectFrom('delivery_events')
    .leftJoin('members', 'members.id', 'delivery_events.member_id')
    .select(['at', 'state', 'held_reason as heldReason', 'detail', 'members.name as memberName'])
    .where('delivery_id', '=', deliveryId)
    .orderBy('delivery_events.id', 'desc')
    .limit(200)
    .execute();
  const attempts = await db
    .selectFrom('attempts')
    .select([
      'number',
      'started_at as startedAt',
      'finished_at as finishedAt',
      'outcome',
      'http_status as httpStatus',
      'reason',
      'provider_said as providerSaid',
      'duration_ms as durationMs',
    ])
    .where('delivery_id', '=', deliveryId)
    .orderBy('number', 'desc')
    .limit(100)
    .execute();
  const { frozenKind: kind, frozenNumber: number, frozenTypeCode: typeCode, frozenCompany: company, ...rest } = row;
  const isToMake = company !== null && attachments.length === 0 && kind !== null && number !== null;
  const pdfToMake = isToMake ? pdfName({ kind, number, typeCode }, company) : null;
  return {
    ...rest,
    recipients: recipientsSchema.parse(row.recipients),
    pdfToMake,
    attachments,
    files,
    events,
    attempts,
  };
}

/** The bytes that were sent with a delivery, and their SHA-256 of that moment; undefined when there is no such file that they may see. */
export function getAttachment(
  db: Database,
  tenantId: string,
  onlooker: Onlooker,
  deliveryId: string,
  fileName: string,
) {
  return db
    .selectFrom('delivery_attachments')
    .innerJoin('deliveries', 'deliveries.id', 'delivery_attachments.delivery_id')
    .select(['file_name as fileName', 'media_type as mediaType', 'sha256', 'bytes'])
    .where('deliveries.tenant_id', '=', tenantId)
    .where('delivery_id', '=', deliveryId)
    .where(isSeenBy(onlooker))
    .where('file_name', '=', fileName)
    .executeTakeFirst();
}
