import { type GoogleApp, scopes } from '../google/app.ts';
import {
  type DelegationTrouble,
  delegatedAccessToken,
  delegationScopes,
  delegationTrouble,
  personBehind,
  type ServiceAccount,
} from '../google/delegation.ts';
import { GoogleError, type GoogleFailure } from '../google/errors.ts';
import { probeSending } from '../google/probe.ts';
import { type Capability, capabilities } from '../platform/capability.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import type { KeyRing } from '../platform/key-ring.ts';
import { type By, noteChange } from '../tenants/rights-changes.ts';
import { inTenant } from '../tenants/scope.ts';
import { capabilitiesOf, scopesFor } from './capabilities.ts';
import { dropDelegated, endDelegation, reviveDelegated } from './delegated-mailboxes.ts';
import { domainOf } from './delegated-token.ts';
import { keepDelegation, type OpenDelegation, openDelegation } from './delegations.ts';
import type { KeyFile } from './key-file.ts';

/** What it takes to deal with delegations. */
export interface DelegateContext {
  readonly db: Database;
  readonly keys: KeyRing;
  readonly google: GoogleApp;
  readonly clock: Clock;
}

/** An owner or admin who vouches for their domain: Google says that it manages their account. */
export interface Voucher {
  readonly memberId: string;
  readonly email: string;
  readonly googleSub: string;
}

/**
 * What a look at Google found. `mailboxIds`: those that work from now on. `missing`: what the administrator left out.
 * `kept`: whether the key file is stored (one that does not work never takes the place of one that does).
 */
export type DelegationCheck =
  | {
      readonly kind: 'active';
      readonly domain: string;
      readonly mailboxIds: readonly string[];
      readonly missing: readonly Capability[];
    }
  | {
      readonly kind: 'refused';
      readonly domain: string;
      readonly trouble: Trouble;
      readonly kept: boolean;
      /** Whether it is in use all the same: what is wrong is not the service account. */
      readonly active: boolean;
    };

/**
 * A refusal of Google's; or that the address is somebody else's account by now; or what Gmail itself says: its API is
 * not enabled in the service account's project, or the Workspace lets no app in.
 */
export type Trouble = DelegationTrouble | 'other_person' | 'api_disabled' | 'apps_blocked';

/**
 * The owner or admin as somebody who can vouch for a domain; undefined where they cannot: their Google account is no
 * Workspace's, they have not signed in since we ask for that, or their role is another.
 */
export async function findVoucher(
  db: Database,
  tenantId: string,
  who: { readonly memberId: string } | { readonly email: string },
): Promise<Voucher | undefined> {
  const member = await db
    .selectFrom('members')
    .select(['id as memberId', 'email', 'google_sub as googleSub'])
    .where('tenant_id', '=', tenantId)
    .where((where) => ('memberId' in who ? where('id', '=', who.memberId) : where('email', '=', who.email)))
    .where('role', 'in', ['owner', 'admin'])
    .where('removed_at', 'is', null)
    .where('hd', 'is not', null)
    .executeTakeFirst();
  return member?.googleSub ? { ...member, googleSub: member.googleSub } : undefined;
}

/**
 * Keeps a service account for the voucher's domain, and looks at once whether it works. Where the administrator has yet
 * to allow it, it waits, and {@link checkDelegation} looks again.
 *
 * @param offered what to use of it beside sending
 * @param byOperator whether the operator stored it, in the voucher's place
 * @throws {GoogleError} when Google could not be asked; it is kept all the same
 */
export async function addDelegation(
  ctx: DelegateContext,
  tenantId: string,
  voucher: Voucher,
  file: KeyFile,
  offered: readonly Capability[],
  byOperator = false,
): Promise<DelegationCheck> {
  const domain = domainOf(voucher.email);
  const [standing] = await inTenant(ctx.db, tenantId, (trx) => findActive(trx, tenantId, domain));
  const trouble = standing && (await tryAs(ctx, file, voucher));
  if (trouble) return { kind: 'refused', domain, trouble, kept: false, active: true };
  const about = {
    ...{ ...file, domain, issuer: ctx.google.endpoints.issuer, addedBy: byOperator ? null : voucher.memberId },
    // Where one works and this one does, too, nothing has to wait in between.
    scopes: standing?.scopes ?? [],
  };
  await inTenant(ctx.db, tenantId, async (trx) => {
    const by = { memberId: about.addedBy, at: ctx.clock() };
    await keepDelegation(trx, ctx.keys, tenantId, about, by.at);
    await noteChange(trx, tenantId, by, { kind: 'delegation_stored', domain, account: file.clientEmail });
  });
  const check = await checkDelegation(ctx, tenantId, voucher, offered, byOperator);
  if (!check) throw new Error('The delegation vanished between two statements.');
  return check;
}

/**
 * Proves that the tenant may send as the people of the voucher's domain: Google gives us a token for the voucher's own
 * account, here and now. Then everything that waits for it works again; refused, it does not.
 *
 * @param byOperator whether the operator looks, in the voucher's place
 * @returns undefined when there is no delegation for that domain
 * @throws {GoogleError} when Google could not be asked; {@link KeyRingError} when the key does not open
 */
