import { sql } from 'kysely';
import { storedContent } from '../../documents/content.ts';
import type { Head } from '../../documents/pdf/head.ts';
import type { PdfInput } from '../../documents/pdf/input.ts';
import { holdsLetters, isPlain, plainLetters } from '../../documents/pdf/plain-text.ts';
import { PdfError, type PdfRenderer } from '../../documents/pdf/render.ts';
import type { Database } from '../../platform/database.ts';
import { inTurns } from '../../platform/turns.ts';
import type { UnprintableLetters } from './judge.ts';

/**
 * The letters of records that no font has, by record; records that can be printed are not in it. Only the content of
 * those is read that holds more than the usual letters, which the database finds out. Where nobody can say just now, it
 * is found when the paper is made, see freeze.ts.
 */
export async function unprintableLetters(
  trx: Database,
  pdf: Pick<PdfRenderer, 'missingLetters'>,
  head: Head,
  tenantId: string,
  ids: readonly string[],
): Promise<Map<string, UnprintableLetters>> {
  const usualHead = isPlain(head);
  const rows = await trx
    .selectFrom('documents')
    .select(['id', 'content'])
    .where('tenant_id', '=', tenantId)
    .where('id', '=', sql<string>`any(${[...ids]}::uuid[])`)
    .where((eb) => (usualHead ? sql<boolean>`content::text ~ ${`[^${plainLetters}]`}` : eb.lit(true)))
    .execute();
  const inputs: PdfInput[] = [];
  for (const { content } of rows) inputs.push({ ...head, content: await inTurns(storedContent(content)) });
  const missing = await pdf.missingLetters(inputs).catch((error: unknown) => {
    if (error instanceof PdfError) return [];
    throw error;
  });
  const found = rows
    .map(({ id }, at) => ({ id, letters: missing[at] ?? [] }))
    .filter(({ letters }) => letters.length > 0);
  return new Map(
    found.map(({ id, letters }) => [id, { letters, of: holdsLetters(head, letters) ? 'company' : 'record' }]),
  );
}
