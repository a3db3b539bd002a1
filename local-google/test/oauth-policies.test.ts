import { describe, expect, it } from 'vitest';
import {
  authorizeUrl,
  CLIENT,
  connect,
  DANA,
  GMAIL,
  gmailOf,
  MIRA,
  OFFICE,
  oauthClient,
  REDIRECT,
  refresh,
  refusal,
  start,
} from './support.ts';

const DAY = 24 * 60 * 60 * 1000;
const EXPIRED = { status: 400, reason: 'invalid_grant', message: 'Token has been expired or revoked.' };
const blocked = (why: string) => expect.objectContaining({ message: expect.stringContaining(why) });

describe('who may let an app in', () => {
  it('is only a listed test user while the app is in Testing', async () => {
    const google = await start();
    google.policies.setApp(CLIENT.id, { publishing: 'testing', testUsers: [OFFICE] });
    expect(await google.approve(authorizeUrl(google), { account: OFFICE })).toContain('code=');
    await expect(google.approve(authorizeUrl(google), { account: DANA })).rejects.toEqual(
      blocked('has not completed verification'),
    );
  });

  it('is at most 100 test users', async () => {
    const google = await start();
    const testUsers = Array.from({ length: 101 }, (_, n) => `user${n}@x.example`);
    expect(() => google.policies.setApp(CLIENT.id, { testUsers })).toThrow();
    expect(google.policies.setApp(CLIENT.id, { testUsers: testUsers.slice(1) }).testUsers).toHaveLength(100);
  });

  it('is nobody beyond the cap of an unverified app, and still everybody it knows', async () => {
    const google = await start({ unverified: true });
    expect(google.policies.setApp(CLIENT.id, {}).userCap).toBe(100);
    google.policies.setApp(CLIENT.id, { userCap: 1 });
    await connect(google, OFFICE, ['send']);
    await connect(google, OFFICE, ['send']);
    await expect(connect(google, DANA, ['send'])).rejects.toEqual(blocked('temporarily disabled'));
    expect(await connect(google, DANA, []), 'a sign-in needs no verification').toBeDefined();
  });

  it('is nobody from outside the organization of an internal app', async () => {
    const google = await start();
    google.policies.setApp(CLIENT.id, { internalTo: 'brightwater.example' });
    await connect(google, DANA, ['send']);
    const page = await pageFor(google, MIRA);
    expect(page).toContain('Error 403: org_internal');
  });

  it('is nobody with mail scopes where the administrator blocks mail apps', async () => {
    const google = await start();
    google.policies.setDomain('brightwater.example', { mailApps: 'blocked' });
    expect(await pageFor(google, OFFICE)).toContain('Error 400: admin_policy_enforced');
    expect(await connect(google, OFFICE, []), 'a sign-in is still possible').toBeDefined();
    expect(await connect(google, MIRA, ['send']), 'and so is another domain').toBeDefined();
  });

  it('is nobody with a disabled account', async () => {
    const google = await start();
    google.accounts.disable(DANA);
    expect(await pageFor(google, DANA)).toContain('account_disabled');
    google.accounts.enable(DANA);
    expect(await connect(google, DANA, ['send'])).toBeDefined();
  });

  it('is nobody at all once the client is deleted, on the page and at the token endpoint', async () => {
    const google = await start();
    const client = await connect(google, OFFICE, ['send']);
    google.policies.setClientDeleted(CLIENT.id, true);
    const page = await fetch(authorizeUrl(google), { redirect: 'manual' });
    expect(await page.text()).toContain('Error 401: deleted_client');
    expect(await refusal(refresh(google, client))).toMatchObject({ status: 401, reason: 'deleted_client' });
    google.policies.setClientDeleted(CLIENT.id, false);
    expect((await refresh(google, client)).credentials.access_token).toBeDefined();
  });

  it('is nobody inside an embedded browser', async () => {
    const google = await start();
    for (const agent of [
      'Mozilla/5.0 (Linux; Android 14; Pixel 8; wv) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36',
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148',
    ]) {
      const page = await fetch(authorizeUrl(google), { headers: { 'user-agent': agent } });
      expect(await page.text()).toContain('Error 403: disallowed_useragent');
    }
  });
});

