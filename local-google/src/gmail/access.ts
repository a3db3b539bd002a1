import type { Request } from 'express';
import type { Account } from '../accounts.ts';
import { Refusal } from '../answers.ts';
import { bearerToken } from '../oauth/bearer.ts';
import type { World } from '../world.ts';
import {
  forbidden,
  forbiddenFor,
  insufficientScope,
  invalidCredentials,
  loginRequired,
  mailNotEnabled,
  tooMany,
} from './errors.ts';
import { METADATA_SCOPE, type Method } from './methods.ts';

/** Who calls, by what app, with which scopes. */
export interface Caller {
  account: Account;
  clientId: string;
  project: string;
  scopes: ReadonlySet<string>;
}

/** Requests that came while their user had too many others running. */
const crowded = new WeakSet<Request>();

/** Lets {@link authorize} refuse this request as one too many at the same time. */
export function markCrowded(req: Request): void {
  crowded.add(req);
}

/**
 * The caller of a Gmail method, its quota units spent. Throws Refusal: 401 without a living token, 403 without a scope
 * that fits, 403 `Delegation denied` when the path names another mailbox, and what quotas refuse.
 */
export function authorize(world: World, req: Request, method: Method): Caller {
  const token = bearerToken(req);
  if (token === '') throw new Refusal(loginRequired());
  const access = world.grants.accessToken(token);
  const account = access && world.accounts.bySub(access.sub);
  if (!access || !account) throw new Refusal(invalidCredentials());
  const scopes = new Set(access.scopes);
  if (!world.policies.app(access.project).apiEnabled)
    throw new Refusal(forbiddenFor('accessNotConfigured', method.rpc));
  if (world.policies.domain(account.hd).mailApps === 'blocked')
    throw new Refusal(forbiddenFor('domainPolicy', method.rpc));
  if (!method.scopes.some((scope) => scopes.has(scope))) throw new Refusal(insufficientScope(method.rpc));
  const userId = String(req.params['user']).toLowerCase();
  if (userId !== 'me' && userId !== account.email) {
    throw new Refusal(forbidden('forbidden', `Delegation denied for ${account.email}`));
  }
  if (crowded.has(req)) throw new Refusal(tooMany({ kind: 'tooMany', limit: 'concurrent' }, world.now()));
  world.quotas.spend(account.email, access.project, method.units);
  return { account, clientId: access.clientId, project: access.project, scopes };
}

/** Like {@link authorize}, for methods that need the mailbox itself: without one, 400 failedPrecondition. */
export function authorizeMail(world: World, req: Request, method: Method): Caller {
  const caller = authorize(world, req, method);
  if (!caller.account.mailEnabled) throw new Refusal(mailNotEnabled());
  return caller;
}

/** Throws Refusal when a token that holds gmail.metadata asks to search. */
export function refuseSearch({ scopes }: Caller, q: string): void {
  if (q !== '' && scopes.has(METADATA_SCOPE)) {
    throw new Refusal(forbidden('forbidden', "Metadata scope does not support 'q' parameter"));
  }
}

/** Throws Refusal when a token that holds gmail.metadata asks for more than headers. */
export function refuseText({ scopes }: Caller, format: string): void {
  if (scopes.has(METADATA_SCOPE) && (format === 'full' || format === 'raw')) {
    throw new Refusal(forbidden('forbidden', `Metadata scope doesn't allow format ${format.toUpperCase()}`));
  }
}
