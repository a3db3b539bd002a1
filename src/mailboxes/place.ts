import type { IdTokenClaims } from '../google/oauth.ts';
import type { Capability } from '../platform/capability.ts';
import type { Database } from '../platform/database.ts';
import type { MailboxKind, MailboxState } from '../platform/database-types.ts';
import { heldRole } from '../tenants/member-life.ts';
import { readCapabilities } from './capabilities.ts';
import { ConnectError } from './connect-error.ts';
import { writeMailboxEvent } from './mailbox-events.ts';

/** Whose mailbox is being connected, and what for. */
export interface ConnectRequest {
  readonly tenantId: string;
  readonly memberId: string;
  readonly kind: MailboxKind;
  /** Set when an existing mailbox is connected again: the Google account must be the same. */
  readonly mailboxId: string | null;
  /** What Google was asked for: all that the mailbox wants, and what is being switched on now. */
  readonly asked: readonly Capability[];
}

/** Where a consent belongs in its tenant. */
export interface MailboxPlace {
  /** The mailbox that has this Google account already, connected or not. */
  readonly existing: {
    readonly id: string;
    readonly state: MailboxState;
    readonly wanted: readonly Capability[];
  } | null;
  readonly becomesDefault: boolean;
}

/**
 * Finds where a consent belongs: the mailbox it was asked for, else the one with the same Google account, else a new
 * one. Locks the tenant's mailboxes until the transaction ends.
 *
 * @throws {ConnectError} `mailbox_gone`, `other_account`, `personal_taken`: a member has one mailbox of their own, or
 *   `not_allowed`: they were removed, or their role was changed, while they were at Google
 */
export async function placeMailbox(
  trx: Database,
  { tenantId, memberId, kind, mailboxId }: ConnectRequest,
  identity: IdTokenClaims,
): Promise<MailboxPlace> {
  const all = await trx
    .selectFrom('mailboxes')
    .select(['id', 'email', 'kind', 'google_sub', 'member_id', 'state', 'is_default', 'wanted'])
    .where('tenant_id', '=', tenantId)
    // Sent from by delegation: nobody's connection, and what somebody connects does not take its place.
    .where('delegated', '=', false)
    .orderBy('id')
    .forUpdate()
    .execute();
  const role = await heldRole(trx, tenantId, memberId);
  const mayConnect = role === 'owner' || role === 'admin' || (kind === 'personal' && role === 'member');
  if (!mayConnect) throw new ConnectError('not_allowed', identity.email);
  const asked = mailboxId ? all.find((each) => each.id === mailboxId) : undefined;
  if (mailboxId && !asked) throw new ConnectError('mailbox_gone', identity.email);
  if (asked && asked.google_sub !== identity.sub) throw new ConnectError('other_account', identity.email, asked.email);

  const isSameAccount = (each: (typeof all)[number]) =>
    each.kind === kind && each.google_sub === identity.sub && (kind === 'shared' || each.member_id === memberId);
  const found = asked ?? all.find(isSameAccount);
  // A disconnected one makes room for another account and keeps its history.
  const own = all.find(
    (each) => each.kind === 'personal' && each.member_id === memberId && each.state !== 'disconnected',
  );
  if (kind === 'personal' && own && own.id !== found?.id)
    throw new ConnectError('personal_taken', identity.email, own.email);
  // A disconnected default hands the place on.
  const hasDefault = all.some((each) => each.is_default && each.state !== 'disconnected');
  return {
    existing: found ? { id: found.id, state: found.state, wanted: readCapabilities(found.wanted) } : null,
    becomesDefault: kind === 'shared' && !hasDefault,
  };
}

/** Makes the mailbox of a place, or marks the one there as connected now. Returns its id. */
export async function seatMailbox(
  trx: Database,
  { tenantId, memberId, kind }: ConnectRequest,
  { existing, becomesDefault }: MailboxPlace,
  identity: IdTokenClaims,
  wanted: readonly Capability[],
  now: Date,
): Promise<string> {
  const connected = {
    // Whoever paused it resumes it.
    ...(existing?.state !== 'paused' && { state: 'active' as const, state_at: now }),
    state_reason: null,
    state_sure: true,
    connected_at: now,
    connected_by: memberId,
    email: identity.email,
    wanted: [...wanted],
  };
  if (becomesDefault)
    await trx.updateTable('mailboxes').set({ is_default: false }).where('tenant_id', '=', tenantId).execute();
  if (existing) {
    await trx
      .updateTable('mailboxes')
      .set({ ...connected, ...(becomesDefault && { is_default: true }) })
      .where('tenant_id', '=', tenantId)
      .where('id', '=', existing.id)
      .execute();
    await writeMailboxEvent(trx, tenantId, { mailboxId: existing.id, kind: 'connected', memberId, at: now });
    return existing.id;
  }
  const member = await trx.selectFrom('members').select('name').where('id', '=', memberId).executeTakeFirstOrThrow();
  const tenant = await trx.selectFrom('tenants').select('name').where('id', '=', tenantId).executeTakeFirstOrThrow();
  const { id } = await trx
    .insertInto('mailboxes')
    .values({
      tenant_id: tenantId,
      kind,
      member_id: kind === 'personal' ? memberId : null,
      google_sub: identity.sub,
      display_name: kind === 'personal' ? member.name : tenant.name,
      is_default: becomesDefault,
      ...connected,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  await writeMailboxEvent(trx, tenantId, { mailboxId: id, kind: 'connected', memberId, at: now });
  return id;
}
