import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';
import type { DocumentKind, DocumentStatus } from '../platform/database-types.ts';
import { type Unsendable, unsendable } from './sendable.ts';

/** What became of the record of an email since that was written. */
export interface RecordNow {
  readonly status: DocumentStatus;
  /** It says something else than the email’s paper. */
  readonly isChanged: boolean;
  /** Since when the paper is as it is. */
  readonly frozenAt: Date;
  /** As the email has it. */
  readonly kind: DocumentKind;
  readonly typeCode: string | null;
  readonly number: string;
}

/** What somebody says of a record when they send its email again. */
export interface Said {
  /** That it goes although the record is paid. */
  readonly thoughPaid?: boolean;
  /** That it goes as it was written, although the record was changed since. */
  readonly asItWas?: boolean;
}

/** Why an email is not sent again before somebody says more: or never, where its record is a draft or cancelled. */
export type Unasked = Unsendable | 'changed';

/**
 * Whether an email of a record that stands so may be sent again, by the same rule as for one that is written now: nothing
 * leaves of which nobody was told that it is paid, or another version than the record shows. Pure.
 */
export function unaskedOf(
  { status, isChanged }: Pick<RecordNow, 'status' | 'isChanged'>,
  { thoughPaid = false, asItWas = false }: Said = {},
): Unasked | null {
  return unsendable(status, thoughPaid) ?? (isChanged && !asItWas ? 'changed' : null);
}

/** How the records of emails stand now, by delivery; none for an email without a record. */
export async function recordsNow(
  db: Database,
  tenantId: string,
  deliveryIds: readonly string[],
): Promise<Map<string, RecordNow>> {
  if (deliveryIds.length === 0) return new Map();
  const rows = await db
    .selectFrom('deliveries')
    .innerJoin('documents', (join) =>
      join
        .onRef('documents.tenant_id', '=', 'deliveries.tenant_id')
        .onRef('documents.id', '=', 'deliveries.document_id'),
    )
    .leftJoin('runs', 'runs.id', 'deliveries.run_id')
    .select(['deliveries.id', 'documents.status', 'documents.kind'])
    .select([
      sql<boolean>`deliveries.document_snapshot is distinct from documents.content`.as('isChanged'),
      sql<Date>`coalesce(deliveries.frozen_at, runs.created_at, deliveries.created_at)`.as('frozenAt'),
      sql<string | null>`deliveries.document_snapshot ->> 'typeCode'`.as('typeCode'),
      sql<string>`coalesce(deliveries.document_snapshot ->> 'number', '')`.as('number'),
    ])
    .where('deliveries.tenant_id', '=', tenantId)
    .where('deliveries.id', '=', sql<string>`any(${[...deliveryIds]}::uuid[])`)
    .execute();
  return new Map(rows.map(({ id, ...row }) => [id, row]));
}

/** Of emails that are not sent again before somebody says more: why, how many, and the numbers of the first. */
export interface Kept {
  readonly why: Unasked;
  readonly kind: DocumentKind;
  readonly typeCode: string | null;
  readonly count: number;
  readonly numbers: readonly string[];
}

/** So many are named. */
const named = 3;

/** One for each reason, the most first. Pure. */
export function sumKept(all: readonly Kept[]): Kept[] {
  return [...Map.groupBy(all, ({ why }) => why).values()]
    .flatMap(([first, ...others]) =>
      first
        ? [
            {
              ...first,
              count: others.reduce((sum, each) => sum + each.count, first.count),
              numbers: [first, ...others].flatMap(({ numbers }) => numbers).slice(0, named),
            },
          ]
        : [],
    )
    .toSorted((a, b) => b.count - a.count);
}

/** Which of these emails would not be sent again by a button for many, and why. */
export async function keptOf(
  db: Database,
  tenantId: string,
  deliveryIds: readonly string[],
): Promise<Map<string, Kept>> {
  const records = await recordsNow(db, tenantId, deliveryIds);
  return new Map(
    [...records].flatMap(([id, record]) => {
      const why = unaskedOf(record);
      const { kind, typeCode, number } = record;
      return why ? [[id, { why, kind, typeCode, count: 1, numbers: [number] }]] : [];
    }),
  );
}
