import { sql } from 'kysely';
import { type Page, type PageRequest, pageOf, pageSize, readCursor } from '../documents/paging.ts';
import type { Database } from '../platform/database.ts';
import type { DeliveryPurpose, DeliveryState, DocumentKind } from '../platform/database-types.ts';
import { type Recipients, recipientsSchema } from './recipients.ts';
import { waitingReasons } from './release.ts';

/** A delivery as lists show it. */
export interface DeliverySummary {
  readonly id: string;
  readonly purpose: DeliveryPurpose;
  readonly state: DeliveryState;
  readonly stateAt: Date;
  readonly heldReason: string | null;
  readonly notBefore: Date | null;
  readonly fromEmail: string;
  readonly recipients: Recipients;
  readonly subject: string;
  readonly createdAt: Date;
  readonly documentId: string | null;
  readonly documentKind: DocumentKind | null;
  readonly documentNumber: string | null;
  readonly partyName: string | null;
  /** The run it was started with, or null. */
  readonly runId: string | null;
  /** The latest sentence of its timeline. */
  readonly lastDetail: string | null;
}

/** A delivery with everything there is to know about it. */
export interface DeliveryRecord extends DeliverySummary {
  readonly fromName: string;
  readonly replyTo: string | null;
  readonly message: string;
  readonly memberName: string;
  readonly mailboxEmail: string;
  readonly sentAt: Date | null;
  readonly gmailMessageId: string | null;
  readonly attachments: readonly { readonly fileName: string; readonly size: number; readonly sha256: string }[];
  readonly events: readonly {
    readonly at: Date;
    readonly state: DeliveryState;
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
  readonly gmailMessage: string | null;
  readonly durationMs: number | null;
}

/**
 * Whether a person has something to do: what is held until a time goes on by itself, who paused a run knows it, and what
 * was sent again needs nothing more.
 */
const needsSomebody = sql<boolean>`(deliveries.replaced_by is null and (deliveries.state in ('unconfirmed', 'failed')
  or (deliveries.state = 'held' and deliveries.not_before is null and deliveries.held_reason <> 'run_paused')))`;

/** Which deliveries a list shows; `attention` keeps those that need somebody. */
export interface DeliveryFilter extends PageRequest {
  readonly documentId?: string | undefined;
  readonly attention?: boolean | undefined;
  /** Only what is held until this mailbox is connected, or was when it was connected again too late. */
  readonly waitingFor?: string | undefined;
}

/** One page of deliveries, newest first. */
export async function listDeliveries(
  db: Database,
  tenantId: string,
  filter: DeliveryFilter = {},
): Promise<Page<DeliverySummary>> {
  const limit = pageSize(filter);
  let query = summaries(db, tenantId);
  if (filter.documentId) query = query.where('deliveries.document_id', '=', filter.documentId);
  if (filter.attention) query = query.where(needsSomebody);
  if (filter.waitingFor) {
    query = query
      .where('deliveries.mailbox_id', '=', filter.waitingFor)
      .where('deliveries.held_reason', 'in', waitingReasons);
  }
  const after = readCursor(filter.after);
  if (after && microseconds.test(after[0])) {
    const [epoch, id] = after;
    const at = sql`timestamptz 'epoch' + ${epoch}::bigint * interval '1 microsecond'`;
    query = query.where(sql<boolean>`(deliveries.created_at, deliveries.id) < (${at}, ${id}::uuid)`);
  }
  const rows = await query
    .select(sql<string>`(extract(epoch from deliveries.created_at) * 1000000)::bigint::text`.as('place'))
    .orderBy('deliveries.created_at', 'desc')
    .orderBy('deliveries.id', 'desc')
    .limit(limit + 1)
    .execute();
  return pageOf(rows.map(readSummary), limit, (last) => [last.place, last.id]);
}

// A cursor is exact to the microsecond, as PostgreSQL is: a JavaScript date would lose the order within a run.
const microseconds = /^\d{1,17}$/;

/** The newest delivery of each of these records that has one, by the record's id. */
export async function latestDeliveriesOf(
  db: Database,
  tenantId: string,
  documentIds: readonly string[],
): Promise<Map<string, { id: string; state: DeliveryState }>> {
  if (documentIds.length === 0) return new Map();
  const rows = await db
    .selectFrom('deliveries')
    .distinctOn('document_id')
    .select(['document_id', 'id', 'state'])
    .where('tenant_id', '=', tenantId)
    .where('document_id', 'in', [...documentIds])
    .orderBy('document_id')
    .orderBy('created_at', 'desc')
    .execute();
  return new Map(
    rows.flatMap(({ document_id, id, state }) => (document_id ? [[document_id, { id, state }] as const] : [])),
  );
}

/** How many deliveries wait for somebody to do something. */
export async function countAttention(db: Database, tenantId: string): Promise<number> {
  const { count } = await db
    .selectFrom('deliveries')
    .select((eb) => eb.fn.countAll<string>().as('count'))
    .where('tenant_id', '=', tenantId)
    .where(needsSomebody)
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** One delivery with its timeline, attempts and attachments; undefined when there is none. */
export async function getDelivery(
  db: Database,
  tenantId: string,
  deliveryId: string,
): Promise<DeliveryRecord | undefined> {
  const row = await summaries(db, tenantId)
    .innerJoin('members', 'members.id', 'deliveries.member_id')
    .innerJoin('mailboxes', 'mailboxes.id', 'deliveries.mailbox_id')
    .select([
      'deliveries.from_name as fromName',
      'deliveries.reply_to as replyTo',
      'deliveries.message',
      'deliveries.sent_at as sentAt',
      'deliveries.gmail_message_id as gmailMessageId',
      'members.name as memberName',
      'mailboxes.email as mailboxEmail',
    ])
    .where('deliveries.id', '=', deliveryId)
    .executeTakeFirst();
  if (!row) return undefined;
  const attachments = await db
    .selectFrom('delivery_attachments')
    .select(['file_name as fileName', 'sha256', sql<number>`length(bytes)`.as('size')])
    .where('delivery_id', '=', deliveryId)
    .execute();
  const events = await db
    .selectFrom('delivery_events')
    .leftJoin('members', 'members.id', 'delivery_events.member_id')
    .select(['at', 'state', 'detail', 'members.name as memberName'])
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
      'gmail_message as gmailMessage',
      'duration_ms as durationMs',
    ])
    .where('delivery_id', '=', deliveryId)
    .orderBy('number', 'desc')
    .limit(100)
    .execute();
  return { ...row, recipients: recipientsSchema.parse(row.recipients), attachments, events, attempts };
}

