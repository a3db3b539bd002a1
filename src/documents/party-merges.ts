import { sql } from 'kysely';
import { z } from 'zod';
import type { Database } from '../platform/database.ts';
import { type PartyDetails, partyDetailsSchema } from './document.ts';
import { DocumentError } from './errors.ts';
import { areTwo } from './find-party.ts';
import { isId } from './paging.ts';
import { getParty, type Party, updateParty } from './parties.ts';

/** A contact that was merged into another one, as the other one's page shows it. */
export interface PartyMerge {
  readonly id: string;
  readonly goneName: string;
  readonly records: number;
  readonly at: Date;
  /** Null where nobody in particular did it. */
  readonly memberName: string | null;
}

/** Who merges (null: nobody in particular), and when. */
export interface MergeOrder {
  readonly memberId: string | null;
  readonly at: Date;
}

/**
 * Makes two contacts one: the records of `goneId` belong to `keptId`, which takes over what it did not know. The other
 * one stays as a row in no list, so that what proves it later leads to the kept one, and so that it can be undone.
 *
 * @returns the contact that stays
 * @throws {DocumentError} `party_not_found` where one of them is gone, or was merged meanwhile
 */
export async function mergeParties(
  trx: Database,
  tenantId: string,
  keptId: string,
  goneId: string,
  { memberId, at }: MergeOrder,
): Promise<Party> {
  const [kept, gone] = await lockBoth(trx, tenantId, keptId, goneId);
  const before = detailsOf(kept);
  const after = partyDetailsSchema.parse(completed(present(before), present(detailsOf(gone))));
  const moved = await trx
    .updateTable('documents')
    .set({ party_id: keptId })
    .where('tenant_id', '=', tenantId)
    .where('party_id', '=', goneId)
    .returning('id')
    .execute();
  await updateParty(trx, tenantId, keptId, after, memberId);
  await trx.updateTable('parties').set({ merged_into: keptId }).where('id', '=', goneId).execute();
  await trx
    .insertInto('party_merges')
    .values({
      ...{ tenant_id: tenantId, kept_id: keptId, gone_id: goneId, member_id: memberId, at },
      document_ids: moved.map(({ id }) => id),
      details_before: JSON.stringify(before),
      details_after: JSON.stringify(after),
    })
    .execute();
  return { ...kept, ...after };
}

/** The merges of a contact that can be undone, newest first. */
export async function listMerges(db: Database, tenantId: string, keptId: string): Promise<PartyMerge[]> {
  return db
    .selectFrom('party_merges')
    .innerJoin('parties', 'parties.id', 'party_merges.gone_id')
    .leftJoin('members', 'members.id', 'party_merges.member_id')
    .where('party_merges.tenant_id', '=', tenantId)
    .where('party_merges.kept_id', '=', keptId)
    .where('party_merges.undone_at', 'is', null)
    .select(['party_merges.id', 'parties.name as goneName', 'party_merges.at', 'members.name as memberName'])
    .select(sql<number>`cardinality(party_merges.document_ids)`.as('records'))
    .orderBy('party_merges.at', 'desc')
    .limit(20)
    .execute();
}

/**
 * Takes a merge back: the records that moved go back, and so does each detail that the kept contact took over and that
 * nobody has changed since. What was written meanwhile stays where it is.
 *
 * @returns the contact that is there again
 * @throws {DocumentError} `party_not_found` where the merge was taken back already
 */
export async function undoMerge(trx: Database, tenantId: string, mergeId: string, at: Date): Promise<Party> {
  const merge = await trx
    .updateTable('party_merges')
    .set({ undone_at: at })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', mergeId)
    .where('undone_at', 'is', null)
    .returning(['kept_id', 'gone_id', 'document_ids', 'details_before', 'details_after'])
    .executeTakeFirst();
  if (!merge) throw new DocumentError('party_not_found', 'These contacts were taken apart already.');
  await trx.updateTable('parties').set({ merged_into: null }).where('id', '=', merge.gone_id).execute();
  await trx
    .updateTable('documents')
    .set({ party_id: merge.gone_id })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', sql<string>`any(${merge.document_ids}::uuid[])`)
    // Where the kept one was merged further, its records went along.
    .where(sql<boolean>`party_id in (
      with recursive chain as (
        select id, merged_into from parties where id = ${merge.kept_id}::uuid
        union select parties.id, parties.merged_into from parties join chain on parties.id = chain.merged_into
      ) select id from chain)`)
    .execute();
  const kept = await getParty(trx, tenantId, merge.kept_id);
  if (kept) await updateParty(trx, tenantId, kept.id, withoutTaken(kept, merge.details_before, merge.details_after));
  const gone = await getParty(trx, tenantId, merge.gone_id);
  if (!gone) throw new DocumentError('party_not_found', 'This contact does not exist any more.');
  return gone;
}

const addressFields = ['street', 'extraStreet', 'city', 'postalCode', 'region', 'country'];

/** What is known of one, with what only the other knows; an address is taken whole or not at all. */
function completed(kept: Record<string, string>, gone: Record<string, string>): Record<string, string> {
  const hasAddress = addressFields.some((field) => field !== 'country' && field in kept);
  const taken = Object.entries(gone).filter(([field]) => !(hasAddress && addressFields.includes(field)));
  return { ...Object.fromEntries(taken), ...kept };
}

const someDetails = z.record(z.string(), z.string());

function withoutTaken(kept: Party, before: unknown, after: unknown): PartyDetails {
  const [was, became] = [someDetails.parse(before), someDetails.parse(after)];
  const now = Object.entries(present(detailsOf(kept)));
  // A detail that only the other one knew, and that is still what it brought.
  return partyDetailsSchema.parse(
    Object.fromEntries(now.filter(([field, value]) => Object.hasOwn(was, field) || became[field] !== value)),
  );
}

async function lockBoth(trx: Database, tenantId: string, keptId: string, goneId: string): Promise<[Party, Party]> {
  if (!isId(keptId) || !isId(goneId))
    throw new DocumentError('party_not_found', 'This contact does not exist any more.');
  // Always in one order, so that two who merge the same pair never wait for each other.
  await trx
    .selectFrom('parties')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('id', 'in', [keptId, goneId])
    .orderBy('id')
    .forUpdate()
    .execute();
  const [kept, gone] = [await getParty(trx, tenantId, keptId), await getParty(trx, tenantId, goneId)];
  if (!kept || !gone || kept.id === gone.id || kept.mergedInto !== undefined || gone.mergedInto !== undefined)
    throw new DocumentError('party_not_found', 'One of these contacts is not there any more. Open the list again.');
  if (areTwo(kept, gone))
    throw new DocumentError('party_not_found', 'They have different tax numbers, so they are two. Nothing was merged.');
  return [kept, gone];
}

function detailsOf({ id: _, updatedAt: __, mergedInto: ___, ...details }: Party): PartyDetails {
  return details;
}

function present(details: PartyDetails): Record<string, string> {
  return Object.fromEntries(Object.entries(details).flatMap(([field, value]) => (value ? [[field, value]] : [])));
}