describe('the consent page', () => {
  it('has no boxes for an app that the administrator trusts, and a yes grants it all', async () => {
    const google = await start();
    google.policies.setDomain('brightwater.example', { trustedClients: [CLIENT.id] });
    const scope = `openid email ${GMAIL}send ${GMAIL}settings.basic`;
    const url = authorizeUrl(google, { scope });
    const trusted = await google.approve(url, { account: DANA, tick: [] });
    expect(new URL(trusted).searchParams.get('scope')).toContain('gmail.settings.basic');
    const other = await google.approve(url, { account: MIRA, tick: [] });
    expect(new URL(other).searchParams.get('scope')).not.toContain('gmail');
  });

  it.each([true, false])('has a box for a single scope or not, as nobody knows which (%s)', async (boxForOneScope) => {
    const google = await start();
    google.policies.setUnconfirmed({ boxForOneScope });
    const callback = await google.approve(authorizeUrl(google), { account: DANA, tick: [] });
    expect(new URL(callback).searchParams.get('scope')?.includes('gmail.send')).toBe(!boxForOneScope);
  });

  it.each([true, false])('brings a refresh token for further scopes or not (%s)', async (incrementalRefreshToken) => {
    const google = await start();
    google.policies.setUnconfirmed({ incrementalRefreshToken });
    await connect(google, OFFICE, ['send']);
    const more = authorizeUrl(google, { prompt: '', scope: `openid email ${GMAIL}send ${GMAIL}compose` });
    const code = new URL(await google.approve(more, { account: OFFICE })).searchParams.get('code') ?? '';
    const { tokens } = await oauthClient(google).getToken(code);
    expect(tokens.refresh_token !== undefined).toBe(incrementalRefreshToken);
    expect((await connect(google, OFFICE, ['compose'])).credentials.refresh_token, 'prompt=consent').toBeDefined();
  });

  it.each([true, false])('brings one again where the app insists, or not (%s)', async (insistedRefreshToken) => {
    const google = await start();
    google.policies.setUnconfirmed({ insistedRefreshToken });
    expect((await connect(google, OFFICE, ['send'])).credentials.refresh_token, 'the first').toBeDefined();
    const { credentials } = await connect(google, OFFICE, ['compose']);
    expect(credentials.refresh_token !== undefined).toBe(insistedRefreshToken);
    google.accounts.removeAccess(OFFICE, CLIENT.id);
    expect((await connect(google, OFFICE, ['send'])).credentials.refresh_token, 'as at first').toBeDefined();
  });

  it('is skipped by prompt=none only where nothing would be asked', async () => {
    const google = await start();
    const browser = await signedIn(google, OFFICE);
    const ask = async (parameters: Record<string, string>) =>
      (
        await fetch(authorizeUrl(google, { prompt: 'none', ...parameters }), { redirect: 'manual', headers: browser })
      ).headers.get('location') ?? '';
    expect(await ask({})).toContain('code=');
    expect(await ask({ scope: `openid ${GMAIL}compose` })).toContain('error=consent_required');
    expect(await ask({ login_hint: DANA })).toContain('error=interaction_required');
    expect(await ask({ login_hint: google.accounts.get(OFFICE).sub }), 'a hint by subject').toContain('code=');
  });

  it('comes after the chooser when select_account asks for it, even with one account signed in', async () => {
    const google = await start();
    const browser = await signedIn(google, OFFICE);
    const chooser = await fetch(authorizeUrl(google, { prompt: 'select_account' }), { headers: browser });
    expect(await chooser.text()).toContain('data-step="account"');
    const straight = await fetch(authorizeUrl(google, { prompt: '' }), { redirect: 'manual', headers: browser });
    expect(straight.headers.get('location')).toContain(`${REDIRECT}?`);
  });
});

