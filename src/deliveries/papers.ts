import { sql } from 'kysely';
import { storedContent } from '../documents/content.ts';
import type { DocumentContent } from '../documents/document.ts';
import { type Head, headSchema } from '../documents/pdf/head.ts';
import type { Database } from '../platform/database.ts';
import type { DeliveryState } from '../platform/database-types.ts';
import { inTurns } from '../platform/turns.ts';
import { isSeenBy, type Onlooker } from './onlooker.ts';
import { type Recipients, recipientsSchema } from './recipients.ts';

/** Which version of a record an email carries: the record, and the company at its head, as they were at that moment. */
export interface Paper {
  readonly deliveryId: string;
  readonly state: DeliveryState;
  readonly sentAt: Date | null;
  readonly frozenAt: Date;
  readonly recipients: Recipients;
  /** What went, or goes, along with the PDF: names of files. */
  readonly files: readonly string[];
  /** Whether the record says now what it said then. */
  readonly isAsNow: boolean;
}

/** The newest 50 papers of a record that an onlooker may see, but those of emails that came to nothing, newest first. */
export async function listPapers(
  db: Database,
  tenantId: string,
  onlooker: Onlooker,
  documentId: string,
): Promise<Paper[]> {
  const rows = await db
    .selectFrom('deliveries')
    .innerJoin('documents', 'documents.id', 'deliveries.document_id')
    .leftJoin('runs', 'runs.id', 'deliveries.run_id')
    .select([
      'deliveries.id as deliveryId',
      'deliveries.state',
      'deliveries.sent_at as sentAt',
      'deliveries.recipients',
    ])
    .select([frozenAt.as('frozenAt'), sql<boolean>`deliveries.document_snapshot = documents.content`.as('isAsNow')])
    .select(
      sql<string[]>`array(select file_name from delivery_files where delivery_files.tenant_id = deliveries.tenant_id
        and delivery_files.delivery_id = deliveries.id order by position)`.as('files'),
    )
    .where('deliveries.tenant_id', '=', tenantId)
    .where('deliveries.document_id', '=', documentId)
    .where('deliveries.state', 'not in', ['cancelled', 'failed'])
    .where(isSeenBy(onlooker))
    .orderBy('deliveries.created_at', 'desc')
    .limit(50)
    .execute();
  return rows.map((row) => ({ ...row, recipients: recipientsSchema.parse(row.recipients) }));
}

const frozenAt = sql<Date>`coalesce(deliveries.frozen_at, runs.created_at, deliveries.created_at)`;

/** What the paper of an email shows. */
export interface PaperContent {
  readonly content: DocumentContent;
  /** Null where an email of before does not know it. */
  readonly head: Head | null;
  readonly frozenAt: Date;
}

/** What the paper of an email shows; undefined where it has none. */
export async function readPaper(db: Database, tenantId: string, deliveryId: string): Promise<PaperContent | undefined> {
  const row = await db
    .selectFrom('deliveries')
    .leftJoin('runs', 'runs.id', 'deliveries.run_id')
    .select(['deliveries.document_snapshot as content', frozenAt.as('frozenAt')])
    .select(sql<unknown>`coalesce(deliveries.head, runs.head)`.as('head'))
    .where('deliveries.tenant_id', '=', tenantId)
    .where('deliveries.id', '=', deliveryId)
    .executeTakeFirst();
  if (!row || row.content === null) return undefined;
  return {
    content: await inTurns(storedContent(row.content)),
    head: headSchema.safeParse(row.head).data ?? null,
    frozenAt: row.frozenAt,
  };
}
