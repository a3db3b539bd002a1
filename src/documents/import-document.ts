import type { Database } from '../platform/database.ts';
import { readUbl } from './read-ubl.ts';
import { createDocument, type DocumentRecord } from './store.ts';

/**
 * Reads a UBL file and stores it as an open record, with its party found or made. All or nothing: the file is
 * read before the database is touched, and the rest is one transaction.
 *
 * @param db a transaction inside the tenant
 * @param memberId who imports it, or null where nobody in particular does (a command)
 * @param at when, as {@link createDocument} takes it
 * Throws {@link ImportError} for the file, `DocumentError` `already_imported` where the same bytes came before.
 */
export async function importDocument(
  db: Database,
  tenantId: string,
  memberId: string | null,
  bytes: Uint8Array,
  fileName: string,
  at?: Date,
): Promise<DocumentRecord> {
  const { content, source } = readUbl(bytes, fileName);
  return createDocument(db, tenantId, { content, source, memberId: memberId ?? undefined, at });
}