describe('the life of a refresh token', () => {
  it('is seven days in Testing, and longer for a plain sign-in', async () => {
    const google = await start();
    google.policies.setApp(CLIENT.id, { publishing: 'testing', testUsers: [OFFICE] });
    const mail = await connect(google, OFFICE, ['send']);
    const signIn = await connect(google, OFFICE, []);
    expect(mail.credentials).not.toHaveProperty('refresh_token_expires_in');
    google.clock.forward(7 * DAY - 1000);
    await refresh(google, mail);
    google.clock.forward(1000);
    expect(await refusal(refresh(google, mail))).toEqual(EXPIRED);
    await refresh(google, signIn);
  });

  it('ends after six months without use, and begins anew with each', async () => {
    const google = await start();
    const client = await connect(google, OFFICE, ['send']);
    google.clock.forward(182 * DAY);
    await refresh(google, client);
    google.clock.forward(182 * DAY);
    await refresh(google, client);
    google.clock.forward(183 * DAY);
    expect(await refusal(refresh(google, client))).toEqual(EXPIRED);
  });

  it('is told to the app for time-limited access only', async () => {
    const google = await start({ now: () => Date.parse('2026-11-21T09:00:00Z') });
    google.policies.setApp(CLIENT.id, { accessSeconds: 3 * 86_400 });
    const client = await connect(google, OFFICE, ['send']);
    expect(client.credentials).toMatchObject({ refresh_token_expires_in: 3 * 86_400 });
    google.clock.forward(DAY);
    expect((await refresh(google, client)).credentials).toMatchObject({ refresh_token_expires_in: 2 * 86_400 });
    google.clock.forward(2 * DAY);
    expect(await refusal(refresh(google, client))).toEqual(EXPIRED);
  });

  it('ends when the administrator blocks mail apps, while access tokens meet domainPolicy', async () => {
    const google = await start();
    const client = await connect(google, OFFICE, ['readonly']);
    const signIn = await connect(google, OFFICE, []);
    google.policies.setDomain('brightwater.example', { mailApps: 'blocked' });
    expect(await refusal(gmailOf(google, client).users.getProfile({ userId: 'me' }))).toMatchObject({
      status: 403,
      reason: 'domainPolicy',
      message: 'The domain administrators have disabled Gmail apps.',
    });
    expect(await refusal(refresh(google, client))).toEqual(EXPIRED);
    await refresh(google, signIn);
  });

  it('ends with invalid_rapt where the domain wants a new sign-in, until there is consent again', async () => {
    const google = await start();
    const client = await connect(google, OFFICE, ['send']);
    google.accounts.requireReauth(OFFICE);
    expect(await refusal(refresh(google, client))).toEqual({
      status: 400,
      reason: 'invalid_grant',
      message: 'reauth related error (invalid_rapt)',
    });
    await refresh(google, await connect(google, OFFICE, ['send']));
  });

  it('ends with a disabled account, and does not come back with it', async () => {
    const google = await start();
    const client = await connect(google, OFFICE, ['readonly']);
    google.accounts.disable(OFFICE, 'hijacking');
    expect(await refusal(refresh(google, client))).toEqual(EXPIRED);
    expect((await refusal(gmailOf(google, client).users.getProfile({ userId: 'me' }))).status).toBe(401);
    google.accounts.enable(OFFICE);
    expect(await refusal(refresh(google, client))).toEqual(EXPIRED);
  });

  it('ends with a deleted account in words of its own, and somebody else may take the address', async () => {
    const google = await start();
    const before = google.accounts.get(MIRA).sub;
    const client = await connect(google, MIRA, ['readonly']);
    google.accounts.delete(MIRA);
    expect(await refusal(refresh(google, client))).toMatchObject({ message: 'The account has been deleted' });
    expect((await refusal(gmailOf(google, client).users.getProfile({ userId: 'me' }))).status).toBe(401);
    expect(google.accounts.add({ email: MIRA, name: 'Mira the second' }).sub).not.toBe(before);
    expect(await refusal(refresh(google, client))).toMatchObject({ message: 'The account has been deleted' });
  });

  it('ends for another client of the project as well when one of them is revoked', async () => {
    const other = { id: 'letterhead-mobile', secret: 'hush', name: 'Pocket', redirectUris: [REDIRECT] };
    const google = await start({
      clients: [
        { ...CLIENT, project: 'one' },
        { ...other, project: 'one' },
      ],
    });
    const client = await connect(google, OFFICE, ['send']);
    const code = new URL(
      await google.approve(authorizeUrl(google, { client_id: other.id }), { account: OFFICE }),
    ).searchParams.get('code');
    const body = { client_id: other.id, client_secret: other.secret, redirect_uri: REDIRECT };
    const answer = await fetch(`${google.url}/token`, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'authorization_code', code: code ?? '', ...body }),
    });
    const { refresh_token } = Object(await answer.json());
    const form = { grant_type: 'refresh_token', refresh_token };
    const foreign = { ...form, client_id: CLIENT.id, client_secret: CLIENT.secret };
    const swapped = await fetch(`${google.url}/token`, { method: 'POST', body: new URLSearchParams(foreign) });
    expect({ status: swapped.status, ...Object(await swapped.json()) }).toMatchObject({
      status: 401,
      error: 'unauthorized_client',
    });
    await fetch(`${google.url}/revoke`, { method: 'POST', body: new URLSearchParams({ token: refresh_token }) });
    expect(await refusal(refresh(google, client))).toEqual(EXPIRED);
  });
});

describe('the Gmail API of a project', () => {
  it('answers accessNotConfigured until its operator enables it', async () => {
    const google = await start();
    const client = await connect(google, OFFICE, ['readonly']);
    google.policies.setApp(CLIENT.id, { apiEnabled: false });
    expect(await refusal(gmailOf(google, client).users.getProfile({ userId: 'me' }))).toMatchObject({
      status: 403,
      reason: 'accessNotConfigured',
    });
    google.policies.setApp(CLIENT.id, { apiEnabled: true });
    await gmailOf(google, client).users.getProfile({ userId: 'me' });
  });
});

/** The page that a person sees after choosing an account. */
async function pageFor(google: Awaited<ReturnType<typeof start>>, email: string): Promise<string> {
  const opened = await fetch(authorizeUrl(google), { redirect: 'manual' });
  const flow = `${google.url}${opened.headers.get('location')}`;
  return (await fetch(`${flow}/account`, { method: 'POST', body: new URLSearchParams({ email }) })).text();
}

/** The cookie of a browser in which this account is signed in and has let Letterhead send. */
async function signedIn(google: Awaited<ReturnType<typeof start>>, email: string): Promise<{ cookie: string }> {
  await connect(google, email, ['send']);
  const opened = await fetch(authorizeUrl(google), { redirect: 'manual' });
  const chosen = await fetch(`${google.url}${opened.headers.get('location')}/account`, {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams({ email }),
  });
  return { cookie: chosen.headers.get('set-cookie')?.split(';')[0] ?? '' };
}
