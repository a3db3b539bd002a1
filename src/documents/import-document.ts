import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';
import { inTenant } from '../tenants/scope.ts';
import { getTenant } from '../tenants/tenants.ts';
import { oddYears } from './date-questions.ts';
import { DocumentError } from './errors.ts';
import { keepFiles } from './files.ts';
import { numberKey } from './number-key.ts';
import { foldName } from './party-identity.ts';
import type { ImportedDocument } from './read-ubl.ts';
import { createDocument, type DocumentRecord } from './store.ts';
import type { Identity } from './ubl/identity.ts';
import { ImportError } from './ubl/import-error.ts';
import type { UblReader } from './ubl/reader.ts';
import { type OwnIdentity, plainName, whoseIs } from './whose-file.ts';

/** What stands between a file and a record until somebody says that it is right. */
export type ImportQuestion =
  | { readonly code: 'not_ours'; readonly issuer: string; readonly company: string }
  | { readonly code: 'number_taken'; readonly number: string; readonly documentId: string; readonly same: boolean }
  | { readonly code: 'odd_year'; readonly words: string };

/** What became of a file. */
export type ImportOutcome =
  | { readonly result: 'imported'; readonly record: DocumentRecord }
  | { readonly result: 'known'; readonly message: string; readonly documentId: string | undefined }
  | { readonly result: 'asks'; readonly questions: readonly ImportQuestion[] }
  | { readonly result: 'refused'; readonly message: string };

/** What {@link importFile} needs. */
export interface Importing {
  readonly db: Database;
  readonly ubl: UblReader;
}

/**
 * Imports a UBL file as an open record, for a page and for the command alike: reads it in another process, asks about what
 * is not plainly right, and stores it. All or nothing: it is read before the database is touched, and the rest is one
 * transaction.
 *
 * @param memberId who imports it, or null where nobody in particular does (a command)
 * @param anyway whether what would be asked has been answered: it is right
 */
export async function importFile(
  { db, ubl }: Importing,
  tenantId: string,
  memberId: string | null,
  file: { readonly bytes: Uint8Array; readonly name: string },
  { anyway, at }: { readonly anyway: boolean; readonly at: Date },
): Promise<ImportOutcome> {
  try {
    const imported = await ubl.read(file.bytes, file.name);
    return await inTenant(db, tenantId, async (trx): Promise<ImportOutcome> => {
      const questions = await questionsAbout(trx, tenantId, imported);
      if (questions.length > 0 && !anyway) return { result: 'asks', questions };
      const answers = { ...answersTo(questions), at };
      return { result: 'imported', record: await importDocument(trx, tenantId, memberId, imported, answers) };
    });
  } catch (error) {
    if (error instanceof ImportError) return { result: 'refused', message: error.message };
    if (!(error instanceof DocumentError)) throw error;
    return { result: 'known', message: error.message, documentId: error.documentId };
  }
}

/** What somebody has said to the questions about a file. */
interface ImportAnswers {
  /** Its number may be on another record too. */
  readonly numberRepeats?: boolean | undefined;
  /** Who issued it, though that is not the company by its own words. */
  readonly issuer?: string | undefined;
  readonly at?: Date | undefined;
}

function answersTo(questions: readonly ImportQuestion[]): ImportAnswers {
  const notOurs = questions.find((question) => question.code === 'not_ours');
  return { numberRepeats: questions.some(({ code }) => code === 'number_taken'), issuer: notOurs?.issuer };
}

/**
 * Stores what was read as an open record, with its party found or made.
 *
 * @param db a transaction inside the tenant
 * Throws `DocumentError`: `already_imported` where the same bytes came before, `number_taken`.
 */
export async function importDocument(
  db: Database,
  tenantId: string,
  memberId: string | null,
  { content, source, files }: ImportedDocument,
  { numberRepeats, issuer, at }: ImportAnswers = {},
): Promise<DocumentRecord> {
  const record = await createDocument(db, tenantId, {
    ...{ content, memberId: memberId ?? undefined, at, numberRepeats },
    source: issuer === undefined ? source : { ...source, issuer },
  });
  await keepFiles(db, tenantId, record.id, files);
  return record;
}

async function questionsAbout(
  db: Database,
  tenantId: string,
  { content, issuer, source }: ImportedDocument,
): Promise<ImportQuestion[]> {
  const company = await getTenant(db, tenantId);
  const notOurs: ImportQuestion[] =
    whoseIs(issuer, company) === 'theirs' ? [{ code: 'not_ours', ...toldApart(issuer, company) }] : [];
  const odd: ImportQuestion[] = oddYears(content).map((words) => ({ code: 'odd_year', words }));
  const twin = await db
    .selectFrom('documents')
    .where('tenant_id', '=', tenantId)
    .where('kind', '=', content.kind)
    .where('number_key', '=', numberKey(content.number))
    .select(['id', 'source_sha256', sql<string>`content #>> '{party,name}'`.as('party')])
    .orderBy('created_at')
    .executeTakeFirst();
  // The very same bytes are not a question.
  if (!twin || twin.source_sha256 === source.sha256) return [...notOurs, ...odd];
  const same = foldName(twin.party) === foldName(content.party.name);
  return [...notOurs, ...odd, { code: 'number_taken', number: content.number, documentId: twin.id, same }];
}

/** What a file's issuer and the company are called where they are two; of one name, with their tax numbers. */
function toldApart(issuer: Identity, { name, taxId }: OwnIdentity): { issuer: string; company: string } {
  const [theirs = issuer.taxIds[0] ?? 'somebody else'] = issuer.names;
  if (plainName(theirs) !== plainName(name)) return { issuer: theirs, company: name };
  const numbered = (called: string, number: string | null | undefined) => (number ? `${called} (${number})` : called);
  return { issuer: numbered(theirs, issuer.taxIds[0]), company: numbered(name, taxId) };
}

/** What is asked, in words; `kind` is what the record would be. */
export function questionWords(question: ImportQuestion): string {
  switch (question.code) {
    case 'not_ours':
      return `It was issued by ${question.issuer}, not by ${question.company}. Import it only if it is yours: it would be sent under your letterhead.`;
    case 'number_taken':
      return question.same
        ? `${question.number} for this customer or supplier is here already, from another file. If it is the same record exported again, leave it; imported again it would be here twice.`
        : `The number ${question.number} is on another record already. Check which of the two is right.`;
    case 'odd_year':
      return `${question.words} Import it only if that is right.`;
    default:
      return question satisfies never;
  }
}
