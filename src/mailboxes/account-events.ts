import type { GoogleApp } from '../google/app.ts';
import type { TokenName } from '../google/security-events.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { inTenant } from '../tenants/scope.ts';
import type { GrantPlace } from '../tenants/system.ts';
import { findGrantsByDigest, findMailboxesOf } from '../tenants/system-events.ts';
import { dropAccessToken, dropGrant } from './grant-vault.ts';
import { endMailbox, explainEnding } from './health.ts';
import { lockMailbox } from './lock.ts';
import { prefixDigest } from './token-digest.ts';
import type { EndedReason } from './why-ended.ts';

/** What it takes to carry into the tenants what befell a Google account. */
export interface AccountEventContext {
  readonly db: Database;
  readonly system: Database;
  readonly google: GoogleApp;
  readonly clock: Clock;
}

/** What an event changed. */
export interface ChangedGrants {
  /** How many mailboxes need reconnecting that did not before. */
  readonly grantsEnded: number;
  /** Mailboxes without an access token now: whoever uses them next, or looks, asks Google. */
  readonly toCheck: readonly GrantPlace[];
}

/** What Google tells us of an account. */
export type ToldReason = Extract<EndedReason, 'removed' | 'password_changed' | 'account_disabled' | 'was_disabled'>;

/** Two clocks may differ by this much: what lies closer together has no sure order, and Google is asked. */
const unsureMs = 5 * 60_000;

/**
 * Ends the grants that a Google account gave before a moment, of every tenant. One that was given after it, because
 * somebody has connected again meanwhile, is left alone. Delegated mailboxes end only with the account itself.
 *
 * @param at when it happened, by Google's clock
 */
export async function endAccountGrants(
  ctx: AccountEventContext,
  sub: string,
  at: Date,
  reason: ToldReason,
): Promise<ChangedGrants> {
  const toCheck: GrantPlace[] = [];
  let grantsEnded = 0;
  for (const place of await findMailboxesOf(ctx.system, sub)) {
    const ended = await inTenant(ctx.db, place.tenantId, async (trx) => {
      const grant = await lockGrant(trx, ctx.google, place);
      if (!grant || (grant.kind === 'delegated' && reason !== 'account_disabled')) return null;
      const age = grant.kind === 'delegated' ? Number.POSITIVE_INFINITY : at.getTime() - grant.granted_at.getTime();
      if (age < -unsureMs) return null;
      await dropAccessToken(trx, place.tenantId, place.mailboxId);
      return age > unsureMs && (await end(trx, place, reason, ctx.clock()));
    });
    if (ended) grantsEnded += 1;
    // Also where it was ended: Google may say more (the account is deleted), or that it lives after all.
    if (ended !== null) toCheck.push(place);
  }
  return { grantsEnded, toCheck };
}

/**
 * Ends the grant of one refresh token. Its token is deleted, as Google asks of whoever is told so. A prefix names it
 * less surely, so then Google is asked; and so it is of the other grants of the same account, which often end together.
 *
 * @param sub the account, where the event names it
 */
export async function endNamedToken(
  ctx: AccountEventContext,
  token: TokenName | null,
  sub: string | null,
): Promise<ChangedGrants> {
  const found = token ? await findNamed(ctx.system, token) : [];
  const ended = new Set<string>();
  let grantsEnded = 0;
  for (const place of token?.by === 'digest' ? found : []) {
    const moved = await inTenant(ctx.db, place.tenantId, async (trx) => {
      const grant = await lockGrant(trx, ctx.google, place);
      // Somebody may have connected again between finding it and here.
      if (!token || !grant?.refresh_token_digest?.equals(token.value)) return undefined;
      await dropGrant(trx, place.tenantId, place.mailboxId);
      return end(trx, place, 'removed', ctx.clock());
    });
    if (moved === undefined) continue;
    ended.add(place.mailboxId);
    if (moved) grantsEnded += 1;
  }
  const subs = new Set([...found.map((each) => each.sub), ...(sub === null ? [] : [sub])]);
  const toCheck: GrantPlace[] = [];
  for (const each of subs) {
    for (const place of await findMailboxesOf(ctx.system, each)) {
      if (!ended.has(place.mailboxId) && (await forgetAccess(ctx, place, 'oauth'))) toCheck.push(place);
    }
  }
  return { grantsEnded, toCheck };
}

/** Says better why an account's mailboxes cannot send, where they cannot. */
export async function correctReasons(ctx: AccountEventContext, sub: string, reason: ToldReason): Promise<void> {
  for (const place of await findMailboxesOf(ctx.system, sub)) await correctReason(ctx, place, reason);
}

/** The same of one mailbox. */
export async function correctReason(ctx: AccountEventContext, place: GrantPlace, reason: ToldReason): Promise<void> {
  await inTenant(ctx.db, place.tenantId, async (trx) => {
    if (await lockGrant(trx, ctx.google, place))
      await explainEnding(trx, place.tenantId, place.mailboxId, heard(reason, 'later', ctx.clock()));
  });
}

/** Makes sure that Google is asked about an account's mailboxes. Returns those that there is something to ask for. */
export async function lookAgain(ctx: AccountEventContext, sub: string): Promise<GrantPlace[]> {
  const toCheck: GrantPlace[] = [];
  for (const place of await findMailboxesOf(ctx.system, sub)) {
    if (await forgetAccess(ctx, place)) toCheck.push(place);
  }
  return toCheck;
}

function findNamed(system: Database, { by, value }: TokenName) {
  return by === 'digest'
    ? findGrantsByDigest(system, 'token', value)
    : findGrantsByDigest(system, 'prefix', prefixDigest(value.toString()));
}

/** @returns false where there is no grant of this Google's, or none of that kind */
function forgetAccess(ctx: AccountEventContext, place: GrantPlace, kind?: 'oauth'): Promise<boolean> {
  return inTenant(ctx.db, place.tenantId, async (trx) => {
    const grant = await lockGrant(trx, ctx.google, place);
    if (!grant || (kind && grant.kind !== kind)) return false;
    await dropAccessToken(trx, place.tenantId, place.mailboxId);
    return true;
  });
}

/** The grant of a mailbox, if it is of the Google whose event this is; both are locked until the transaction ends. */
async function lockGrant(trx: Database, google: GoogleApp, { tenantId, mailboxId }: GrantPlace) {
  await lockMailbox(trx, tenantId, mailboxId);
  return trx
    .selectFrom('grants')
    .select(['kind', 'granted_at', 'refresh_token_digest'])
    .where('tenant_id', '=', tenantId)
    .where('mailbox_id', '=', mailboxId)
    .where('issuer', '=', google.endpoints.issuer)
    .forUpdate()
    .executeTakeFirst();
}

/** @returns whether it needs reconnecting by this call */
async function end(trx: Database, place: GrantPlace, reason: ToldReason, now: Date): Promise<boolean> {
  return endMailbox(trx, place.tenantId, place.mailboxId, heard(reason, 'told', now));
}

/** Why access was removed Google does not say: what it says when asked for a token may explain it better. */
function heard(reason: ToldReason, from: 'told' | 'later', at: Date) {
  return { reason, sure: reason !== 'removed', from, at } as const;
}