/** The bytes that were sent with a delivery; undefined when there is no such file. */
export function getAttachment(db: Database, tenantId: string, deliveryId: string, fileName: string) {
  return db
    .selectFrom('delivery_attachments')
    .select(['file_name as fileName', 'media_type as mediaType', 'bytes'])
    .where('tenant_id', '=', tenantId)
    .where('delivery_id', '=', deliveryId)
    .where('file_name', '=', fileName)
    .executeTakeFirst();
}

function summaries(db: Database, tenantId: string) {
  return db
    .selectFrom('deliveries')
    .leftJoin('documents', 'documents.id', 'deliveries.document_id')
    .leftJoin('parties', 'parties.id', 'documents.party_id')
    .select((eb) => [
      'deliveries.id',
      'deliveries.purpose',
      'deliveries.state',
      'deliveries.state_at as stateAt',
      'deliveries.held_reason as heldReason',
      'deliveries.not_before as notBefore',
      'deliveries.from_email as fromEmail',
      'deliveries.recipients',
      'deliveries.subject',
      'deliveries.created_at as createdAt',
      'deliveries.document_id as documentId',
      'deliveries.run_id as runId',
      'documents.kind as documentKind',
      'documents.number as documentNumber',
      'parties.name as partyName',
      eb
        .selectFrom('delivery_events')
        .select('detail')
        .whereRef('delivery_id', '=', 'deliveries.id')
        .orderBy('delivery_events.id', 'desc')
        .limit(1)
        .as('lastDetail'),
    ])
    .where('deliveries.tenant_id', '=', tenantId);
}

function readSummary<Row extends { recipients: unknown }>(
  row: Row,
): Omit<Row, 'recipients'> & { recipients: Recipients } {
  return { ...row, recipients: recipientsSchema.parse(row.recipients) };
}
