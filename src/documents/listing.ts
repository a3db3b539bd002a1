import { sql } from 'kysely';
import { z } from 'zod';
import type { Database } from '../platform/database.ts';
import { type DocumentKind, dateSchema } from './document.ts';
import { type DocumentMatch, narrow } from './matching.ts';
import { type Page, type PageRequest, pageOf, pageSize, readCursor } from './paging.ts';
import { type DocumentSummary, numberOrder, summaries, toSummary } from './summary.ts';

/** Which records a list shows, and which page of them. */
export interface DocumentFilter extends DocumentMatch, PageRequest {}

const place = z.tuple([dateSchema, z.string()]);

/** One page of records, newest issue date first; those of one day in the order of their numbers. */
export async function listDocuments(
  db: Database,
  tenantId: string,
  filter: DocumentFilter = {},
): Promise<Page<DocumentSummary>> {
  const limit = pageSize(filter);
  let query = narrow(summaries(db, tenantId), filter);
  const after = readCursor(filter.after);
  const [day, number] = place.safeParse(after?.[0].split(separator)).data ?? [];
  if (after && day !== undefined) {
    query = query.where(
      sql<boolean>`documents.issue_date <= ${day}::date and (documents.issue_date < ${day}::date
        or (${numberOrder}, documents.id) > (${number}::text collate natural_order, ${after[1]}::uuid))`,
    );
  }
  const rows = await query
    .orderBy('documents.issue_date', 'desc')
    .orderBy(numberOrder)
    .orderBy('documents.id')
    .limit(limit + 1)
    .execute();
  return pageOf(rows, limit, (last) => [`${last.issue_date}${separator}${last.number ?? ''}`, last.id]).then(
    ({ rows: shown, ...page }) => ({ ...page, rows: shown.map(toSummary) }),
  );
}

/** Between the two parts of a place in the list; no number holds one. */
const separator = '\n';

/** The records that were written last, newest first; those that were written together in the order of their numbers. */
export async function latestDocuments(db: Database, tenantId: string, limit: number): Promise<DocumentSummary[]> {
  const rows = await summaries(db, tenantId)
    .orderBy('documents.created_at', 'desc')
    .orderBy(numberOrder)
    .orderBy('documents.id')
    .limit(limit)
    .execute();
  return rows.map(toSummary);
}

/** How many records of each kind the tenant has. */
export async function countDocuments(db: Database, tenantId: string): Promise<Record<DocumentKind, number>> {
  const rows = await db
    .selectFrom('documents')
    .where('tenant_id', '=', tenantId)
    .groupBy('kind')
    .select(['kind', sql<number>`count(*)::int`.as('count')])
    .execute();
  const counts: Record<DocumentKind, number> = { invoice: 0, credit_note: 0, quote: 0, purchase_order: 0 };
  for (const row of rows) counts[row.kind] = row.count;
  return counts;
}
