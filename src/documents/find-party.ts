import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';
import type { PartyDetails } from './document.ts';
import { createParty, getParty, type Party, toParty } from './parties.ts';
import { foldName, identityKeys, proofs, sameParty } from './party-identity.ts';
import { compareTaxNumbers } from './tax-number.ts';

/** So many parties are compared at once; more than that share one key only where it says nothing. */
const mostCandidates = 200;

/**
 * The party a record is for: one that is shown to be the same (see `sameParty`), else a new one. Never one of the same
 * name alone: the next Maria Schmidt is another customer. Two imports at the same moment agree on one party.
 *
 * @param db a transaction inside the tenant
 */
export async function findOrCreateParty(db: Database, tenantId: string, details: PartyDetails): Promise<Party> {
  await waitForTurn(db, tenantId, details);
  return (await findParty(db, tenantId, details)) ?? createParty(db, tenantId, details);
}

/** The party that is shown to be the same, the surest proof first, then the oldest; undefined where there is none. */
export async function findParty(db: Database, tenantId: string, details: PartyDetails): Promise<Party | undefined> {
  const keys = identityKeys(details).filter((key) => !key.startsWith('name:'));
  const candidates = await withKeys(db, tenantId, keys);
  const proven = candidates.flatMap((party) => {
    const proof = sameParty(details, party);
    return proof ? [{ party, rank: proofs.indexOf(proof) }] : [];
  });
  const [best] = proven.sort((a, b) => a.rank - b.rank);
  return best && rootOf(db, tenantId, best.party);
}

/** The contacts of a name, upper and lower case, accents and points alike, oldest first. */
export async function partiesNamed(db: Database, tenantId: string, name: string): Promise<Party[]> {
  const folded = foldName(name);
  if (folded === '') return [];
  const found = await withKeys(db, tenantId, [`name:${folded}`]);
  return found.filter((party) => party.mergedInto === undefined);
}

/** The parties that may be the same as one: of one name, or with something in common that is no proof. */
export async function similarParties(db: Database, tenantId: string, party: Party): Promise<Party[]> {
  const others = await withKeys(db, tenantId, identityKeys(party));
  return others
    .filter((other) => other.id !== party.id && other.mergedInto === undefined && !areTwo(party, other))
    .slice(0, 5);
}

/** Two tax numbers are two companies: nobody is asked whether they are one. */
export function areTwo(a: PartyDetails, b: PartyDetails): boolean {
  return compareTaxNumbers(a, b) === 'different';
}

async function withKeys(db: Database, tenantId: string, keys: readonly string[]): Promise<Party[]> {
  if (keys.length === 0) return [];
  const rows = await db
    .selectFrom('parties')
    .where('tenant_id', '=', tenantId)
    .where(sql<boolean>`identity_keys && ${keys}::text[]`)
    .selectAll()
    .orderBy('created_at')
    .orderBy('id')
    .limit(mostCandidates)
    .execute();
  return rows.map(toParty);
}

/** What a party was merged into, and what that was merged into. */
async function rootOf(db: Database, tenantId: string, party: Party): Promise<Party> {
  let root = party;
  while (root.mergedInto !== undefined) {
    const next = await getParty(db, tenantId, root.mergedInto);
    if (!next) return root;
    root = next;
  }
  return root;
}

/** In one order, so that two never wait for each other. */
async function waitForTurn(db: Database, tenantId: string, details: PartyDetails): Promise<void> {
  for (const key of identityKeys(details).sort())
    await sql`select pg_advisory_xact_lock(hashtextextended(${tenantId} || ${key}, 0))`.execute(db);
}
