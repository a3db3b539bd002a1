import type { Request } from 'express';
import type { Account } from '../accounts.ts';
import { Refusal } from '../answers.ts';
import { bearerToken } from '../oauth/bearer.ts';
import type { World } from '../world.ts';
import { forbidden, forbiddenFor, insufficientScope, invalidCredentials, loginRequired } from './errors.ts';

/** A Gmail method and the scopes of which its caller needs any one (the Gmail discovery document). */
export interface Method {
  name: string;
  rpc: string;
  scopes: readonly string[];
}

/** Who calls, by what app, with which scopes. */
export interface Caller {
  account: Account;
  clientId: string;
  scopes: ReadonlySet<string>;
}

/**
 * The caller of a Gmail method. Throws Refusal: 401 without a living token, 403 without a scope that fits, 403
 * `Delegation denied` when the path names another mailbox.
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
  return { account, clientId: access.clientId, scopes };
}

const GMAIL = 'https://www.googleapis.com/auth/gmail.';
const FULL = 'https://mail.google.com/';
const SERVICE = 'caribou.api.proto.MailboxService.';

export const METADATA_SCOPE = `${GMAIL}metadata`;

/** Every method that this Local Google models. */
export const METHODS = {
  getProfile: {
    name: 'getProfile',
    rpc: `${SERVICE}GetProfile`,
    scopes: [FULL, `${GMAIL}compose`, METADATA_SCOPE, `${GMAIL}modify`, `${GMAIL}readonly`],
  },
  send: {
    name: 'messages.send',
    rpc: `${SERVICE}SendMessage`,
    scopes: [FULL, `${GMAIL}compose`, `${GMAIL}modify`, `${GMAIL}send`],
  },
  list: {
    name: 'messages.list',
    rpc: `${SERVICE}ListMessages`,
    scopes: [FULL, METADATA_SCOPE, `${GMAIL}modify`, `${GMAIL}readonly`],
  },
  get: {
    name: 'messages.get',
    rpc: `${SERVICE}GetMessage`,
    scopes: [FULL, METADATA_SCOPE, `${GMAIL}modify`, `${GMAIL}readonly`],
  },
  attachment: {
    name: 'messages.attachments.get',
    rpc: `${SERVICE}GetAttachment`,
    scopes: [FULL, `${GMAIL}modify`, `${GMAIL}readonly`],
  },
  listSendAs: {
    name: 'sendAs.list',
    rpc: `${SERVICE}ListSendAs`,
    scopes: [FULL, `${GMAIL}modify`, `${GMAIL}readonly`, `${GMAIL}settings.basic`],
  },
  getSendAs: {
    name: 'sendAs.get',
    rpc: `${SERVICE}GetSendAs`,
    scopes: [FULL, `${GMAIL}modify`, `${GMAIL}readonly`, `${GMAIL}settings.basic`],
  },
} as const satisfies Record<string, Method>;
