import { createHash } from 'node:crypto';
import type { Database } from '../platform/database.ts';
import type { MemberRole } from '../platform/database-types.ts';
import { addressKey } from './address-key.ts';

/** An invitation as the page shows it to whoever is invited. */
export interface Invitation {
  readonly id: string;
  readonly tenantId: string;
  readonly tenantName: string;
  /** The first of the company's owners, beside whoever invites: names can be chosen freely, addresses cannot. */
  readonly ownerEmail: string | null;
  /** As it was written. */
  readonly email: string;
  readonly role: MemberRole;
  readonly inviterName: string;
  readonly inviterEmail: string;
  readonly expiresAt: Date;
}

/**
 * The invitations to the mailbox behind an address that can be followed now, newest first: not accepted, declined or too
 * old, and from somebody who still is an owner or admin there.
 */
export function invitationsTo(system: Database, email: string, now: Date): Promise<Invitation[]> {
  return open(system, now).where('invitations.address_key', '=', addressKey(email)).limit(50).execute();
}

/** The one that a mailed link carries, as {@link invitationsTo} has it. */
export function invitationBehind(system: Database, token: string, now: Date): Promise<Invitation | undefined> {
  return open(system, now).where('invitations.token_digest', '=', tokenDigest(token)).executeTakeFirst();
}

/** The one with this id, as {@link invitationsTo} has it. */
export function findInvitation(system: Database, id: string, now: Date): Promise<Invitation | undefined> {
  return open(system, now).where('invitations.id', '=', id).executeTakeFirst();
}

/** An invitation that was answered. */
export interface UsedInvitation {
  readonly tenantId: string;
  readonly tenantName: string;
  readonly email: string;
  readonly answer: 'accepted' | 'declined';
  readonly at: Date;
}

/** The invitation that was answered before, by the token of its link or by its id. */
export async function usedInvitation(
  system: Database,
  by: { readonly token: string } | { readonly id: string },
): Promise<UsedInvitation | undefined> {
  const found = await system
    .selectFrom('invitations')
    .innerJoin('tenants', 'tenants.id', 'invitations.tenant_id')
    .select(['invitations.tenant_id as tenantId', 'invitations.email', 'tenants.name as tenantName'])
    .select(['invitations.accepted_at', 'invitations.declined_at'])
    .$if('token' in by, (query) =>
      query.where('invitations.token_digest', '=', 'token' in by ? tokenDigest(by.token) : ''),
    )
    .$if('id' in by, (query) => query.where('invitations.id', '=', 'id' in by ? by.id : ''))
    .executeTakeFirst();
  if (!found) return undefined;
  const { accepted_at, declined_at, ...rest } = found;
  if (accepted_at) return { ...rest, answer: 'accepted', at: accepted_at };
  return declined_at ? { ...rest, answer: 'declined', at: declined_at } : undefined;
}

/** What is kept of the token in a link: who reads the database learns no link from it. */
export function tokenDigest(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

function open(system: Database, now: Date) {
  return system
    .selectFrom('invitations')
    .innerJoin('tenants', 'tenants.id', 'invitations.tenant_id')
    .innerJoin('members', 'members.id', 'invitations.invited_by')
    .select(['invitations.id', 'invitations.tenant_id as tenantId', 'invitations.email', 'invitations.role'])
    .select(['tenants.name as tenantName', 'invitations.expires_at as expiresAt'])
    .select(['members.name as inviterName', 'members.email as inviterEmail'])
    .select((eb) =>
      eb
        .selectFrom('members as owners')
        .select('owners.email')
        .whereRef('owners.tenant_id', '=', 'tenants.id')
        .where('owners.role', '=', 'owner')
        .where('owners.removed_at', 'is', null)
        .orderBy('owners.created_at')
        .limit(1)
        .as('ownerEmail'),
    )
    .where('invitations.accepted_at', 'is', null)
    .where('invitations.declined_at', 'is', null)
    .where('invitations.expires_at', '>', now)
    .where('members.removed_at', 'is', null)
    .where('members.role', 'in', ['owner', 'admin'])
    .orderBy('invitations.created_at', 'desc');
}
