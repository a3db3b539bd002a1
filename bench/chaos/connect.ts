import { approve } from 'local-google';
import { z } from 'zod';
import { releaseMailbox } from '../../src/deliveries/release.ts';
import { scopesFor } from '../../src/mailboxes/capabilities.ts';
import { type ConnectContext, connectMailbox } from '../../src/mailboxes/connect.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { rememberPerson } from '../../src/tenants/system.ts';
import { createTenant } from '../../src/tenants/tenants.ts';
import { type Sender, type SetName, sets } from './senders.ts';

const tokenAnswer = z.object({
  access_token: z.string(),
  refresh_token: z.string(),
  expires_in: z.number(),
  scope: z.string(),
  id_token: z.string(),
});

const redirect = 'http://localhost:1/callback';

/** Founds a company, and connects its one mailbox with the permissions of a set. */
export async function connectTenant(context: ConnectContext, set: SetName, email: string): Promise<Sender> {
  const { issuer } = context.google.endpoints;
  const person = { email, name: 'Chaos' };
  const personId = await rememberPerson(context.system, { issuer, sub: `person-${email}`, ...person });
  const about = { name: 'Chaos Ltd', country: 'IE', currency: 'EUR', timeZone: 'Europe/Dublin' };
  const ids = await createTenant(context.db, about, { personId, ...person });
  const { mailboxId, account } = await consent(context, { ...ids, set, email, mailboxId: null });
  await inTenant(context.db, ids.tenantId, async (trx) => {
    // Nobody's day is the limit here; and every mailbox begins with asking for a token.
    await trx.updateTable('mailboxes').set({ daily_limit: 100_000 }).execute();
    await trx.updateTable('grants').set({ access_token: null, access_token_expires_at: null }).execute();
  });
  return { ...ids, set, email, mailboxId, account };
}

/** What somebody does who is told that a mailbox needs them. */
export async function reconnect(context: ConnectContext, sender: Sender): Promise<void> {
  await consent(context, sender);
}

async function consent(
  context: ConnectContext,
  sender: Omit<Sender, 'mailboxId' | 'account'> & { readonly mailboxId: string | null },
): Promise<{ mailboxId: string; account: string }> {
  const { google, clock } = context;
  const { set, email, tenantId, memberId } = sender;
  const asked = [...sets[set]];
  const authorize = new URL(google.endpoints.authorize);
  authorize.search = new URLSearchParams({
    ...{ client_id: google.clientId, redirect_uri: redirect, response_type: 'code', access_type: 'offline' },
    ...{ scope: scopesFor(asked).join(' '), prompt: 'consent', login_hint: email },
  }).toString();
  const code = new URL(await approve(authorize.href, { account: email })).searchParams.get('code') ?? '';
  const response = await fetch(google.endpoints.token, {
    method: 'POST',
    body: new URLSearchParams({
      ...{ client_id: google.clientId, client_secret: google.clientSecret, redirect_uri: redirect },
      ...{ grant_type: 'authorization_code', code },
    }),
  });
  const tokens = tokenAnswer.parse(await response.json());
  const [, claims = ''] = tokens.id_token.split('.');
  const { sub } = z.object({ sub: z.string() }).parse(JSON.parse(Buffer.from(claims, 'base64url').toString()));
  const { mailboxId } = await connectMailbox(
    context,
    { tenantId, memberId, kind: 'shared', mailboxId: sender.mailboxId, asked },
    {
      identity: { issuer: google.endpoints.issuer, sub, hd: null, email, name: 'Chaos' },
      ...{ accessToken: tokens.access_token, expiresInMs: tokens.expires_in * 1_000 },
      ...{ refreshToken: tokens.refresh_token, endsInMs: null, scopes: tokens.scope.split(' ') },
    },
    (trx, connected) => releaseMailbox(trx, clock, tenantId, connected),
  );
  return { mailboxId, account: `gmail:${sub}` };
}
