import { sql } from 'kysely';
import type { DocumentContent } from '../documents/document.ts';
import type { Database } from '../platform/database.ts';
import { distinctNames, safeFileName } from '../platform/file-name.ts';
import { isRefusedFile, mostAttachedBytes } from '../transport/attachments.ts';
import { isSeenBy, type Onlooker } from './onlooker.ts';

/** A file that goes along with an email, beside its PDF. */
export interface AttachedFile {
  /** Where it stands in the email, after the PDF: from 1. */
  readonly position: number;
  /** Which of its record's files it is, from 0. */
  readonly place: number;
  /** What it is called in the email. */
  readonly fileName: string;
  readonly mediaType: string;
  /** In bytes. */
  readonly size: number;
  readonly sha256: string;
}

/** One of a record's files, under the name that it has in an email. */
export interface AttachableFile extends Omit<AttachedFile, 'position' | 'sha256'> {
  /** What the file that was imported says of it. */
  readonly description: string | null;
  /** Gmail would refuse the whole email for it. */
  readonly isRefused: boolean;
}

/** Why files cannot go along. */
export type NotAttachable =
  /** The record has no such file. */
  | { readonly kind: 'no_such_file' }
  | { readonly kind: 'refused_type'; readonly file: AttachableFile }
  /** Together with the PDF they are more than an email takes; the largest of them is named. */
  | { readonly kind: 'too_large'; readonly file: AttachableFile; readonly total: number; readonly most: number };

/**
 * The files that were embedded in the one that a record came from, as they can go along with its emails. Their names are
 * told apart from each other and from the PDF's. Pure.
 */
export function attachableFiles({ files = [] }: Pick<DocumentContent, 'files'>, pdfName: string): AttachableFile[] {
  const [, ...names] = distinctNames([pdfName, ...files.map(({ name }) => safeFileName(name))]);
  return files.map(({ mediaType, size, description = null }, place) => {
    const fileName = names[place] ?? '';
    return {
      place,
      fileName,
      mediaType: safeMediaType(mediaType),
      size,
      description,
      isRefused: isRefusedFile(fileName),
    };
  });
}

/**
 * Those of a record's files that somebody chose, in the record's order, or why they cannot go along. Pure.
 *
 * @param places which of them
 * @param pdfBytes how large the PDF is
 */
export function chooseFiles(
  files: readonly AttachableFile[],
  places: readonly number[],
  pdfBytes: number,
): { readonly ok: true; readonly files: AttachableFile[] } | { readonly ok: false; readonly because: NotAttachable } {
  if (places.some((place) => !files.some((file) => file.place === place)))
    return { ok: false, because: { kind: 'no_such_file' } };
  const chosen = files.filter(({ place }) => places.includes(place));
  const refused = chosen.find(({ isRefused }) => isRefused);
  if (refused) return { ok: false, because: { kind: 'refused_type', file: refused } };
  const total = chosen.reduce((sum, { size }) => sum + size, pdfBytes);
  const [largest] = chosen.toSorted((a, b) => b.size - a.size);
  if (largest && total > mostAttachedBytes)
    return { ok: false, because: { kind: 'too_large', file: largest, total, most: mostAttachedBytes } };
  return { ok: true, files: chosen };
}

/** A type that a part of an email may have. What would be read as a part with parts of its own, or is none, is left open. */
export function safeMediaType(mediaType: string): string {
  const type = mediaType.toLowerCase();
  return /^[a-z0-9][\w.+-]*\/[a-z0-9][\w.+-]*$/.test(type) && !/^(multipart|message)\//.test(type)
    ? type
    : 'application/octet-stream';
}

/**
 * Notes which files go along with a new email. Their bytes stay beside the record, once, and what an email names is neither
 * changed nor deleted.
 *
 * @returns whether all of them are there
 */
export async function attachFiles(
  trx: Database,
  tenantId: string,
  { deliveryId, documentId }: { readonly deliveryId: string; readonly documentId: string },
  files: readonly AttachableFile[],
): Promise<boolean> {
  if (files.length === 0) return true;
  const { numAffectedRows } = await sql`
    insert into delivery_files (tenant_id, delivery_id, position, document_id, place, file_name, media_type, size, sha256)
    select file.tenant_id, ${deliveryId}::uuid, chosen.position, file.document_id, file.place, chosen.name, chosen.type,
      length(file.bytes), encode(sha256(file.bytes), 'hex')
    from unnest(${files.map(({ place }) => place)}::int[], ${files.map(({ fileName }) => fileName)}::text[],
        ${files.map(({ mediaType }) => mediaType)}::text[]) with ordinality as chosen (place, name, type, position)
    join document_files file on file.tenant_id = ${tenantId}::uuid and file.document_id = ${documentId}::uuid
      and file.place = chosen.place`.execute(trx);
  return numAffectedRows === BigInt(files.length);
}

/** Lets the same files go along with the email that takes the place of another one. */
export async function attachSameFiles(trx: Database, tenantId: string, oldId: string, newId: string): Promise<void> {
  await sql`
    insert into delivery_files (tenant_id, delivery_id, position, document_id, place, file_name, media_type, size, sha256)
    select tenant_id, ${newId}::uuid, position, document_id, place, file_name, media_type, size, sha256
    from delivery_files where tenant_id = ${tenantId}::uuid and delivery_id = ${oldId}::uuid`.execute(trx);
}

/** The files that go, or went, along with an email, in its order. */
export function listAttachedFiles(db: Database, tenantId: string, deliveryId: string): Promise<AttachedFile[]> {
  return db
    .selectFrom('delivery_files')
    .select(['position', 'place', 'file_name as fileName', 'media_type as mediaType', 'size', 'sha256'])
    .where('tenant_id', '=', tenantId)
    .where('delivery_id', '=', deliveryId)
    .orderBy('position')
    .execute();
}

/** One of them with its bytes; undefined when there is none that they may see. */
export function readAttachedFile(
  db: Database,
  tenantId: string,
  onlooker: Onlooker,
  deliveryId: string,
  position: number,
) {
  return db
    .selectFrom('delivery_files')
    .innerJoin('deliveries', 'deliveries.id', 'delivery_files.delivery_id')
    .innerJoin('document_files', (join) =>
      join
        .onRef('document_files.tenant_id', '=', 'delivery_files.tenant_id')
        .onRef('document_files.document_id', '=', 'delivery_files.document_id')
        .onRef('document_files.place', '=', 'delivery_files.place'),
    )
    .select(['delivery_files.file_name as fileName', 'delivery_files.sha256', 'document_files.bytes'])
    .where('delivery_files.tenant_id', '=', tenantId)
    .where('delivery_files.delivery_id', '=', deliveryId)
    .where('delivery_files.position', '=', position)
    .where(isSeenBy(onlooker))
    .executeTakeFirst();
}
