import { type GoogleApp, scopes } from '../google/app.ts';
import { GoogleError } from '../google/errors.ts';
import type { AccessToken } from '../google/gmail.ts';
import { readProfile, readTokenInfo, readTokenOwner, tryRedirect } from '../google/identity.ts';
import { probeSending } from '../google/probe.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { KeyRingError } from '../platform/key-ring.ts';
import { inTenant } from '../tenants/scope.ts';
import { type AccessTokens, MailboxUnusableError } from './access-token.ts';
import { capabilitiesOf } from './capabilities.ts';
import type { Asked, CheckUpFacts, TokenFacts, WayBackFacts } from './check-up-facts.ts';
import { readSendAs } from './mailboxes.ts';
import { refreshSendAs } from './send-as.ts';

/** What asking Google needs. */
export interface QuestionContext {
  readonly db: Database;
  readonly google: GoogleApp;
  readonly tokens: AccessTokens;
  readonly clock: Clock;
}

/** Nothing at Google is waited for longer than this, in milliseconds: a page waits for it. */
const patienceMs = 12_000;
/** With any of these Gmail's profile may be read (the discovery document, `users.getProfile`). */
const profileScopes = [scopes.gmailCompose, scopes.gmailMetadata, scopes.gmailReadonly, scopes.gmailModify];

/**
 * Tries the addresses at which Google sends people back.
 *
 * @param openedAt the origin at which somebody opened the page; null for the operator's command, which tries whether
 *   our address answers instead
 */
export async function tryWayBack(
  google: GoogleApp,
  publicUrl: string,
  callbackPaths: readonly string[],
  openedAt: string | null,
): Promise<WayBackFacts> {
  const app = impatient(google);
  const [answers, ...callbacks] = await Promise.all([
    openedAt === null ? answersHealth(publicUrl) : null,
    ...callbackPaths.map(async (path) => {
      const address = `${publicUrl}${path}`;
      const asked = await settled(() => tryRedirect(app, address));
      return { address, verdict: asked.kind === 'answered' ? asked.value : ('not_asked' as const) };
    }),
  ]);
  return { publicUrl, openedAt, answers, callbacks };
}

async function answersHealth(publicUrl: string): Promise<boolean> {
  try {
    const response = await fetch(`${publicUrl}/healthz`, { redirect: 'manual', signal: AbortSignal.timeout(5_000) });
    return response.ok && (await response.text()).startsWith('ok');
  } catch {
    return false;
  }
}

/** Renews the token now, and says in facts what came of it. */
export async function renewNow({ tokens }: QuestionContext, tenantId: string, mailboxId: string) {
  try {
    const token = await inTime(tokens.renewed(tenantId, mailboxId));
    return { token, facts: { kind: 'renewed' } satisfies TokenFacts };
  } catch (error) {
    return { token: null, facts: readRefusal(error) };
  }
}

function readRefusal(error: unknown): TokenFacts {
  if (error instanceof MailboxUnusableError && error.code === 'disconnected') return { kind: 'disconnected' };
  if (error instanceof MailboxUnusableError) return { kind: 'ended', ended: { reason: 'revoked', sure: false } };
  if (error instanceof KeyRingError) return { kind: 'sealed' };
  if (error instanceof GoogleError) return { kind: 'failed', failure: error.failure };
  throw error;
}

/** A refresh shared with others may be repeated for minutes; it goes on, and is not waited for. */
async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const message = `Google did not answer within ${patienceMs / 1_000} seconds.`;
      reject(new GoogleError({ kind: 'lost', code: 'TIMEOUT', message }));
    }, patienceMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function impatient(google: GoogleApp): GoogleApp {
  return { ...google, timeoutMs: Math.min(google.timeoutMs, patienceMs) };
}

