import { type SelectQueryBuilder, sql } from 'kysely';
import type { Database } from '../platform/database.ts';
import type { DB } from '../platform/database-types.ts';
import type { DocumentKind, DocumentStatus } from './document.ts';
import { numberKey } from './number-key.ts';
import { containing, isId } from './paging.ts';
import { partyName } from './summary.ts';

/** What a list of records may be narrowed to. */
export interface DocumentMatch {
  readonly kind?: DocumentKind | undefined;
  readonly status?: DocumentStatus | undefined;
  /** Only those that wait for payment since before this day, `YYYY-MM-DD`, see `isOverdue`. */
  readonly overdueOn?: string | undefined;
  readonly partyId?: string | undefined;
  /** Part of a number or of a party's name. */
  readonly search?: string | undefined;
  /** These records and no others. */
  readonly ids?: readonly string[] | undefined;
}

/** Narrows a query over `documents`. Ids may be anything that stood in an address. */
export function narrow<Row>(
  query: SelectQueryBuilder<DB, 'documents', Row>,
  match: DocumentMatch,
): SelectQueryBuilder<DB, 'documents', Row> {
  let narrowed = query;
  if (match.kind) narrowed = narrowed.where('documents.kind', '=', match.kind);
  if (match.overdueOn) {
    narrowed = narrowed.where(
      sql<boolean>`documents.kind = 'invoice' and documents.status = 'open' and documents.payable > 0
        and documents.due_date < ${match.overdueOn}::date`,
    );
  }
  if (match.status) narrowed = narrowed.where('documents.status', '=', match.status);
  if (match.partyId !== undefined) narrowed = narrowed.where('documents.party_id', '=', anyOf([match.partyId]));
  if (match.ids) narrowed = narrowed.where('documents.id', '=', anyOf(match.ids));
  if (match.search?.trim()) {
    const pattern = containing(match.search);
    const inNumber = sql<boolean>`position(nullif(${numberKey(match.search)}, '') in documents.number_key) > 0`;
    narrowed = narrowed.where((eb) => eb.or([inNumber, eb(partyName, 'ilike', pattern)]));
  }
  return narrowed;
}

/** How many records match, counted no further than `most` and one. */
export async function countMatching(
  db: Database,
  tenantId: string,
  match: DocumentMatch,
  most: number,
): Promise<number> {
  const some = narrow(db.selectFrom('documents').where('documents.tenant_id', '=', tenantId), match)
    .select('documents.id')
    .limit(most + 1);
  const { count } = await db
    .selectFrom(some.as('some'))
    .select(sql<number>`count(*)::int`.as('count'))
    .executeTakeFirstOrThrow();
  return count;
}

function anyOf(ids: readonly string[]) {
  return sql<string>`any(${ids.filter(isId)}::uuid[])`;
}
