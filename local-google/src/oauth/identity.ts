import type { Account } from '../accounts.ts';
import type { World } from '../world.ts';
import type { Client } from './clients.ts';
import { accessTokenHash } from './keys.ts';
import { EMAIL_SCOPE, PROFILE_SCOPE } from './scopes.ts';

/** A signed ID token for this client; `nonce` only answers an authorization that sent one. */
export async function idToken(
  world: World,
  client: Client,
  account: Account,
  given: { scopes: readonly string[]; nonce: string | null; accessToken: string },
): Promise<string> {
  const iat = Math.floor(world.now() / 1000);
  return world.keys.sign({
    iss: world.policies.unconfirmed.issuer === 'host' ? new URL(world.url).host : world.url,
    azp: client.id,
    aud: client.id,
    ...claims(world, account, given.scopes),
    at_hash: accessTokenHash(given.accessToken),
    ...(given.nonce === null ? {} : { nonce: given.nonce }),
    iat,
    exp: iat + 3600,
  });
}

/** What the scopes let an app know about a person: the ID token and userinfo agree on it. */
export function claims(world: World, account: Account, scopes: readonly string[]): Record<string, unknown> {
  const [givenName = '', ...rest] = account.name.split(' ');
  return {
    sub: account.sub,
    ...(account.hd === null ? {} : { hd: account.hd }),
    ...(scopes.includes(EMAIL_SCOPE) ? { email: account.email, email_verified: true } : {}),
    ...(scopes.includes(PROFILE_SCOPE)
      ? {
          name: account.name,
          given_name: givenName,
          ...(rest.length > 0 ? { family_name: rest.join(' ') } : {}),
          picture: `${world.url}/pictures/${account.sub}.svg`,
        }
      : {}),
  };
}
