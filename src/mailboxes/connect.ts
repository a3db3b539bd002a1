import { type GoogleApp, scopes } from '../google/app.ts';
import { revokeGrant } from '../google/oauth.ts';
import type { Consent } from '../google/strategy.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import type { MailboxKind } from '../platform/database-types.ts';
import { type KeyRing, KeyRingError } from '../platform/key-ring.ts';
import { inTenant } from '../tenants/scope.ts';
import { countMailboxesOf } from '../tenants/system.ts';
import { noteGoogleToken } from '../tenants/system-grants.ts';
import { dropGrant, keepGrant, openGrant } from './grant-vault.ts';
import { forgetSendAs } from './send-as.ts';

/** What a mailbox asks of Google. Never together with what the account granted elsewhere. */
export const askedOfAll = ['send', 'aliases'] as const;

/** Whose mailbox is being connected. */
export interface ConnectRequest {
  readonly tenantId: string;
  readonly memberId: string;
  readonly kind: MailboxKind;
  /** Set when an existing mailbox is connected again: the Google account must be the same. */
  readonly mailboxId: string | null;
}

/** Google said yes, and still nothing could be connected. */
export class ConnectError extends Error {
  override readonly name = 'ConnectError';
  readonly code: 'send_not_granted' | 'no_refresh_token' | 'other_account' | 'personal_taken' | 'mailbox_gone';
  /** The account that was chosen at Google. */
  readonly email: string;
  /** The account that was expected, where there is one. */
  readonly expected: string | null;

  constructor(code: ConnectError['code'], email: string, expected: string | null = null) {
    super(`The mailbox was not connected: ${code}`);
    this.code = code;
    this.email = email;
    this.expected = expected;
  }
}

/**
 * Keeps a consent: as a new mailbox, or in place of the grant of one that exists for the same Google
 * account. A first shared mailbox becomes the default; the choice of From is never touched.
 *
 * @returns the mailbox's id
 * @throws {ConnectError} and nothing is kept
 */
export async function connectMailbox(
  {
    db,
    system,
    keys,
    google,
    clock,
  }: { db: Database; system: Database; keys: KeyRing; google: GoogleApp; clock: Clock },
  request: ConnectRequest,
  consent: Consent,
): Promise<string> {
  const { identity, refreshToken } = consent;
  if (!consent.scopes.includes(scopes.gmailSend)) throw new ConnectError('send_not_granted', identity.email);
  if (refreshToken === null) throw new ConnectError('no_refresh_token', identity.email);

  // Counted even if it is not kept: it lives at Google, where the 101st ends the oldest.
  const { issuer, sub } = identity;
  const number = await noteGoogleToken(system, { issuer, clientId: google.clientId, sub });
  return inTenant(db, request.tenantId, async (trx) => {
    const mailboxId = await placeMailbox(trx, request, identity, clock());
    await keepGrant(trx, keys, request.tenantId, mailboxId, {
      issuer: identity.issuer,
      clientId: google.clientId,
      scopes: consent.scopes,
      refreshToken,
      accessToken: consent.accessToken,
      expiresAt: new Date(clock().getTime() + consent.expiresInMs),
      grantedAt: clock(),
      endsAt: consent.endsInMs === null ? null : new Date(clock().getTime() + consent.endsInMs),
      number,
    });
    // A list that nobody may ask for again would grow old unseen, and Gmail swaps a lost alias for another From.
    if (!consent.scopes.includes(scopes.gmailSettingsBasic)) await forgetSendAs(trx, request.tenantId, mailboxId);
    return mailboxId;
  });
}

