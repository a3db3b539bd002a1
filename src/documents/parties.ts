import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';
import type { PartyDetails } from './document.ts';
import { DocumentError } from './errors.ts';
import { containing, isId, type Page, type PageRequest, pageOf, pageSize, readCursor } from './paging.ts';
import { identityKeys } from './party-identity.ts';

/** A customer or supplier of a tenant. */
export interface Party extends PartyDetails {
  readonly id: string;
  readonly updatedAt: Date;
  /** The party that it was merged into; it stands in no list any more. */
  readonly mergedInto: string | undefined;
}

/** One page of parties by name; `search` looks in name, contact and email. */
export async function listParties(
  db: Database,
  tenantId: string,
  request: PageRequest & { search?: string } = {},
): Promise<Page<Party>> {
  const limit = pageSize(request);
  let query = db.selectFrom('parties').where('tenant_id', '=', tenantId).where('merged_into', 'is', null).selectAll();
  if (request.search) {
    const pattern = containing(request.search);
    query = query.where((eb) =>
      eb.or([eb('name', 'ilike', pattern), eb('contact_name', 'ilike', pattern), eb('email', 'ilike', pattern)]),
    );
  }
  const after = readCursor(request.after);
  if (after) query = query.where(sql<boolean>`(lower(name), id) > (${after[0]}, ${after[1]}::uuid)`);
  const rows = await query
    .orderBy(sql`lower(name)`)
    .orderBy('id')
    .limit(limit + 1)
    .execute();
  // The database's own lower(): JavaScript's differs for some letters, and the cursor is compared over there.
  return pageOf(rows.map(toParty), limit, async (last) => {
    const { key } = await db
      .selectFrom('parties')
      .where('id', '=', last.id)
      .select(sql<string>`lower(name)`.as('key'))
      .executeTakeFirstOrThrow();
    return [key, last.id];
  });
}

/** One party, or undefined where the tenant has none with that id. */
export async function getParty(db: Database, tenantId: string, partyId: string): Promise<Party | undefined> {
  if (!isId(partyId)) return undefined;
  const row = await db
    .selectFrom('parties')
    .where('tenant_id', '=', tenantId)
    .where('id', '=', partyId)
    .selectAll()
    .executeTakeFirst();
  return row && toParty(row);
}

/**
 * Adds a party; its details must have passed `partyDetailsSchema`.
 *
 * @param id the one that its form gives it, see `idOfForm`: where it is there already, that one is returned as it is
 */
export async function createParty(db: Database, tenantId: string, details: PartyDetails, id?: string): Promise<Party> {
  const row = await db
    .insertInto('parties')
    .values({ ...(id !== undefined && { id }), tenant_id: tenantId, ...columnsOf(details) })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .returningAll()
    .executeTakeFirst();
  const party = row ? toParty(row) : await getParty(db, tenantId, id ?? '');
  if (!party) throw new DocumentError('party_not_found', 'This contact does not exist any more. Write it once more.');
  return party;
}

/** The same, which nobody else changes before the transaction ends. */
export async function lockParty(trx: Database, tenantId: string, partyId: string): Promise<Party | undefined> {
  await trx
    .selectFrom('parties')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('id', '=', partyId)
    .forNoKeyUpdate()
    .execute();
  return getParty(trx, tenantId, partyId);
}

/**
 * Replaces a party's details. Records keep what was printed on them. Throws `party_not_found`.
 *
 * @param memberId who changes it, where that is known
 */
export async function updateParty(
  db: Database,
  tenantId: string,
  partyId: string,
  details: PartyDetails,
  memberId: string | null = null,
): Promise<Party> {
  const row = await db
    .updateTable('parties')
    .set({ ...columnsOf(details), updated_at: sql<Date>`now()`, changed_by: memberId })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', partyId)
    .returningAll()
    .executeTakeFirst();
  if (!row) throw new DocumentError('party_not_found', 'This contact does not exist any more. Choose another one.');
  return toParty(row);
}

/** A row of `parties`. */
export interface PartyRow {
  id: string;
  name: string;
  contact_name: string | null;
  email: string | null;
  phone: string | null;
  tax_id: string | null;
  endpoint: string | null;
  merged_into: string | null;
  street: string | null;
  extra_street: string | null;
  city: string | null;
  postal_code: string | null;
  region: string | null;
  country: string | null;
  updated_at: Date;
}

/** A row as the rest of the program knows it. */
export function toParty(row: PartyRow): Party {
  return {
    id: row.id,
    updatedAt: row.updated_at,
    mergedInto: row.merged_into ?? undefined,
    name: row.name,
    contactName: row.contact_name ?? undefined,
    email: row.email ?? undefined,
    phone: row.phone ?? undefined,
    taxId: row.tax_id ?? undefined,
    endpoint: row.endpoint ?? undefined,
    street: row.street ?? undefined,
    extraStreet: row.extra_street ?? undefined,
    city: row.city ?? undefined,
    postalCode: row.postal_code ?? undefined,
    region: row.region ?? undefined,
    country: row.country ?? undefined,
  };
}

function columnsOf(details: PartyDetails) {
  return {
    name: details.name,
    contact_name: details.contactName ?? null,
    email: details.email ?? null,
    phone: details.phone ?? null,
    tax_id: details.taxId ?? null,
    endpoint: details.endpoint ?? null,
    street: details.street ?? null,
    extra_street: details.extraStreet ?? null,
    city: details.city ?? null,
    postal_code: details.postalCode ?? null,
    region: details.region ?? null,
    country: details.country ?? null,
    identity_keys: identityKeys(details),
  };
}
