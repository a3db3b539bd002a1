import type { Database } from '../platform/database.ts';

/**
 * Keeps what was embedded in an imported file beside its record, in the order of the content's `files`.
 *
 * @param db a transaction inside the tenant
 */
export async function keepFiles(
  db: Database,
  tenantId: string,
  documentId: string,
  files: readonly Uint8Array[],
): Promise<void> {
  if (files.length === 0) return;
  await db
    .insertInto('document_files')
    .values(
      files.map((bytes, place) => ({
        tenant_id: tenantId,
        document_id: documentId,
        place,
        bytes: Buffer.from(bytes),
      })),
    )
    .execute();
}

/** The bytes of one of a record's files, or undefined where it has none at that place. */
export async function fileBytes(
  db: Database,
  tenantId: string,
  documentId: string,
  place: number,
): Promise<Uint8Array | undefined> {
  const row = await db
    .selectFrom('document_files')
    .where('tenant_id', '=', tenantId)
    .where('document_id', '=', documentId)
    .where('place', '=', place)
    .select('bytes')
    .executeTakeFirst();
  return row?.bytes;
}