async function placeMailbox(
  trx: Database,
  request: ConnectRequest,
  identity: Consent['identity'],
  now: Date,
): Promise<string> {
  const { tenantId, memberId, kind } = request;
  const existing = await trx
    .selectFrom('mailboxes')
    .select(['id', 'email', 'kind', 'google_sub', 'member_id', 'state'])
    .where('tenant_id', '=', tenantId)
    // Sent from by delegation: nobody's connection, and what somebody connects does not take its place.
    .where('delegated', '=', false)
    .forUpdate()
    .execute();
  const hasDefault = await defaultIsUsable(trx, tenantId);
  const connected = {
    state: 'active' as const,
    state_reason: null,
    state_sure: true,
    state_at: now,
    connected_at: now,
    connected_by: memberId,
    email: identity.email,
    wanted: [...askedOfAll],
  };

  const wanted = request.mailboxId ? existing.find((each) => each.id === request.mailboxId) : undefined;
  if (request.mailboxId && !wanted) throw new ConnectError('mailbox_gone', identity.email);
  if (wanted && wanted.google_sub !== identity.sub)
    throw new ConnectError('other_account', identity.email, wanted.email);
  const same =
    wanted ??
    existing.find(
      (each) =>
        each.kind === kind && each.google_sub === identity.sub && (kind === 'shared' || each.member_id === memberId),
    );
  const becomesDefault = kind === 'shared' && !hasDefault;
  if (becomesDefault)
    await trx.updateTable('mailboxes').set({ is_default: false }).where('tenant_id', '=', tenantId).execute();
  // A member has one mailbox of their own. A disconnected one makes room for another account and keeps its history.
  const own = existing.find(
    (each) =>
      kind === 'personal' && each.member_id === memberId && each.id !== same?.id && each.state !== 'disconnected',
  );
  if (own) throw new ConnectError('personal_taken', identity.email, own.email);
  if (same) {
    await trx
      .updateTable('mailboxes')
      .set({ ...connected, ...(becomesDefault && { is_default: true }) })
      .where('tenant_id', '=', tenantId)
      .where('id', '=', same.id)
      .execute();
    return same.id;
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
  return id;
}

/** Whether the tenant has a default mailbox that is connected. A disconnected one hands the place on. */
async function defaultIsUsable(trx: Database, tenantId: string): Promise<boolean> {
  const row = await trx
    .selectFrom('mailboxes')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('is_default', '=', true)
    .where('state', '<>', 'disconnected')
    .executeTakeFirst();
  return row !== undefined;
}

/** What a disconnect did. */
export interface Disconnected {
  readonly email: string;
  /** False where another mailbox uses the same Google account, or Google could not be asked: then only our copy is gone. */
  readonly revokedAtGoogle: boolean;
  readonly usedElsewhere: boolean;
}

/**
 * Ends a connection. Our copy of the tokens goes first; then Google is asked to revoke, unless another
 * mailbox of any tenant uses the same Google account: a revocation would end that one too.
 *
 * @returns undefined when there is no such mailbox
 */
export async function disconnectMailbox(
  {
    db,
    system,
    keys,
    google,
    clock,
  }: { db: Database; system: Database; keys: KeyRing; google: GoogleApp; clock: Clock },
  tenantId: string,
  mailboxId: string,
): Promise<Disconnected | undefined> {
  const ended = await inTenant(db, tenantId, async (trx) => {
    const mailbox = await trx
      .updateTable('mailboxes')
      .set({ state: 'disconnected', state_reason: null, state_at: clock() })
      .where('tenant_id', '=', tenantId)
      .where('id', '=', mailboxId)
      .returning(['email', 'google_sub'])
      .executeTakeFirst();
    if (!mailbox) return undefined;
    const grant = await openToRevoke(trx, keys, tenantId, mailboxId);
    await dropGrant(trx, tenantId, mailboxId);
    return { ...mailbox, grant };
  });
  if (!ended) return undefined;

  const usedElsewhere = (await countMailboxesOf(system, ended.google_sub)) > 0;
  const token = ended.grant?.refreshToken ?? null;
  const revokedAtGoogle = token !== null && !usedElsewhere && (await tryToRevoke(google, token));
  return { email: ended.email, revokedAtGoogle, usedElsewhere };
}

/** Without its key a token cannot be revoked, but it can still be forgotten. */
async function openToRevoke(trx: Database, keys: KeyRing, tenantId: string, mailboxId: string) {
  try {
    return await openGrant(trx, keys, tenantId, mailboxId);
  } catch (error) {
    if (error instanceof KeyRingError) return undefined;
    throw error;
  }
}

async function tryToRevoke(google: GoogleApp, token: string): Promise<boolean> {
  try {
    await revokeGrant(google, token);
    return true;
  } catch {
    // The person is told to remove the access at Google themselves; our copy is gone either way.
    return false;
  }
}
