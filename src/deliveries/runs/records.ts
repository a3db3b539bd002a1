import { sql } from 'kysely';
import { unnumbered } from '../../documents/document.ts';
import { type DocumentMatch, narrow } from '../../documents/matching.ts';
import { numberKey } from '../../documents/number-key.ts';
import { numberOrder, partyName } from '../../documents/summary.ts';
import type { Database } from '../../platform/database.ts';
import type { DeliveryState, DocumentKind, DocumentStatus } from '../../platform/database-types.ts';
import { mayHaveLeft } from '../attempt.ts';
import { isEarlier } from '../earlier.ts';
import type { AddresseeDetails } from '../recipients.ts';

/** Which records a run is for: of one kind, so that one rule says whom all of them come from. */
export type RunSelection = DocumentMatch & { readonly kind: DocumentKind };

/** The most records of one run. */
export const mostRecords = 20_000;

/** A chosen record, as far as a run needs it. Its content stays in the database. */
export interface ChosenRecord {
  readonly id: string;
  readonly version: number;
  readonly kind: DocumentKind;
  /** UNTDID 1001, where an imported file gives it: a pro-forma is called one. */
  readonly typeCode?: string | null;
  readonly status: DocumentStatus;
  readonly number: string;
  readonly partyId: string;
  readonly partyName: string;
  /** The party as it is printed on the record. */
  readonly printed: AddresseeDetails;
  /** The contact that the record belongs to, as it is now. */
  readonly contact: Omit<AddresseeDetails, 'name'>;
  /** ISO 3166-1 alpha-2, as written on the record. */
  readonly country: string | null;
  readonly issueDate: string;
  readonly dueDate: string | null;
  readonly validUntil: string | null;
  readonly deliveryDate: string | null;
  readonly reference: string | null;
  /** How many files are embedded in it, which a run leaves behind. */
  readonly fileCount?: number;
  readonly currency: string;
  readonly payable: string;
  /** The newest delivery of it that makes sending it again worth a question, see `earlier.ts`. */
  readonly recent: {
    readonly id: string;
    readonly state: DeliveryState;
    readonly at: Date;
    /** Nobody knows whether it was sent, or somebody has just said so. */
    readonly mayHaveLeft: boolean;
  } | null;
}

/**
 * The ids of the chosen records in the order of the lists, newest issue date first, then by number: at most {@link mostRecords} and one
 * more, which says that there are too many.
 */
export async function chosenIds(trx: Database, tenantId: string, selection: RunSelection): Promise<string[]> {
  const rows = await chosen(trx, tenantId, selection)
    .select('documents.id')
    .orderBy('documents.issue_date', 'desc')
    .orderBy(numberOrder)
    .orderBy('documents.id')
    .limit(mostRecords + 1)
    .execute();
  return rows.map(({ id }) => id);
}

/**
 * Reads records in the order of their ids; those that are not there are left out.
 *
 * @param now for what counts as sent lately
 */
export async function readRecords(
  trx: Database,
  tenantId: string,
  ids: readonly string[],
  now: Date,
): Promise<ChosenRecord[]> {
  const rows = await selectRecords(trx, tenantId, now)
    .where('documents.id', '=', sql<string>`any(${ids}::uuid[])`)
    .execute();
  const byId = new Map(rows.map((row) => [row.id, toRecord(row)]));
  return ids.flatMap((id) => byId.get(id) ?? []);
}

/**
 * Keeps records as they are until the transaction ends. A statement of its own: the one that reads them begins when all
 * others are done with them, and so sees what they wrote.
 */
export async function holdRecords(trx: Database, tenantId: string, ids: readonly string[]): Promise<void> {
  await trx
    .selectFrom('documents')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('id', '=', sql<string>`any(${ids}::uuid[])`)
    .orderBy('id')
    .forNoKeyUpdate()
    .execute();
}

/** A chosen record with its place among them, from 1. */
export interface PlacedRecord extends ChosenRecord {
  readonly place: number;
}

