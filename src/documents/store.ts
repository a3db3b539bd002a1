import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';
import { inTurns } from '../platform/turns.ts';
import { storedContent } from './content.ts';
import { type DocumentContent, type DocumentKind, type DocumentStatus, unnumbered } from './document.ts';
import { DocumentError } from './errors.ts';
import { findOrCreateParty } from './find-party.ts';
import { numberKey } from './number-key.ts';
import { numbered } from './numbering.ts';
import { isId } from './paging.ts';
import { type DocumentSource, documentSourceSchema } from './source.ts';
import { type DocumentSummary, summaries, toSummary } from './summary.ts';
import { totalsOf } from './totals.ts';

/** A whole record. */
export interface DocumentRecord extends DocumentSummary {
  readonly content: DocumentContent;
  readonly source: DocumentSource | undefined;
  /** Goes up by one with every change; {@link updateDocument} wants the one that was read. */
  readonly version: number;
  readonly createdBy: string | undefined;
  readonly createdAt: Date;
}

/** Content that may still be without a number: the next one is taken when it is stored, unless it is a draft. */
export type DraftContent = Omit<DocumentContent, 'number'> & { readonly number?: string | undefined };

/** What {@link createDocument} takes. */
export interface NewDocument {
  readonly content: DraftContent;
  readonly status?: DocumentStatus | undefined;
  /** Without it, the party is found by what proves that it is the same, or made. */
  readonly partyId?: string | undefined;
  readonly memberId?: string | undefined;
  readonly source?: DocumentSource | undefined;
  /** Which form it was typed into: sent twice, that makes one record. */
  readonly formKey?: string | undefined;
  /** Whether somebody said that its number may be on another record too. */
  readonly numberRepeats?: boolean | undefined;
  /** When it is written, which decides about the year in its number. The machine's time unless told otherwise. */
  readonly at?: Date | undefined;
}

/**
 * Stores a record. A draft takes no number until it is finalised, so that one that is thrown away leaves no gap. Throws `number_taken` where another record of its kind has its number, and
 * `already_imported` where the same file was imported before, `already_saved` where the same form was sent before; each names
 * that record.
 *
 * @param db a transaction inside the tenant
 */
