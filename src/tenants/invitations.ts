import { randomBytes } from 'node:crypto';
import type { Database } from '../platform/database.ts';
import type { MemberRole } from '../platform/database-types.ts';
import { addressKey, isVouchedFor } from './address-key.ts';
import { heldRole } from './member-life.ts';
import { type ByMember, noteChange } from './rights-changes.ts';
import { inTenant } from './scope.ts';
import { findInvitation, type Invitation, invitationBehind, tokenDigest } from './system-invitations.ts';

/**
 * Invitations: an owner or admin writes one to an address, and whoever has that mailbox accepts or declines it. Nobody
 * becomes a member otherwise, and nobody without having said so.
 */

/** For how many days an invitation can be accepted. */
export const invitationDays = 14;

/** What became of inviting somebody. */
export type Invited =
  | {
      readonly kind: 'invited';
      readonly id: string;
      /** What the link carries; nowhere else is it kept. */
      readonly token: string;
      readonly expiresAt: Date;
    }
  /** Somebody with that mailbox is a member already. */
  | { readonly kind: 'member'; readonly name: string }
  /** Whoever asks is no owner or admin any more. */
  | { readonly kind: 'not_allowed' };

/**
 * Invites an address. Inviting it again, in whatever spelling of the same mailbox, takes the place of the invitation
 * before: what was mailed with that one is worth nothing any more.
 *
 * @param trx a transaction inside the tenant
 * @param formId the id that its form gives it, see `idOfForm`
 */
