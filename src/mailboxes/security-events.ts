import type { SecurityEvent } from '../google/security-events.ts';
import { endSessions } from '../tenants/sessions.ts';
import type { GrantPlace } from '../tenants/system.ts';
import { type EventOutcome, finishEvent, hasEventNear, noteEvent } from '../tenants/system-events.ts';
import {
  type AccountEventContext,
  type ChangedGrants,
  correctReason,
  correctReasons,
  endAccountGrants,
  endNamedToken,
  lookAgain,
  type ToldReason,
} from './account-events.ts';

/** What came of an event. */
export interface HandledEvent extends EventOutcome, Pick<ChangedGrants, 'toCheck'> {}

type Done = Omit<HandledEvent, 'grantsChecked'>;

/** So far apart Google may tell of two sides of one thing. */
const togetherMs = 5 * 60_000;

/** Sessions that begin so soon after an event may still be of before it: clocks differ. */
const graceMs = 60_000;

/**
 * Acts on an event, once: Google sends it again while it is not sure that it arrived. Every change is a guarded update
 * inside its tenant, so an event that is dealt with twice, because we broke off in the middle, does no harm either.
 *
 * - `tokens-revoked`: the account's grants are over, and the person's sessions too: they sign in with the same app.
 * - `token-revoked`: so is the grant of that token, and perhaps the others of its account (docs/google.md, 0.5).
 * - `account-disabled`: so are all of the account's mailboxes and the person's sessions, whatever the reason.
 * - `account-enabled`: what needs reconnecting is looked at again, and is no longer called disabled.
 * - `sessions-revoked`: the person's sessions are over.
 * - `account-credential-change-required`, `verification` and unknown ones are noted for the operator.
 *
 * @returns null where it was dealt with before
 */
export async function handleSecurityEvent(
  ctx: AccountEventContext,
  event: SecurityEvent,
): Promise<HandledEvent | null> {
  const kept = { ...event, type: event.type ?? event.uri };
  if (!(await noteEvent(ctx.system, kept, ctx.clock()))) return null;
  const done = await act(ctx, event);
  const outcome = { ...done, grantsChecked: done.toCheck.length };
  await finishEvent(ctx.system, kept, outcome, ctx.clock());
  return outcome;
}

async function act(ctx: AccountEventContext, event: SecurityEvent): Promise<Done> {
  const { type, sub, at, token } = event;
  if (type === 'token-revoked') return { ...(await endNamedToken(ctx, token, sub)), sessionsEnded: 0 };
  const nothing: Done = { grantsEnded: 0, toCheck: [], sessionsEnded: 0 };
  if (sub === null) return nothing;
  const isNear = (other: string) => hasEventNear(ctx.system, { sub, type: other, at }, togetherMs);
  const signOut = () => signOutBefore(ctx, sub, at);
  switch (type) {
    case 'tokens-revoked': {
      const changed = await endAccountGrants(ctx, sub, at, 'removed');
      // A new password ends grants and sessions, and Google tells of both, in either order and at the same time.
      if (await isNear('sessions-revoked')) await correctReasons(ctx, sub, 'password_changed');
      return { ...changed, sessionsEnded: await signOut() };
    }
    case 'account-disabled':
      return { ...(await endAccountGrants(ctx, sub, at, 'account_disabled')), sessionsEnded: await signOut() };
    case 'sessions-revoked':
      if (await isNear('tokens-revoked')) await correctReasons(ctx, sub, 'password_changed');
      return { ...nothing, sessionsEnded: await signOut() };
    case 'account-enabled':
      // What of them works after all is found out now; the others are not disabled any more.
      await correctReasons(ctx, sub, 'was_disabled');
      return { ...nothing, toCheck: await lookAgain(ctx, sub) };
    case 'account-credential-change-required':
    case 'verification':
    case null:
      return nothing;
    default:
      return type satisfies never;
  }
}

/**
 * Says why a mailbox cannot send that an event had looked at, because it was not sure whether it was about this connection:
 * Google's answer to the look says only that it is over.
 */
export async function explainLook(ctx: AccountEventContext, event: SecurityEvent, place: GrantPlace): Promise<void> {
  const { type, sub, at } = event;
  if (sub === null) return;
  const tell = (reason: ToldReason) => correctReason(ctx, place, reason);
  if (type === 'account-disabled') return tell('account_disabled');
  if (type !== 'tokens-revoked') return;
  await tell('removed');
  if (await hasEventNear(ctx.system, { sub, type: 'sessions-revoked', at }, togetherMs)) await tell('password_changed');
}

/** Whoever signs in from now on does so after the event. */
function signOutBefore(ctx: AccountEventContext, sub: string, at: Date): Promise<number> {
  const before = new Date(Math.min(at.getTime() + graceMs, ctx.clock().getTime()));
  return endSessions(ctx, { issuer: ctx.google.endpoints.issuer, sub }, before);
}
