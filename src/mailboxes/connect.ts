import type { GoogleApp } from '../google/app.ts';
import { GoogleError } from '../google/errors.ts';
import type { Consent } from '../google/strategy.ts';
import type { Capability } from '../platform/capability.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { type KeyRing, KeyRingError } from '../platform/key-ring.ts';
import { noteChange } from '../tenants/rights-changes.ts';
import { inTenant } from '../tenants/scope.ts';
import { noteGoogleToken } from '../tenants/system-grants.ts';
import { type AccessTokens, MailboxUnusableError } from './access-token.ts';
import { capabilitiesOf, readCapabilities } from './capabilities.ts';
import { ConnectError } from './connect-error.ts';
import { dropAccessToken, keepGrant } from './grant-vault.ts';
import { type ConnectRequest, type MailboxPlace, placeMailbox, seatMailbox } from './place.ts';
import { forgetSendAs } from './send-as.ts';

/** What a consent made of a mailbox. */
export interface Connected<T> {
  /**
   * `connected`: this consent's grant is the mailbox's now. `kept`: the one it had works and allows more than this
   * one, so it stays, and nothing has changed.
   */
  readonly kind: 'connected' | 'kept';
  readonly mailboxId: string;
  /** Whether it was connected all the while. */
  readonly wasActive: boolean;
  /** What an existing mailbox can do now that it was not meant to do before. */
  readonly added: readonly Capability[];
  /** What was asked for and not granted: its box was left empty. */
  readonly declined: readonly Capability[];
  /** What {@link connectMailbox}'s `alongside` answered; undefined where it was not called. */
  readonly result: T | undefined;
}

/** What connecting needs. */
export interface ConnectContext {
  readonly db: Database;
  readonly system: Database;
  readonly keys: KeyRing;
  readonly google: GoogleApp;
  readonly tokens: AccessTokens;
  readonly clock: Clock;
}

/**
 * Keeps a consent: as a new mailbox, or in place of the grant of one that exists for the same Google
 * account. A first shared mailbox becomes the default; the choice of From is never touched. What a grant in force
 * allows is never lost to a box that was left empty: then that grant stays. A replaced one is dropped, never revoked,
 * since a revocation at Google would end the new one too.
 *
 * @param alongside what must happen together with the connection or not at all, in the same transaction
 * @throws {ConnectError} and nothing is kept
 */
export async function connectMailbox<T>(
  ctx: ConnectContext,
  request: ConnectRequest,
  consent: Consent,
  alongside: (trx: Database, mailboxId: string) => Promise<T>,
): Promise<Connected<T>> {
  const { identity, refreshToken } = consent;
  if (!capabilitiesOf(consent.scopes, ['send']).includes('send'))
    throw new ConnectError('send_not_granted', identity.email);
  if (refreshToken === null) throw new ConnectError('no_refresh_token', identity.email);

  // Counted even if it is not kept: it lives at Google, where the 101st ends the oldest.
  const { issuer, sub } = identity;
  const number = await noteGoogleToken(ctx.system, { issuer, clientId: ctx.google.clientId, sub });
  const keep = () =>
    inTenant(ctx.db, request.tenantId, (trx) =>
      keepConsent(trx, ctx, request, { ...consent, refreshToken, number }, alongside),
    );
  const first = await keep();
  if (first.kind === 'connected' || (await stillWorks(ctx, request.tenantId, first.mailboxId))) return first;
  // The grant that allowed more had ended unnoticed; the mailbox says so now, and takes what there is.
  return keep();
}

async function keepConsent<T>(
  trx: Database,
  { keys, google, clock }: ConnectContext,
  request: ConnectRequest,
  consent: Consent & { readonly refreshToken: string; readonly number: number },
  alongside: (trx: Database, mailboxId: string) => Promise<T>,
): Promise<Connected<T>> {
  const { tenantId, asked } = request;
  const granted = capabilitiesOf(consent.scopes, asked);
  const declined = asked.filter((capability) => !granted.includes(capability));
  const place = await placeMailbox(trx, request, consent.identity);
  const before = place.existing?.wanted ?? [];
  const wasActive = place.existing?.state === 'active';
  const wanted = readCapabilities([...before, ...granted]);

  if (place.existing && (await allowsMore(trx, google, request, place.existing, consent.scopes))) {
    return { kind: 'kept', mailboxId: place.existing.id, wasActive, added: [], declined, result: undefined };
  }
  const mailboxId = await seatMailbox(trx, request, place, consent.identity, wanted, clock());
  await keepGrant(trx, keys, tenantId, mailboxId, {
    issuer: consent.identity.issuer,
    clientId: google.clientId,
    scopes: consent.scopes,
    refreshToken: consent.refreshToken,
    accessToken: consent.accessToken,
    expiresAt: new Date(clock().getTime() + consent.expiresInMs),
    grantedAt: clock(),
    endsAt: consent.endsInMs === null ? null : new Date(clock().getTime() + consent.endsInMs),
    number: consent.number,
  });
  // A list that nobody may ask for again would grow old unseen, and Gmail swaps a lost alias for another From.
  if (!capabilitiesOf(consent.scopes, wanted).includes('aliases')) await forgetSendAs(trx, tenantId, mailboxId);
  await noteChange(
    trx,
    tenantId,
    { memberId: request.memberId, at: clock() },
    {
      ...{ kind: 'mailbox_connected', mailbox: consent.identity.email, again: place.existing !== null },
      ...{ whose: request.kind === 'shared' ? 'company' : 'own', may: capabilitiesOf(consent.scopes, wanted) },
    },
  );
  const added = place.existing ? wanted.filter((capability) => !before.includes(capability)) : [];
  return { kind: 'connected', mailboxId, wasActive, added, declined, result: await alongside(trx, mailboxId) };
}

/** Whether the mailbox's own grant is in force and can do something that these scopes cannot. */
async function allowsMore(
  trx: Database,
  google: GoogleApp,
  { tenantId, mailboxId, asked }: ConnectRequest,
  { id, state, wanted }: NonNullable<MailboxPlace['existing']>,
  scopes: readonly string[],
): Promise<boolean> {
  if (state !== 'active' && state !== 'paused') return false;
  const grant = await trx
    .selectFrom('grants')
    .select(['scopes', 'client_id'])
    .where('tenant_id', '=', tenantId)
    .where('mailbox_id', '=', id)
    .executeTakeFirst();
  if (grant?.client_id !== google.clientId) return false;
  // Asked for this mailbox, its whole set was named, but for what the operator's app may not ask for any more.
  const matters = mailboxId === null ? wanted : wanted.filter((capability) => asked.includes(capability));
  const brought = capabilitiesOf(scopes, matters);
  return capabilitiesOf(grant.scopes, matters).some((capability) => !brought.includes(capability));
}

/** Asks Google for a new access token, which marks the mailbox where its permission has ended. */
async function stillWorks({ db, tokens }: ConnectContext, tenantId: string, mailboxId: string): Promise<boolean> {
  try {
    await inTenant(db, tenantId, (trx) => dropAccessToken(trx, tenantId, mailboxId));
    await tokens.of(tenantId, mailboxId);
    return true;
  } catch (error) {
    if (error instanceof MailboxUnusableError) return false;
    // Nobody knows, so nothing is thrown away.
    if (error instanceof GoogleError || error instanceof KeyRingError) return true;
    throw error;
  }
}