/** Runs one question; what Google did is data. */
async function settled<T>(ask: () => Promise<T>): Promise<Asked<T>> {
  try {
    return { kind: 'answered', value: await ask() };
  } catch (error) {
    if (error instanceof GoogleError) return { kind: 'failed', failure: error.failure };
    if (error instanceof MailboxUnusableError) return { kind: 'not_asked', why: 'no_token' };
    throw error;
  }
}

/** What Google told. */
export type Told = Pick<CheckUpFacts, 'owner' | 'granted' | 'sending' | 'reading' | 'addresses' | 'skewMs'>;

/** Asks Google everything that a check-up needs and the permissions allow, at once. */
export async function askGoogle(
  ctx: QuestionContext,
  tenantId: string,
  mailboxId: string,
  token: AccessToken | null,
  {
    scopes: noted,
    wanted,
    standsStill,
  }: { scopes: readonly string[]; wanted: readonly string[]; standsStill: boolean },
): Promise<Told> {
  const google = impatient(ctx.google);
  if (!token) {
    const none = { kind: 'not_asked', why: 'no_token' } as const;
    return { owner: none, granted: none, sending: none, reading: none, addresses: none, skewMs: null };
  }
  const skews: number[] = [];
  const timed = async <T extends { readonly at: Date | null }>(ask: () => Promise<T>): Promise<T> => {
    const begun = ctx.clock().getTime();
    const answer = await ask();
    // Half of the way there and back; Google's time is cut to the second.
    if (answer.at) skews.push((begun + ctx.clock().getTime()) / 2 - (answer.at.getTime() + 500));
    return answer;
  };
  const notAllowed = { kind: 'not_asked', why: 'no_permission' } as const;
  const waiting = { kind: 'not_asked', why: 'standing_still' } as const;
  const mayList = capabilitiesOf(noted, wanted).includes('aliases');
  const maySend = capabilitiesOf(noted, ['send']).includes('send');
  const [info, owner, profile, sending, addresses] = await Promise.all([
    settled(() => timed(() => readTokenInfo(google, token))),
    settled(() => timed(() => readTokenOwner(google, token))),
    profileScopes.some((scope) => noted.includes(scope))
      ? settled(() => timed(() => readProfile(google, token)))
      : notAllowed,
    standsStill ? waiting : maySend ? settled(() => wouldSend(google, token)) : notAllowed,
    mayList ? settled(() => fetchAddresses({ ...ctx, google }, tenantId, mailboxId)) : notAllowed,
  ]);
  const sub = info.kind === 'answered' ? info.value.sub : null;
  return {
    owner: owner.kind !== 'answered' && sub !== null ? { kind: 'answered', value: { sub, email: null } } : owner,
    granted: info.kind === 'answered' ? { kind: 'answered', value: info.value.scopes } : info,
    sending,
    reading: [profile, addresses].map(withoutValue).find(({ kind }) => kind === 'answered') ?? withoutValue(profile),
    addresses,
    skewMs: skews.toSorted((a, b) => Math.abs(a) - Math.abs(b))[0] ?? null,
  };
}

async function wouldSend(google: GoogleApp, { token }: AccessToken): Promise<null> {
  const failure = await probeSending(google, token);
  if (failure) throw new GoogleError(failure);
  return null;
}

async function fetchAddresses(ctx: QuestionContext, tenantId: string, mailboxId: string) {
  await refreshSendAs(ctx, tenantId, mailboxId);
  return inTenant(ctx.db, tenantId, async (trx) => {
    const rows = await trx
      .selectFrom('send_as_addresses')
      .select(['email', 'display_name', 'is_primary', 'verification_status'])
      .where('tenant_id', '=', tenantId)
      .where('mailbox_id', '=', mailboxId)
      .orderBy('is_primary', 'desc')
      .orderBy('email')
      .limit(100)
      .execute();
    return rows.map(readSendAs);
  });
}

function withoutValue(asked: Asked<unknown>): Asked<null> {
  return asked.kind === 'answered' ? { kind: 'answered', value: null } : asked;
}