export async function invite(
  trx: Database,
  tenantId: string,
  { email, role }: { readonly email: string; readonly role: Exclude<MemberRole, 'owner'> },
  by: ByMember,
  formId?: string,
): Promise<Invited> {
  await lockInvitations(trx, tenantId);
  const own = await heldRole(trx, tenantId, by.memberId);
  if (own !== 'owner' && own !== 'admin') return { kind: 'not_allowed' };
  const key = addressKey(email);
  const member = await findMemberOf(trx, tenantId, key);
  if (member) return { kind: 'member', name: member.name };
  await trx
    .deleteFrom('invitations')
    .where('tenant_id', '=', tenantId)
    .where('address_key', '=', key)
    .where('accepted_at', 'is', null)
    .execute();
  const token = randomBytes(32).toString('base64url');
  const expiresAt = new Date(by.at.getTime() + invitationDays * 86_400_000);
  const { id } = await trx
    .insertInto('invitations')
    .values({
      ...(formId !== undefined && { id: formId }),
      ...{ tenant_id: tenantId, email: email.trim(), address_key: key, role, invited_by: by.memberId },
      ...{ token_digest: tokenDigest(token), created_at: by.at, expires_at: expiresAt },
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  await noteChange(trx, tenantId, by, { kind: 'member_invited', email, role });
  return { kind: 'invited', id, token, expiresAt };
}

/** Of two who invite the same address at once, the second one waits and finds what the first one wrote. */
export async function lockInvitations(trx: Database, tenantId: string): Promise<void> {
  await trx.selectFrom('tenants').select('id').where('id', '=', tenantId).forNoKeyUpdate().execute();
}

/** A member whose mailbox has this key. The addresses of members are few enough to be looked through. */
async function findMemberOf(trx: Database, tenantId: string, key: string) {
  const members = await trx
    .selectFrom('members')
    .select(['name', 'email'])
    .where('tenant_id', '=', tenantId)
    .where('removed_at', 'is', null)
    .execute();
  return members.find(({ email }) => addressKey(email) === key);
}

/** Invitations that nobody has accepted, newest first: open, declined or too old. */
export function listInvitations(db: Database, tenantId: string) {
  return db
    .selectFrom('invitations')
    .innerJoin('members', 'members.id', 'invitations.invited_by')
    .select(['invitations.id', 'invitations.email', 'invitations.role', 'members.name as invitedBy'])
    .select(['invitations.created_at as createdAt', 'invitations.expires_at as expiresAt'])
    .select('invitations.declined_at as declinedAt')
    .where('invitations.tenant_id', '=', tenantId)
    .where('invitations.accepted_at', 'is', null)
    .orderBy('invitations.created_at', 'desc')
    .limit(500)
    .execute();
}

/** Takes an invitation back. Returns false when it is not there, or was followed already. */
export async function withdrawInvitation(
  trx: Database,
  tenantId: string,
  invitationId: string,
  by: ByMember,
): Promise<boolean> {
  const withdrawn = await trx
    .deleteFrom('invitations')
    .where('tenant_id', '=', tenantId)
    .where('id', '=', invitationId)
    .where('accepted_at', 'is', null)
    .returning(['email', 'role'])
    .executeTakeFirst();
  if (!withdrawn) return false;
  await noteChange(trx, tenantId, by, { kind: 'invitation_withdrawn', ...withdrawn });
  return true;
}

/** Who answers an invitation: what Google said of them when they signed in. */
export interface Invitee {
  readonly personId: string;
  readonly email: string;
  readonly name: string;
  readonly hd: string | null;
}

/**
 * Whether an invitation is for whoever is signed in. `other_address`: it was written to another mailbox. `unproven`: the
 * address is the same, but Google does not vouch for it, and the link that was mailed to it is missing.
 */
export function standingOf(
  invitation: Pick<Invitation, 'email'>,
  { email, hd }: Pick<Invitee, 'email' | 'hd'>,
  hasLink: boolean,
): 'theirs' | 'other_address' | 'unproven' {
  if (addressKey(invitation.email) !== addressKey(email)) return 'other_address';
  return isVouchedFor({ email, hd }) || hasLink ? 'theirs' : 'unproven';
}

/** What became of an answer to an invitation. */
export type Answered =
  | { readonly kind: 'joined'; readonly invitation: Invitation }
  | { readonly kind: 'declined'; readonly invitation: Invitation }
  /** They are a member there already, whatever the invitation says of a role. */
  | { readonly kind: 'member'; readonly invitation: Invitation }
  /** Accepted, declined, withdrawn, too old, or for somebody else: the answers must not be told apart. */
  | { readonly kind: 'gone' };

/** Which invitation, and by what right it is answered. */
export interface Answering {
  readonly invitationId: string;
  /** What the mailed link carried; undefined without one. */
  readonly token: string | undefined;
  /** The role that stood on the page: with another one by now, it has to be looked at once more. */
  readonly role: string;
}

/**
 * Makes whoever accepts a member. Of two answers one finds the invitation. Somebody who was a member before comes back as
 * the one they were, with what they wrote and sent.
 *
 * @param pools the app's pool, and the cross-tenant one to find the invitation
 */
export async function acceptInvitation(
  pools: { readonly db: Database; readonly system: Database },
  invitee: Invitee,
  answering: Answering,
  now: Date,
): Promise<Answered> {
  const invitation = await findTheirs(pools.system, invitee, answering, now);
  if (!invitation || invitation.role !== answering.role) return { kind: 'gone' };
  const { tenantId, role } = invitation;
  return inTenant(pools.db, tenantId, async (trx) => {
    // Whoever is removed, or made less, while somebody accepts has invited nobody.
    const inviter = await trx
      .selectFrom('invitations')
      .select('invited_by')
      .where('tenant_id', '=', tenantId)
      .where('id', '=', invitation.id)
      .executeTakeFirst();
    const inviterRole = inviter && (await heldRole(trx, tenantId, inviter.invited_by));
    if (inviterRole !== 'owner' && inviterRole !== 'admin') return { kind: 'gone' };
    const taken = await answer(trx, invitation, answering, now, { accepted_at: now });
    if (!taken) return { kind: 'gone' };
    const { personId, email, name } = invitee;
    const member = await trx
      .insertInto('members')
      .values({ tenant_id: tenantId, person_id: personId, email, name, role })
      .onConflict((conflict) =>
        conflict
          .columns(['tenant_id', 'person_id'])
          .doUpdateSet({ email, name, role, removed_at: null })
          .where('members.removed_at', 'is not', null),
      )
      .returning('id')
      .executeTakeFirst();
    if (!member) return { kind: 'member', invitation };
    await noteChange(trx, tenantId, { memberId: member.id, at: now }, { kind: 'member_joined', role });
    return { kind: 'joined', invitation };
  });
}

/** Says no to an invitation, by the same right as {@link acceptInvitation}: the company sees it, and may invite again. */
export async function declineInvitation(
  pools: { readonly db: Database; readonly system: Database },
  invitee: Invitee,
  answering: Answering,
  now: Date,
): Promise<Answered> {
  const invitation = await findTheirs(pools.system, invitee, answering, now);
  if (!invitation) return { kind: 'gone' };
  const taken = await inTenant(pools.db, invitation.tenantId, (trx) =>
    answer(trx, invitation, answering, now, { declined_at: now }),
  );
  return taken ? { kind: 'declined', invitation } : { kind: 'gone' };
}

async function findTheirs(
  system: Database,
  invitee: Invitee,
  { invitationId, token }: Answering,
  now: Date,
): Promise<Invitation | undefined> {
  const invitation = await findInvitation(system, invitationId, now);
  if (!invitation) return undefined;
  const hasLink = token !== undefined && (await invitationBehind(system, token, now))?.id === invitationId;
  return standingOf(invitation, invitee, hasLink) === 'theirs' ? invitation : undefined;
}

/** Writes the answer where nobody has answered yet and it still stands as it was read; returns whether it did. */
async function answer(
  trx: Database,
  { tenantId, id, role }: Invitation,
  { token }: Answering,
  now: Date,
  as: { readonly accepted_at: Date } | { readonly declined_at: Date },
): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('invitations')
    // The link works once: what is answered is open to nobody. Its digest stays, so that it can be told that it is used.
    .set(as)
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .where('role', '=', role)
    .where('accepted_at', 'is', null)
    .where('declined_at', 'is', null)
    .where('expires_at', '>', now)
    .$if(token !== undefined, (query) => query.where('token_digest', '=', tokenDigest(token ?? '')))
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}