/** The record at a place, or the first whose number or name holds a text; undefined where there is none. */
export async function placedRecord(
  trx: Database,
  tenantId: string,
  selection: RunSelection,
  now: Date,
  wanted: { readonly place: number } | { readonly search: string },
): Promise<PlacedRecord | undefined> {
  const placed = chosen(trx, tenantId, selection)
    .select(['documents.id', 'documents.number', partyName.as('name')])
    .select(
      sql<number>`(row_number() over (order by documents.issue_date desc, ${numberOrder}, documents.id))::int`.as(
        'place',
      ),
    );
  const found = await trx
    .selectFrom(placed.as('placed'))
    .select(['id', 'place'])
    .where((eb) =>
      'place' in wanted
        ? eb('place', '=', wanted.place)
        : sql<boolean>`position(nullif(${numberKey(wanted.search)}, '') in number_key(coalesce(number, '') || ' ' || coalesce(name, ''))) > 0`,
    )
    .orderBy('place')
    .limit(1)
    .executeTakeFirst();
  if (!found) return undefined;
  const [record] = await readRecords(trx, tenantId, [found.id], now);
  return record && { ...record, place: found.place };
}

function chosen(trx: Database, tenantId: string, selection: RunSelection) {
  return narrow(trx.selectFrom('documents').where('documents.tenant_id', '=', tenantId), selection);
}

type Details = 'Email' | 'ContactName' | 'TaxId';

interface Row
  extends Omit<ChosenRecord, 'recent' | 'printed' | 'contact'>,
    Readonly<Record<`printed${Details}` | `contact${Details}` | 'contactCountry', string | null>> {
  readonly recentId: string | null;
  readonly recentState: DeliveryState | null;
  readonly recentAt: Date | null;
  readonly recentMayHaveLeft: boolean | null;
}

function toRecord({ recentId, recentState, recentAt, recentMayHaveLeft, ...read }: Row): ChosenRecord {
  const {
    printedEmail,
    printedContactName,
    printedTaxId,
    contactEmail,
    contactContactName,
    contactTaxId,
    contactCountry,
    ...row
  } = read;
  const recent = recentId &&
    recentState &&
    recentAt && { id: recentId, state: recentState, at: recentAt, mayHaveLeft: recentMayHaveLeft === true };
  return {
    ...row,
    printed: {
      name: row.partyName,
      email: printedEmail,
      contactName: printedContactName,
      taxId: printedTaxId,
      country: row.country,
    },
    contact: { email: contactEmail, contactName: contactContactName, taxId: contactTaxId, country: contactCountry },
    recent: recent || null,
  };
}

function selectRecords(trx: Database, tenantId: string, now: Date) {
  const said = (path: string) => sql<string | null>`documents.content #>> ${sql.lit(`{${path}}`)}`;
  return trx
    .selectFrom('documents')
    .where('documents.tenant_id', '=', tenantId)
    .innerJoin('parties', 'parties.id', 'documents.party_id')
    .leftJoinLateral(
      (eb) =>
        eb
          .selectFrom('deliveries')
          .select(['deliveries.id', 'deliveries.state', 'deliveries.state_at', mayHaveLeft.as('may_have_left')])
          .whereRef('deliveries.tenant_id', '=', 'documents.tenant_id')
          .whereRef('deliveries.document_id', '=', 'documents.id')
          .where(isEarlier(now))
          .orderBy('deliveries.created_at', 'desc')
          .limit(1)
          .as('recent'),
      (join) => join.onTrue(),
    )
    .select([
      'recent.id as recentId',
      'recent.state as recentState',
      'recent.state_at as recentAt',
      'recent.may_have_left as recentMayHaveLeft',
      'documents.id',
      'documents.version',
      'documents.kind',
      'documents.status',
      sql<string>`coalesce(documents.number, ${unnumbered})`.as('number'),
      'documents.party_id as partyId',
      'documents.issue_date as issueDate',
      'documents.due_date as dueDate',
      'documents.currency',
      'documents.payable',
      partyName.as('partyName'),
      said('party,email').as('printedEmail'),
      said('party,contactName').as('printedContactName'),
      said('party,taxId').as('printedTaxId'),
      'parties.email as contactEmail',
      'parties.contact_name as contactContactName',
      'parties.tax_id as contactTaxId',
      'parties.country as contactCountry',
      said('party,country').as('country'),
      said('validUntil').as('validUntil'),
      said('deliveryDate').as('deliveryDate'),
      said('reference').as('reference'),
      said('typeCode').as('typeCode'),
      sql<number>`coalesce(jsonb_array_length(documents.content -> 'files'), 0)`.as('fileCount'),
    ]);
}