export async function checkDelegation(
  ctx: DelegateContext,
  tenantId: string,
  voucher: Voucher,
  offered: readonly Capability[],
  byOperator = false,
): Promise<DelegationCheck | undefined> {
  const domain = domainOf(voucher.email);
  const delegation = await inTenant(ctx.db, tenantId, (trx) => openDelegation(trx, ctx.keys, tenantId, domain));
  if (!delegation) return undefined;
  const trouble = await tryAs(ctx, delegation, voucher);
  if (trouble) {
    const ends = trouble === 'not_authorized' || trouble === 'key_refused';
    await inTenant(ctx.db, tenantId, (trx) => noteRefusal(trx, tenantId, delegation.id, trouble, ctx.clock()));
    return { kind: 'refused', domain, trouble, kept: true, active: delegation.state === 'active' && !ends };
  }
  const further = offered.filter((capability) => capability !== 'send');
  const answers = await Promise.all(further.map((capability) => isAllowed(ctx, delegation, voucher, capability)));
  const allowed = further.filter((_capability, index) => answers[index]);
  const granted = [...delegationScopes, ...allowed.flatMap(furtherScopes)];
  const mailboxIds = await inTenant(ctx.db, tenantId, (trx) =>
    activate(trx, tenantId, delegation, granted, { memberId: byOperator ? null : voucher.memberId, at: ctx.clock() }),
  );
  const missing = further.filter((capability) => !allowed.includes(capability));
  return { kind: 'active', domain, mailboxIds, missing };
}

/**
 * Takes a delegation away: its key is forgotten, and its mailboxes are disconnected.
 *
 * @returns the domain and the mailboxes, or undefined when it is not there
 */
export async function removeDelegation(
  db: Database,
  tenantId: string,
  delegationId: string,
  by: By,
): Promise<{ domain: string; mailboxIds: string[] } | undefined> {
  const removed = await db
    .deleteFrom('delegations')
    .where('tenant_id', '=', tenantId)
    .where('id', '=', delegationId)
    .returning('domain')
    .executeTakeFirst();
  if (!removed) return undefined;
  await noteChange(db, tenantId, by, { kind: 'delegation_removed', domain: removed.domain });
  return { domain: removed.domain, mailboxIds: await dropDelegated(db, tenantId, removed.domain, by.at) };
}

/** The scopes to paste into the Admin console, for these capabilities. */
export function scopesToAuthorise(offered: readonly Capability[]): string[] {
  return [...delegationScopes, ...offered.filter((each) => each !== 'send').flatMap(furtherScopes)];
}

/** What a capability takes beyond {@link delegationScopes}. */
function furtherScopes(capability: Capability): string[] {
  const known: readonly string[] = [...delegationScopes, scopes.openid, 'email'];
  return scopesFor([capability]).filter((scope) => !known.includes(scope));
}

function findActive(trx: Database, tenantId: string, domain: string) {
  return trx
    .selectFrom('delegations')
    .select('scopes')
    .where('tenant_id', '=', tenantId)
    .where('domain', '=', domain)
    .where('state', '=', 'active')
    .execute();
}

async function tryAs(
  { google, clock }: DelegateContext,
  account: ServiceAccount,
  voucher: Voucher,
): Promise<Trouble | null> {
  try {
    const { accessToken } = await delegatedAccessToken(google, account, voucher.email, delegationScopes, clock());
    if ((await personBehind(google, accessToken)).sub !== voucher.googleSub) return 'other_person';
    return troubleAtGmail(await probeSending(google, accessToken));
  } catch (error) {
    const trouble = error instanceof GoogleError ? delegationTrouble(error.failure) : null;
    if (trouble) return trouble;
    throw error;
  }
}

/** Whatever else Gmail says is about the voucher (who may have no Gmail) or about this moment. */
function troubleAtGmail(failure: GoogleFailure | null): Trouble | null {
  if (failure?.kind !== 'answered' || failure.status !== 403) return null;
  if (failure.reason === 'accessNotConfigured' || failure.reason === 'SERVICE_DISABLED') return 'api_disabled';
  return failure.reason === 'domainPolicy' ? 'apps_blocked' : null;
}

async function isAllowed(
  { google, clock }: DelegateContext,
  delegation: OpenDelegation,
  voucher: Voucher,
  capability: Capability,
): Promise<boolean> {
  try {
    const asked = [...delegationScopes, ...furtherScopes(capability)];
    await delegatedAccessToken(google, delegation, voucher.email, asked, clock());
    return true;
  } catch (error) {
    // What cannot be found out now is not used, and found at the next look.
    if (error instanceof GoogleError) return false;
    throw error;
  }
}

/** An active one ends only by what says that the service account is refused, and not by what concerns one person. */
async function noteRefusal(
  trx: Database,
  tenantId: string,
  delegationId: string,
  trouble: Trouble,
  at: Date,
): Promise<void> {
  if (trouble === 'not_authorized' || trouble === 'key_refused')
    await endDelegation(trx, tenantId, delegationId, trouble, at);
  await trx
    .updateTable('delegations')
    .set({ state_reason: trouble })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', delegationId)
    .where('state', '=', 'waiting')
    .execute();
}

async function activate(
  trx: Database,
  tenantId: string,
  delegation: OpenDelegation,
  granted: readonly string[],
  by: By,
): Promise<string[]> {
  const activated = await trx
    .updateTable('delegations')
    .set({ state: 'active', state_reason: null, state_at: by.at, scopes: [...granted] })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', delegation.id)
    // Another service account may have taken its place while Google answered, and that one was not tried.
    .where('client_email', '=', delegation.clientEmail)
    .returning(['domain', 'issuer', 'client_id', 'scopes'])
    .executeTakeFirst();
  if (!activated) return [];
  const may = capabilitiesOf(granted, capabilities);
  const before = delegation.state === 'active' ? capabilitiesOf(delegation.scopes, capabilities) : [];
  if (may.join() !== before.join())
    await noteChange(trx, tenantId, by, { kind: 'delegation_allowed', domain: activated.domain, may });
  return reviveDelegated(trx, tenantId, activated.domain, activated, by.at);
}
