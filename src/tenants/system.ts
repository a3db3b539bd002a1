import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';
import type { MemberRole } from '../platform/database-types.ts';

/**
 * The few queries that cross tenants. They run on a pool of their own, under a role that may read what
 * these functions need and write nothing but people. Nothing else in the product takes this pool.
 */

/** Who somebody is to Google. `sub` is the identity; the address and name can change. */
export interface GoogleIdentity {
  readonly issuer: string;
  readonly sub: string;
  readonly email: string;
  readonly name: string;
  /** The Workspace domain that manages the account, if any. */
  readonly hd?: string | null;
}

/** Finds the person behind a Google identity, or makes one; keeps what Google says of them up to date. Returns the person's id. */
export async function rememberPerson(system: Database, identity: GoogleIdentity): Promise<string> {
  const { issuer, sub, email, name, hd = null } = identity;
  const { id } = await system
    .insertInto('people')
    .values({ issuer, google_sub: sub, email, name, hd })
    .onConflict((conflict) => conflict.columns(['issuer', 'google_sub']).doUpdateSet({ email, name, hd }))
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

/** What Google said of a person when they last signed in, or undefined. */
export function findPerson(system: Database, personId: string) {
  return system
    .selectFrom('people')
    .select(['id', 'email', 'name', 'google_sub as googleSub', 'hd'])
    .where('id', '=', personId)
    .executeTakeFirst();
}

/** A membership as the tenant switcher shows it. */
export interface Membership {
  readonly tenantId: string;
  readonly tenantName: string;
  readonly memberId: string;
  readonly role: MemberRole;
  /** The first of its owners: a name can be chosen freely, and two companies can have the same one. */
  readonly ownerEmail: string | null;
  readonly createdAt: Date;
  /** Whether it is the company that the person looked at last. */
  readonly isLast: boolean;
}

/** The tenants a person belongs to, by name. */
export function membershipsOf(system: Database, personId: string): Promise<Membership[]> {
  return system
    .selectFrom('members')
    .innerJoin('tenants', 'tenants.id', 'members.tenant_id')
    .innerJoin('people', 'people.id', 'members.person_id')
    .select(['tenants.id as tenantId', 'tenants.name as tenantName', 'members.id as memberId', 'members.role'])
    .select('tenants.created_at as createdAt')
    .select(sql<boolean>`coalesce(people.last_tenant_id = tenants.id, false)`.as('isLast'))
    .select((eb) =>
      eb
        .selectFrom('members as owners')
        .select('owners.email')
        .whereRef('owners.tenant_id', '=', 'tenants.id')
        .where('owners.role', '=', 'owner')
        .where('owners.removed_at', 'is', null)
        .orderBy('owners.created_at')
        .orderBy('owners.id')
        .limit(1)
        .as('ownerEmail'),
    )
    .where('members.person_id', '=', personId)
    .where('members.removed_at', 'is', null)
    .orderBy('tenants.name')
    .orderBy('tenants.id')
    .execute();
}

/** Remembers which company somebody looks at, for their next sign-in. */
export async function rememberCompany(system: Database, personId: string, tenantId: string): Promise<void> {
  await system.updateTable('people').set({ last_tenant_id: tenantId }).where('id', '=', personId).execute();
}

/** How many tenants there are: zero means an empty installation. */
export async function countTenants(system: Database): Promise<number> {
  const { count } = await system
    .selectFrom('tenants')
    .select((eb) => eb.fn.countAll<string>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** Every tenant, by name: for commands of the operator. */
export function listTenants(system: Database): Promise<{ id: string; name: string }[]> {
  return system.selectFrom('tenants').select(['id', 'name']).orderBy('name').orderBy('id').limit(1_000).execute();
}

/** How many connected mailboxes, of any tenant, use what one Google account itself allowed: a delegation is not that. */
export async function countMailboxesOf(system: Database, googleSub: string): Promise<number> {
  const { count } = await system
    .selectFrom('mailboxes')
    .select((eb) => eb.fn.countAll<string>().as('count'))
    .where('google_sub', '=', googleSub)
    .where('state', '<>', 'disconnected')
    .where('delegated', '=', false)
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** How much is sealed: mailboxes with a token or two, and delegations with the key of a service account. */
export interface Sealed {
  readonly mailboxes: number;
  readonly delegations: number;
}

/** What a key seals. */
export interface KeyUse extends Sealed {
  /** Empty where what stands in the row is no sealed token at all. */
  readonly keyId: string;
}

/** Which keys seal what is kept of Google's, by id. */
export async function countKeyUses(system: Database): Promise<KeyUse[]> {
  const { rows } = await sql<KeyUse>`
    select key_id as "keyId", count(mailbox_id)::int as mailboxes, count(delegation_id)::int as delegations from (
      select mailbox_id, null::uuid as delegation_id, refresh_key_id as key_id from grants
        where refresh_key_id is not null
      union
      select mailbox_id, null, access_key_id from grants where access_key_id is not null
      union
      -- Without an id there is no key any more: it was given up.
      select null, id, key_id from delegations where key_id <> ''
    ) uses group by key_id order by key_id`.execute(system);
  return rows;
}

/** Where a grant is. */
export interface GrantPlace {
  readonly tenantId: string;
  readonly mailboxId: string;
}

/**
 * A page of the grants that a key seals, or that any other key seals, by mailbox id.
 *
 * @param key `is` this id, or anything `butNot` this id; either token counts
 * @param after the last mailbox id of the page before, or null
 */
export function findGrantsByKey(
  system: Database,
  key: { is: string } | { butNot: string },
  after: string | null,
  limit: number,
): Promise<GrantPlace[]> {
  const [comparison, id] = 'is' in key ? (['=', key.is] as const) : (['<>', key.butNot] as const);
  return system
    .selectFrom('grants')
    .select(['tenant_id as tenantId', 'mailbox_id as mailboxId'])
    .where((where) => where.or([where('refresh_key_id', comparison, id), where('access_key_id', comparison, id)]))
    .$if(after !== null, (query) => query.where('mailbox_id', '>', after))
    .orderBy('mailbox_id')
    .limit(limit)
    .execute();
}

/** Where the key of a service account is. */
export interface DelegationPlace {
  readonly tenantId: string;
  readonly delegationId: string;
}

/** A page of the delegations whose service account's key a key seals, as {@link findGrantsByKey} has it. */
export function findDelegationsByKey(
  system: Database,
  key: { is: string } | { butNot: string },
  after: string | null,
  limit: number,
): Promise<DelegationPlace[]> {
  const [comparison, id] = 'is' in key ? (['=', key.is] as const) : (['<>', key.butNot] as const);
  return system
    .selectFrom('delegations')
    .select(['tenant_id as tenantId', 'id as delegationId'])
    .where('key_id', comparison, id)
    .where('key_id', '<>', '')
    .$if(after !== null, (query) => query.where('id', '>', after))
    .orderBy('id')
    .limit(limit)
    .execute();
}
