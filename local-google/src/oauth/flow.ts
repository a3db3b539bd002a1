import { randomUUID } from 'node:crypto';
import type { Account } from '../accounts.ts';
import type { World } from '../world.ts';
import { accessProblem } from './access-problems.ts';
import { type AuthorizeRequest, callbackUrl } from './authorize-request.ts';
import { isSignInScope, needsVerification } from './scopes.ts';

const FLOW_LIFETIME_MS = 60 * 60 * 1000;

/** One person on the way through the pages of one authorization; several tabs are several flows. */
export interface Flow {
  id: string;
  request: AuthorizeRequest;
  account: Account | null;
  /** The unverified-app page was read and passed. */
  warned: boolean;
  expiresAt: number;
}

/** The page a flow stands at; `finish` needs no page any more. */
export type Stage = 'account' | 'blocked' | 'warning' | 'consent' | 'finish';

/** Flows under way, by an id that cannot be guessed. They end with the process, as half-done sign-ins may. */
export class Flows {
  #flows = new Map<string, Flow>();

  begin(request: AuthorizeRequest, account: Account | null, now: number): Flow {
    for (const [id, { expiresAt }] of this.#flows) if (expiresAt <= now) this.#flows.delete(id);
    const flow: Flow = { id: randomUUID(), request, account, warned: false, expiresAt: now + FLOW_LIFETIME_MS };
    this.#flows.set(flow.id, flow);
    return flow;
  }

  find(id: string, now: number): Flow | undefined {
    const flow = this.#flows.get(id);
    return flow && flow.expiresAt > now ? flow : undefined;
  }

  end(flow: Flow): void {
    this.#flows.delete(flow.id);
  }
}

/**
 * The account that a flow may start with, so that the chooser is skipped: the one the hint names when it is signed in,
 * or the only one signed in when there is nothing left to ask it, or nothing may be asked.
 */
export function presetAccount(world: World, request: AuthorizeRequest, signedIn: readonly Account[]): Account | null {
  if (request.prompt.has('select_account')) return null;
  if (request.loginHint !== null) {
    const hinted = hintedAccount(world, request);
    return hinted && signedIn.includes(hinted) ? hinted : null;
  }
  const [only] = signedIn;
  if (!only || signedIn.length > 1) return null;
  return request.prompt.has('none') || !needsConsent(world, request, only) ? only : null;
}

/** The account that login_hint means, by address or subject. */
export function hintedAccount(world: World, request: AuthorizeRequest): Account | undefined {
  const { loginHint } = request;
  return loginHint === null ? undefined : (world.accounts.byEmail(loginHint) ?? world.accounts.bySub(loginHint));
}

/** A consent page is shown when the app insists, or asks for something this user has not given it yet. */
export function needsConsent(world: World, request: AuthorizeRequest, account: Account): boolean {
  return request.prompt.has('consent') || missingScopes(world, request, account).length > 0;
}

/** Where the flow stands now. */
export function stageOf(world: World, flow: Flow): Stage {
  const { request, account } = flow;
  if (!account) return 'account';
  if (accessProblem(world, request, account)) return 'blocked';
  if (!needsConsent(world, request, account)) return 'finish';
  if (world.policies.unverified && !flow.warned && request.scopes.some(needsVerification)) return 'warning';
  return 'consent';
}

/**
 * The non-sign-in scopes that get a checkbox each: all of them when the app insisted on consent, otherwise only the
 * ones not given yet.
 */
export function askedScopes(world: World, request: AuthorizeRequest, account: Account): string[] {
  const asked = request.prompt.has('consent') ? request.scopes : missingScopes(world, request, account);
  return asked.filter((scope) => !isSignInScope(scope));
}

/**
 * Whether the consent page has a box per scope. Not when the domain's administrator trusts the app, and not (which is
 * left open by docs/google.md) for a single scope beside the sign-in.
 */
export function hasBoxes(world: World, request: AuthorizeRequest, account: Account): boolean {
  if (world.policies.domain(account.hd).trustedClients.includes(request.client.id)) return false;
  return askedScopes(world, request, account).length > 1 || world.policies.unconfirmed.boxForOneScope;
}

/** A yes to `ticked`: the address that brings the code to the app, or the refusal when nothing was left. */
export function allow(
  world: World,
  request: AuthorizeRequest,
  account: Account,
  ticked: readonly string[],
  consented: boolean,
): string {
  const { client } = request;
  const before = new Set(world.grants.granted(account.sub, client.project));
  const asked = askedScopes(world, request, account);
  const scopes = request.scopes.filter(
    (scope) => isSignInScope(scope) || (asked.includes(scope) ? ticked.includes(scope) : before.has(scope)),
  );
  if (scopes.length === 0) return deny(request);
  world.grants.allow(account.sub, client.project, scopes);
  const all = request.includeGranted ? [...new Set([...scopes, ...before])] : scopes;
  const code = world.codes.issue({
    sub: account.sub,
    clientId: client.id,
    redirectUri: request.redirectUri,
    scopes: all,
    nonce: request.nonce,
    challenge: request.challenge,
    offline: request.offline,
    refreshToken: request.offline && consented && bringsRefreshToken(world, request, before),
  });
  return callbackUrl(request, {
    code,
    scope: all.join(' '),
    authuser: '0',
    ...(account.hd === null ? {} : { hd: account.hd }),
    prompt: consented ? 'consent' : 'none',
  });
}

/** The address that tells the app that the user said no. */
export function deny(request: AuthorizeRequest): string {
  return callbackUrl(request, { error: 'access_denied' });
}

/** Consent given for the first time brings one for sure; given again, by two switches. */
function bringsRefreshToken(world: World, request: AuthorizeRequest, before: ReadonlySet<string>): boolean {
  if (before.size === 0) return true;
  const { insistedRefreshToken, incrementalRefreshToken } = world.policies.unconfirmed;
  return request.prompt.has('consent') ? insistedRefreshToken : incrementalRefreshToken;
}

function missingScopes(world: World, request: AuthorizeRequest, account: Account): string[] {
  const granted = world.grants.granted(account.sub, request.client.project);
  return request.scopes.filter((scope) => !granted.includes(scope));
}