export async function createDocument(db: Database, tenantId: string, document: NewDocument): Promise<DocumentRecord> {
  const { source, status = 'open', at = new Date() } = document;
  const content = await numbered(
    db,
    tenantId,
    { ...document.content, number: document.content.number ?? unnumbered },
    status,
    at,
  );
  const partyId = document.partyId ?? (await findOrCreateParty(db, tenantId, content.party)).id;
  const inserted = await db
    .insertInto('documents')
    .values({
      tenant_id: tenantId,
      party_id: partyId,
      status,
      created_by: document.memberId ?? null,
      source: source ? JSON.stringify(source) : null,
      source_sha256: source?.sha256 ?? null,
      form_key: document.formKey ?? null,
      number_repeats: document.numberRepeats ?? false,
      ...(await columnsOf(content)),
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst();
  if (!inserted) throw await inTheWay(db, tenantId, content, document);
  return stored(db, tenantId, inserted.id);
}

/**
 * Replaces a record's content, and its status where one is given. Throws `changed_meanwhile` where `version` is not
 * the stored one, `number_taken`, `not_found`.
 *
 * @param db a transaction inside the tenant
 */
export async function updateDocument(
  db: Database,
  tenantId: string,
  documentId: string,
  change: {
    readonly version: number;
    readonly content: DocumentContent;
    readonly status?: DocumentStatus | undefined;
    readonly partyId?: string | undefined;
    /** When, as {@link createDocument} takes it. */
    readonly at?: Date | undefined;
    /** Who changes it. */
    readonly memberId?: string | undefined;
  },
): Promise<DocumentRecord> {
  const current = await db
    .selectFrom('documents')
    .where('tenant_id', '=', tenantId)
    .where('id', '=', documentId)
    .select(['version', 'number', 'number_repeats', 'status', 'number_key'])
    .select(numberKey(change.content.number).as('key'))
    .forUpdate()
    .executeTakeFirst();
  if (!current) throw new DocumentError('not_found', 'This record does not exist any more.');
  if (current.version !== change.version) {
    throw new DocumentError(
      'changed_meanwhile',
      'Somebody else has changed this record since you opened it. Open it again to see the change, then make yours.',
      { documentId },
    );
  }
  const status = change.status ?? current.status;
  const content = await numbered(db, tenantId, change.content, status, change.at ?? new Date());
  const numberRepeats = current.number_repeats && current.number_key === current.key;
  if (!numberRepeats) {
    const other = await withNumber(db, tenantId, content);
    if (other && other.id !== documentId) throw numberTaken(content, other);
  }
  const partyId = change.partyId ?? (await findOrCreateParty(db, tenantId, content.party)).id;
  await db
    .updateTable('documents')
    .set({
      ...(await columnsOf(content)),
      status,
      party_id: partyId,
      number_repeats: numberRepeats,
      version: change.version + 1,
      updated_at: sql<Date>`now()`,
      changed_by: change.memberId ?? null,
    })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', documentId)
    .execute();
  return stored(db, tenantId, documentId);
}

/** One record, or undefined where the tenant has none with that id (which may be anything that stood in an address). */
export async function getDocument(
  db: Database,
  tenantId: string,
  documentId: string,
): Promise<DocumentRecord | undefined> {
  if (!isId(documentId)) return undefined;
  const row = await summaries(db, tenantId)
    .where('documents.id', '=', documentId)
    .select(['content', 'source as source_data', 'version', 'created_by', 'documents.created_at'])
    .executeTakeFirst();
  if (!row) return undefined;
  return {
    ...toSummary(row),
    content: await inTurns(storedContent(row.content)),
    source: row.source_data === null ? undefined : documentSourceSchema.parse(row.source_data),
    version: row.version,
    createdBy: row.created_by ?? undefined,
    createdAt: row.created_at,
  };
}

/** Keeps a record as it is until the end of the transaction. Undefined where there is none. */
export function lockDocument(
  db: Database,
  tenantId: string,
  documentId: string,
): Promise<{ version: number; status: DocumentStatus } | undefined> {
  return db
    .selectFrom('documents')
    .select(['version', 'status'])
    .where('tenant_id', '=', tenantId)
    .where('id', '=', documentId)
    .forUpdate()
    .executeTakeFirst();
}

/** Records of this kind with this number, imported ones too: an imported number may repeat, and a page should say so. */
export async function documentsWithNumber(
  db: Database,
  tenantId: string,
  kind: DocumentKind,
  number: string,
): Promise<DocumentSummary[]> {
  const rows = await summaries(db, tenantId)
    .where('documents.kind', '=', kind)
    .where('documents.number_key', '=', numberKey(number))
    .orderBy('documents.created_at')
    .limit(20)
    .execute();
  return rows.map(toSummary);
}

/** The columns of a row that follow from its content. */
export async function columnsOf(content: DocumentContent) {
  const { payable } = await inTurns(totalsOf(content));
  return {
    kind: content.kind,
    number: content.number === unnumbered ? null : content.number,
    issue_date: content.issueDate,
    due_date: content.dueDate ?? null,
    currency: content.currency,
    payable,
    content: JSON.stringify(content),
  };
}

/** The record as it is stored now. Throws `not_found`. */
export async function stored(db: Database, tenantId: string, documentId: string): Promise<DocumentRecord> {
  const record = await getDocument(db, tenantId, documentId);
  if (!record) throw new DocumentError('not_found', 'This record does not exist any more.');
  return record;
}

function withNumber(db: Database, tenantId: string, content: DocumentContent): Promise<Numbered | undefined> {
  return db
    .selectFrom('documents')
    .where('tenant_id', '=', tenantId)
    .where('kind', '=', content.kind)
    .where('number_key', '=', numberKey(content.number))
    .where('number_repeats', '=', false)
    .select(['id', 'number'])
    .executeTakeFirst();
}

/** The record that a form made, see `formKey`; undefined where it made none. */
export async function documentOfForm(
  db: Database,
  tenantId: string,
  formKey: string,
): Promise<DocumentRecord | undefined> {
  const made = await madeBy(db, tenantId, formKey);
  return made && getDocument(db, tenantId, made.id);
}

function madeBy(db: Database, tenantId: string, formKey: string) {
  const made = db.selectFrom('documents').where('tenant_id', '=', tenantId).where('form_key', '=', formKey);
  return made.select('id').executeTakeFirst();
}

interface Numbered {
  readonly id: string;
  readonly number: string | null;
}

function numberTaken(content: DocumentContent, other: Numbered | undefined): DocumentError {
  const written = other?.number && other.number !== content.number ? `, written ${other.number}` : '';
  return new DocumentError(
    'number_taken',
    `The number ${content.number} is already used by another record${written}. Type another number, or leave it empty to get the next one.`,
    other === undefined ? {} : { documentId: other.id },
  );
}

async function inTheWay(
  db: Database,
  tenantId: string,
  content: DocumentContent,
  { source, formKey }: NewDocument,
): Promise<DocumentError> {
  const saved = formKey !== undefined && (await madeBy(db, tenantId, formKey));
  if (saved)
    return new DocumentError('already_saved', 'This form was sent twice. It is saved once.', { documentId: saved.id });
  const first =
    source &&
    (await db
      .selectFrom('documents')
      .where('tenant_id', '=', tenantId)
      .where('source_sha256', '=', source.sha256)
      .select('id')
      .executeTakeFirst());
  if (!source || !first) return numberTaken(content, await withNumber(db, tenantId, content));
  return new DocumentError(
    'already_imported',
    `${source.fileName} was imported before, as ${content.number}. Nothing was stored a second time; open that record instead.`,
    { documentId: first.id },
  );
}
