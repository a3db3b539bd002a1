import { z } from 'zod';
import type { Account } from './accounts.ts';
import { isGmailScope } from './oauth/scopes.ts';
import type { SecurityEventType } from './oauth/security-events.ts';
import type { World } from './world.ts';

/** A new password: every grant with a Gmail scope dies with the old one (docs/google.md, A), and apps hear of it. */
export function changePassword(world: World, account: Account): void {
  account.passwordChangedAt = world.now();
  const dead = world.grants.kill((token) => token.sub === account.sub && token.scopes.some(isGmailScope));
  world.grants.forgetGmailScopes(account.sub);
  tellAll(world, account, 'sessions-revoked');
  for (const project of new Set(dead.map((token) => token.project))) {
    world.securityEvents.tell(project, account.sub, 'tokens-revoked');
  }
  world.save();
}

/** What the user does on the third-party access page: ends all that this project was given. */
export function removeAccess(world: World, account: Account, project: string): void {
  world.grants.remove(account.sub, project);
  world.securityEvents.tell(project, account.sub, 'tokens-revoked');
}

/** Ends the whole grant behind an access or refresh token, as /revoke does. false: no such living token. */
export function revokeToken(world: World, token: string): boolean {
  const found = world.grants.anyToken(token);
  if (!found) return false;
  for (const { hash } of world.grants.remove(found.sub, found.project)) {
    world.securityEvents.tell(found.project, found.sub, 'token-revoked', { tokenHash: hash });
  }
  return true;
}

/** Google (or an administrator) closes an account for now: its tokens die, and nobody signs in with it. */
export function disableAccount(world: World, account: Account, reason?: 'hijacking' | 'bulk-account'): void {
  account.state = 'disabled';
  tellAll(world, account, 'account-disabled', reason);
  world.grants.kill((token) => token.sub === account.sub);
  world.save();
}

/** A disabled account comes back; apps have to ask for consent again. */
export function enableAccount(world: World, account: Account): void {
  account.state = 'active';
  tellAll(world, account, 'account-enabled');
  world.save();
}

/** The account is gone for good: refreshing answers `The account has been deleted`. */
export function deleteAccount(world: World, account: Account): void {
  tellAll(world, account, 'tokens-revoked');
  world.grants.expireAccessTokens(account.sub);
  world.accounts.remove(account);
  world.save();
}

/** The Workspace domain wants its people to sign in again: refreshing answers `invalid_rapt` until there is new consent. */
export function requireReauth(world: World, account: Account): void {
  world.grants.killRefreshTokens(({ sub }) => sub === account.sub, 'reauth related error (invalid_rapt)');
}

/** Changes a domain's policy. Blocking mail apps kills the refresh tokens with Gmail scopes of its people (docs/google.md, A). */
export function setDomainPolicy(world: World, domain: string, change: unknown) {
  const policy = world.policies.setDomain(domain, change);
  if (policy.mailApps === 'blocked') {
    const people = new Set(world.accounts.all().flatMap(({ hd, sub }) => (hd === domain.toLowerCase() ? [sub] : [])));
    world.grants.killRefreshTokens(({ sub, scopes }) => people.has(sub) && scopes.some(isGmailScope));
    for (const sub of people) world.grants.forgetGmailScopes(sub);
  }
  return policy;
}

/** Tells every app that this account gave something to. */
export function tellAll(
  world: World,
  account: Account,
  type: SecurityEventType,
  reason?: 'hijacking' | 'bulk-account',
): void {
  for (const { project } of world.grants.ofAccount(account.sub)) {
    world.securityEvents.tell(project, account.sub, type, reason === undefined ? {} : { reason });
  }
}

/** What can befall an account, by the names of the control page and of the calls over HTTP. */
export const accountAction = z.enum([
  'change-password',
  'disable',
  'enable',
  'delete',
  'require-reauth',
  'expire-access-tokens',
  'expire-refresh-tokens',
]);

/** How each of {@link accountAction} is done. */
export const ACCOUNT_ACTIONS: Record<z.output<typeof accountAction>, (world: World, account: Account) => void> = {
  'change-password': changePassword,
  disable: disableAccount,
  enable: enableAccount,
  delete: deleteAccount,
  'require-reauth': requireReauth,
  'expire-access-tokens': (world, { sub }) => world.grants.expireAccessTokens(sub),
  'expire-refresh-tokens': (world, account) => {
    world.grants.killRefreshTokens(({ sub }) => sub === account.sub);
  },
};
