import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';
import { inTurns } from '../platform/turns.ts';
import { storedContent } from './content.ts';
import { type DocumentContent, type DocumentKind, type DocumentStatus, unnumbered } from './document.ts';
import { numberKey } from './number-key.ts';

const prefixes: Record<DocumentKind, string> = { invoice: 'INV', credit_note: 'CN', quote: 'Q', purchase_order: 'PO' };

/** `numberOf('invoice', 2026, 42)` → `INV-2026-0042`. */
function numberOf(kind: DocumentKind, year: number, sequence: number): string {
  return `${prefixes[kind]}-${year}-${String(sequence).padStart(4, '0')}`;
}

/**
 * Takes the tenant's next number for a kind, in the year that it is where the tenant is at that moment. Gapless: the counter's row
 * stays locked until the transaction ends, and a rollback gives the number back. A number that a deleted draft gave back
 * is taken first; one that somebody has typed by hand is stepped over.
 *
 * @param db a transaction inside the tenant
 */
export async function nextNumber(db: Database, tenantId: string, kind: DocumentKind, at: Date): Promise<string> {
  for (;;) {
    const { year, sequence } =
      (await takeFree(db, tenantId, kind, at)) ??
      (await db
        .insertInto('document_numbers')
        .values((eb) => ({
          tenant_id: tenantId,
          kind,
          year: eb.selectFrom('tenants').where('id', '=', tenantId).select(yearAt(at).as('year')),
          next: 2,
        }))
        .onConflict((conflict) =>
          conflict.columns(['tenant_id', 'kind', 'year']).doUpdateSet({ next: sql<number>`document_numbers.next + 1` }),
        )
        .returning(['year', sql<number>`next - 1`.as('sequence')])
        .executeTakeFirstOrThrow());
    const number = numberOf(kind, year, sequence);
    const taken = await db
      .selectFrom('documents')
      .where('tenant_id', '=', tenantId)
      .where('kind', '=', kind)
      .where('number_key', '=', numberKey(number))
      .select('id')
      .executeTakeFirst();
    if (!taken) return number;
  }
}

function yearAt(at: Date) {
  return sql<number>`extract(year from ${at}::timestamptz at time zone time_zone)::int`;
}

/** The first number of this year that was given back, if there is one. */
function takeFree(db: Database, tenantId: string, kind: DocumentKind, at: Date) {
  return db
    .deleteFrom('free_document_numbers')
    .where('tenant_id', '=', tenantId)
    .where('kind', '=', kind)
    .where((eb) =>
      eb(eb.refTuple('year', 'sequence'), 'in', (query) =>
        query
          .selectFrom('free_document_numbers as free')
          .innerJoin('tenants', 'tenants.id', 'free.tenant_id')
          .select(['free.year', 'free.sequence'])
          .where('free.tenant_id', '=', tenantId)
          .where('free.kind', '=', kind)
          .where('free.year', '=', yearAt(at))
          .orderBy('free.sequence')
          .limit(1)
          .$asTuple('year', 'sequence'),
      ),
    )
    .returning(['year', 'sequence'])
    .executeTakeFirst();
}

/**
 * Gives back the number of a record that is deleted, where it was taken in order: another record takes it.
 *
 * @param db a transaction inside the tenant
 */
export async function freeNumber(db: Database, tenantId: string, kind: DocumentKind, number: string): Promise<void> {
  const [, year, sequence] = new RegExp(`^${prefixes[kind]}-(\\d{4})-(\\d{4,9})$`).exec(number) ?? [];
  if (year === undefined || sequence === undefined) return;
  if (numberOf(kind, Number(year), Number(sequence)) !== number) return;
  await sql`
    insert into free_document_numbers (tenant_id, kind, year, sequence)
    select tenant_id, kind, year, ${Number(sequence)}::int from document_numbers
    where tenant_id = ${tenantId}::uuid and kind = ${kind}::document_kind and year = ${Number(year)}::int
      and next > ${Number(sequence)}::int
    on conflict do nothing`.execute(db);
}

/** The content, checked, with the next number where it has none and its status wants one: everything but a draft. */
export async function numbered(
  db: Database,
  tenantId: string,
  content: DocumentContent,
  status: DocumentStatus,
  at: Date,
): Promise<DocumentContent> {
  const parsed = await inTurns(storedContent(content));
  if (status === 'draft' || parsed.number !== unnumbered) return parsed;
  return { ...parsed, number: await nextNumber(db, tenantId, parsed.kind, at) };
}
