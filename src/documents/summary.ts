import { type SelectQueryBuilder, sql } from 'kysely';
import type { Database } from '../platform/database.ts';
import type { DB } from '../platform/database-types.ts';
import { type DocumentKind, type DocumentStatus, unnumbered } from './document.ts';

/** What a list shows of a record. */
export interface DocumentSummary {
  readonly id: string;
  readonly kind: DocumentKind;
  /** UNTDID 1001, where an imported file gives it. */
  readonly typeCode: string | undefined;
  /** {@link unnumbered} for a draft that has none yet. */
  readonly number: string;
  readonly status: DocumentStatus;
  readonly partyId: string;
  readonly partyName: string;
  readonly issueDate: string;
  readonly dueDate: string | undefined;
  readonly currency: string;
  /** A decimal string with the currency's digits. */
  readonly payable: string;
  readonly imported: boolean;
  readonly updatedAt: Date;
}

/** The name printed on the record, not the contact's present one. */
export const partyName = sql<string>`documents.content #>> '{party,name}'`;

/** SQL: the number as lists are ordered by it, 9 before 10. Drafts without one come first. */
export const numberOrder = sql<string>`(coalesce(documents.number, '') collate natural_order)`;

/** A tenant's records with the columns of a {@link DocumentSummary}, to be narrowed and ordered. */
export function summaries(db: Database, tenantId: string): SelectQueryBuilder<DB, 'documents', SummaryRow> {
  return db
    .selectFrom('documents')
    .where('documents.tenant_id', '=', tenantId)
    .select([
      'documents.id',
      'documents.kind',
      'documents.number',
      'documents.status',
      'documents.party_id',
      'documents.issue_date',
      'documents.due_date',
      'documents.currency',
      'documents.payable',
      'documents.updated_at',
    ])
    .select([
      partyName.as('party_name'),
      sql<string | null>`documents.content ->> 'typeCode'`.as('type_code'),
      sql<boolean>`documents.source is not null`.as('imported'),
    ]);
}

/** A row of {@link summaries}. */
export interface SummaryRow {
  id: string;
  kind: DocumentKind;
  type_code: string | null;
  number: string | null;
  status: DocumentStatus;
  party_id: string;
  issue_date: string;
  due_date: string | null;
  currency: string;
  payable: string;
  updated_at: Date;
  party_name: string;
  imported: boolean;
}

/** Whether a record waits for payment longer than was agreed. `today` is a day of the company, `YYYY-MM-DD`. */
export function isOverdue(
  { kind, status, dueDate, payable }: Pick<DocumentSummary, 'kind' | 'status' | 'dueDate' | 'payable'>,
  today: string,
): boolean {
  return (
    kind === 'invoice' && status === 'open' && dueDate !== undefined && dueDate < today && /^[^-]*[1-9]/.test(payable)
  );
}

/** A row as the rest of the program knows it. */
export function toSummary(row: SummaryRow): DocumentSummary {
  return {
    id: row.id,
    kind: row.kind,
    typeCode: row.type_code ?? undefined,
    number: row.number ?? unnumbered,
    status: row.status,
    partyId: row.party_id,
    partyName: row.party_name,
    issueDate: row.issue_date,
    dueDate: row.due_date ?? undefined,
    currency: row.currency,
    payable: row.payable,
    imported: row.imported,
    updatedAt: row.updated_at,
  };
}
