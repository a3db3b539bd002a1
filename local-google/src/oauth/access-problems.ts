import type { Account } from '../accounts.ts';
import type { World } from '../world.ts';
import type { AuthorizeProblem, AuthorizeRequest } from './authorize-request.ts';
import { isGmailScope, needsVerification } from './scopes.ts';

/**
 * Why this person may not let this app in, whatever they answer; null when they may. All of it is told on Google's own
 * page and never reaches the app (docs/google.md, A). The order: account, app, administrator, verification.
 */
export function accessProblem(world: World, request: AuthorizeRequest, account: Account): AuthorizeProblem | null {
  const { client, scopes } = request;
  const app = world.policies.app(client.project);
  if (account.state === 'disabled') {
    return { code: 'account_disabled', number: 403, detail: `The account ${account.email} has been disabled.` };
  }
  if (app.internalTo !== null && account.hd !== app.internalTo) {
    const detail = `${client.name} is only for people of ${app.internalTo}, and ${account.email} does not belong to it.`;
    return { code: 'org_internal', number: 403, detail };
  }
  if (app.publishing === 'testing' && !app.testUsers.includes(account.email)) {
    const detail = `${client.name} is in Testing, and its developer has not put ${account.email} on the list of test users.`;
    return { code: 'access_denied', number: 403, detail };
  }
  if (world.policies.domain(account.hd).mailApps === 'blocked' && scopes.some(isGmailScope)) {
    const detail = `The administrator of ${account.hd} does not let apps into the mail of its people. Ask them to allow ${client.name}.`;
    return { code: 'admin_policy_enforced', number: 400, detail };
  }
  const full = !world.policies.hasRoomFor(client.project, account.sub);
  if (world.policies.unverified && app.publishing === 'production' && scopes.some(needsVerification) && full) {
    const detail = `${client.name} has not been verified, and has reached the number of people who may use it without.`;
    return { code: 'user_cap_reached', number: 403, detail };
  }
  return null;
}

/** An embedded browser, in which an app could read what people type: WebViews of Android and iOS. */
export function isEmbeddedBrowser(userAgent: string): boolean {
  return /; wv\)/.test(userAgent) || (/\b(?:iPhone|iPad|iPod)\b/.test(userAgent) && !/Safari\//.test(userAgent));
}
