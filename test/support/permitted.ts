import { z } from 'zod';
import { scopesFor } from '../../src/mailboxes/capabilities.ts';
import { connectMailbox } from '../../src/mailboxes/connect.ts';
import type { Capability } from '../../src/platform/capability.ts';
import { rememberPerson } from '../../src/tenants/system.ts';
import { createTenant } from '../../src/tenants/tenants.ts';
import { callbackPaths } from '../../src/web/google-flows.ts';
import { type Sender, senderOf } from './company.ts';
import { counter } from './counter.ts';
import { type TestLetterhead, testClient } from './letterhead.ts';

const tokenAnswer = z.object({
  access_token: z.string(),
  refresh_token: z.string(),
  expires_in: z.number(),
  scope: z.string(),
});

const numberOf = counter();

/**
 * A company of one, whose mailbox was given these permissions at Local Google: real consent and tokens, without the
 * pages, so that a table of faults can have a mailbox for each.
 */
export async function permittedSender(
  letterhead: TestLetterhead,
  capabilities: readonly Capability[],
  account = `permitted${numberOf(letterhead.google)}@table.example`,
): Promise<Sender> {
  const { context, google, database } = letterhead;
  const known = google.accounts.add({ email: account, name: 'Table' });
  const person = { email: account, name: 'Table' };
  const personId = await rememberPerson(database.system, { issuer: google.url, sub: known.sub, ...person });
  const about = { name: 'Table Ltd', country: 'IE', currency: 'EUR', timeZone: 'Europe/Dublin' };
  const { tenantId, memberId } = await createTenant(database.db, about, { personId, ...person });
  const tokens = await consent(letterhead, account, scopesFor(capabilities));
  const { mailboxId } = await connectMailbox(
    context,
    { tenantId, memberId, kind: 'shared', mailboxId: null, asked: [...capabilities] },
    {
      identity: { issuer: google.url, sub: known.sub, hd: null, ...person },
      accessToken: tokens.access_token,
      expiresInMs: tokens.expires_in * 1_000,
      refreshToken: tokens.refresh_token,
      endsInMs: null,
      scopes: tokens.scope.split(' '),
    },
    async () => null,
  );
  return senderOf(letterhead, { tenantId, memberId, account, mailboxId });
}

async function consent({ google, url }: TestLetterhead, account: string, scopes: readonly string[]) {
  const { clientId, clientSecret } = testClient;
  const redirect = `${url}${callbackPaths.connect}`;
  const authorize = new URL(`${google.url}/o/oauth2/v2/auth`);
  authorize.search = new URLSearchParams({
    ...{ client_id: clientId, redirect_uri: redirect, response_type: 'code', access_type: 'offline' },
    ...{ scope: scopes.join(' '), prompt: 'consent' },
  }).toString();
  const callback = new URL(await google.approve(authorize.href, { account }));
  const response = await fetch(`${google.url}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      ...{ client_id: clientId, client_secret: clientSecret, redirect_uri: redirect },
      ...{ grant_type: 'authorization_code', code: callback.searchParams.get('code') ?? '' },
    }),
  });
  return tokenAnswer.parse(await response.json());
}
