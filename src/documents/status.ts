import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';
import type { DocumentStatus } from './document.ts';
import { DocumentError } from './errors.ts';
import { freeNumber, numbered } from './numbering.ts';
import { columnsOf, type DocumentRecord, stored } from './store.ts';

/**
 * Moves a record to another status and leaves the rest; a draft without a number takes the next one. Throws `not_found`.
 *
 * @param db a transaction inside the tenant
 * @param at when, as {@link createDocument} takes it
 */
export async function setDocumentStatus(
  db: Database,
  tenantId: string,
  documentId: string,
  status: DocumentStatus,
  at: Date = new Date(),
  memberId: string | null = null,
): Promise<DocumentRecord> {
  const { numUpdatedRows } = await db
    .updateTable('documents')
    .set({ version: sql<number>`version + 1`, updated_at: sql<Date>`now()`, changed_by: memberId })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', documentId)
    .executeTakeFirst();
  if (numUpdatedRows === 0n) throw new DocumentError('not_found', 'This record does not exist any more.');
  const { content } = await stored(db, tenantId, documentId);
  await db
    .updateTable('documents')
    .set({ status, ...(await columnsOf(await numbered(db, tenantId, content, status, at))) })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', documentId)
    .execute();
  return stored(db, tenantId, documentId);
}

/** Whether an email with the record was ever written: then it is part of the books, draft or not. */
export async function wasWritten(db: Database, tenantId: string, documentId: string): Promise<boolean> {
  const row = await db
    .selectFrom('deliveries')
    .where('tenant_id', '=', tenantId)
    .where('document_id', '=', documentId)
    .select('id')
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/**
 * Deletes a draft; a number that it held is free again. Everything else stays: a number that was given out, and what was sent, is part of the books. Throws
 * `not_found`, `not_a_draft`.
 *
 * @param db a transaction inside the tenant
 */
export async function deleteDraft(db: Database, tenantId: string, documentId: string): Promise<void> {
  const found = await db
    .selectFrom('documents')
    .where('tenant_id', '=', tenantId)
    .where('id', '=', documentId)
    .select(['status', 'kind', 'number'])
    .forUpdate()
    .executeTakeFirst();
  if (!found) throw new DocumentError('not_found', 'This record does not exist any more.');
  const wasSent = await wasWritten(db, tenantId, documentId);
  if (found.status !== 'draft' || wasSent) {
    const why = wasSent ? 'An email with it was written' : 'It is no draft any more';
    throw new DocumentError('not_a_draft', `${why}, so it stays. Mark it as cancelled instead.`, { documentId });
  }
  await db.deleteFrom('documents').where('tenant_id', '=', tenantId).where('id', '=', documentId).execute();
  if (found.number !== null) await freeNumber(db, tenantId, found.kind, found.number);
}
