import { createHash } from 'node:crypto';
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
  refusal,
  start,
} from './support.ts';

const codeOf = (callback: string) => new URL(callback).searchParams.get('code') ?? '';

describe('the authorization endpoint', () => {
  it('publishes addresses of its own in the discovery document', async () => {
    const google = await start();
    const document = await (await fetch(`${google.url}/.well-known/openid-configuration`)).json();
    expect(document).toMatchObject({
      issuer: google.url,
      authorization_endpoint: `${google.url}/o/oauth2/v2/auth`,
      token_endpoint: `${google.url}/token`,
      revocation_endpoint: `${google.url}/revoke`,
      jwks_uri: `${google.url}/oauth2/v3/certs`,
      userinfo_endpoint: expect.stringMatching(/\/userinfo$/),
    });
  });

  it.each([
    [{ client_id: 'nobody' }, 'Error 401: invalid_client'],
    [{ redirect_uri: `${REDIRECT}/` }, 'Error 400: redirect_uri_mismatch'],
    [{ response_type: '' }, 'Error 400: invalid_request'],
    [{ scope: '' }, 'Error 400: invalid_request'],
    [{ scope: 'https://www.googleapis.com/auth/unheard.of' }, 'Error 400: invalid_scope'],
    [{ prompt: 'none consent' }, 'Error 400: invalid_request'],
  ])('shows %o on its own page and redirects nowhere', async (parameters, words) => {
    const google = await start();
    const response = await fetch(authorizeUrl(google, parameters), { redirect: 'manual' });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain(words);
  });

  it('brings state and code back, and the granted scopes in Google’s own spelling', async () => {
    const google = await start();
    const callback = new URL(await google.approve(authorizeUrl(google), { account: OFFICE }));
    expect(callback.origin + callback.pathname).toBe(REDIRECT);
    expect(callback.searchParams.get('state')).toBe('the-state');
    expect(callback.searchParams.get('scope')?.split(' ')).toEqual([
      'openid',
      'https://www.googleapis.com/auth/userinfo.email',
      `${GMAIL}send`,
    ]);
  });

  it('tells the app access_denied with its state when the person refuses', async () => {
    const google = await start();
    const callback = await google.approve(authorizeUrl(google), { account: OFFICE, refuse: true });
    expect(callback).toBe(`${REDIRECT}?state=the-state&error=access_denied`);
  });

  it('grants only the ticked boxes, and the exchange still succeeds', async () => {
    const google = await start();
    const scope = `openid email ${GMAIL}send ${GMAIL}settings.basic`;
    const callback = await google.approve(authorizeUrl(google, { scope }), {
      account: OFFICE,
      tick: ['gmail.settings.basic'],
    });
    const { tokens } = await oauthClient(google).getToken(codeOf(callback));
    expect(tokens.scope?.split(' ')).toEqual([
      'openid',
      'https://www.googleapis.com/auth/userinfo.email',
      `${GMAIL}settings.basic`,
    ]);
  });

  it('counts a yes to nothing at all as a refusal', async () => {
    const google = await start();
    const url = authorizeUrl(google, { scope: `${GMAIL}send ${GMAIL}compose` });
    expect(await google.approve(url, { account: OFFICE, tick: [] })).toContain('error=access_denied');
  });

  it('shows the consent page again only for what was not given yet', async () => {
    const google = await start();
    await connect(google, OFFICE, ['send']);
    const again = authorizeUrl(google, { prompt: '', scope: `openid email ${GMAIL}send` });
    const { tokens } = await oauthClient(google).getToken(codeOf(await google.approve(again, { account: OFFICE })));
    expect(tokens.refresh_token, 'no consent page, no refresh token').toBeUndefined();
    const more = authorizeUrl(google, { prompt: '', scope: `openid email ${GMAIL}send ${GMAIL}compose` });
    const second = await oauthClient(google).getToken(codeOf(await google.approve(more, { account: OFFICE })));
    expect(second.tokens.refresh_token).toBeDefined();
    expect(second.tokens.scope).toContain('gmail.compose');
  });

  it('gives no refresh token for online access', async () => {
    const google = await start();
    const callback = await google.approve(authorizeUrl(google, { access_type: '' }), { account: OFFICE });
    const { tokens } = await oauthClient(google).getToken(codeOf(callback));
    expect(tokens.access_token).toBeDefined();
    expect(tokens.refresh_token).toBeUndefined();
  });

  it('adds earlier scopes only when include_granted_scopes asks for them', async () => {
    const google = await start();
    await connect(google, OFFICE, ['send']);
    const scope = `openid ${GMAIL}compose`;
    const plain = await google.approve(authorizeUrl(google, { scope }), { account: OFFICE });
    const whole = await google.approve(authorizeUrl(google, { scope, include_granted_scopes: 'true' }), {
      account: OFFICE,
    });
    expect((await oauthClient(google).getToken(codeOf(plain))).tokens.scope).not.toContain('gmail.send');
    expect((await oauthClient(google).getToken(codeOf(whole))).tokens.scope).toContain('gmail.send');
  });

  it('answers prompt=none without a page', async () => {
    const google = await start();
    const response = await fetch(authorizeUrl(google, { prompt: 'none' }), { redirect: 'manual' });
    expect(response.headers.get('location')).toContain('error=interaction_required');
  });

  it('lets two tabs sign in side by side', async () => {
    const google = await start();
    const [one, two] = await Promise.all([
      google.approve(authorizeUrl(google, { state: 'one' }), { account: OFFICE }),
      google.approve(authorizeUrl(google, { state: 'two' }), { account: DANA }),
    ]);
    expect(one).toContain('state=one');
    expect(two).toContain('state=two');
  });

  it('puts the unverified-app page before sensitive scopes, and not before a plain sign-in', async () => {
    const google = await start({ unverified: true });
    const pages = async (scope: string) => {
      const opened = await fetch(authorizeUrl(google, { scope }), { redirect: 'manual' });
      const flow = `${google.url}${opened.headers.get('location')}`;
      const body = new URLSearchParams({ email: OFFICE });
      return (await fetch(`${flow}/account`, { method: 'POST', body })).text();
    };
    expect(await pages(`openid ${GMAIL}send`)).toContain('data-step="warning"');
    expect(await pages('openid email')).toContain('data-step="consent"');
    expect(await google.approve(authorizeUrl(google), { account: OFFICE })).toContain('code=');
  });
});

describe('codes and tokens', () => {
  it('signs an ID token that the official client accepts', async () => {
    const google = await start();
    const client = oauthClient(google);
    const url = authorizeUrl(google, { scope: 'openid email profile', nonce: 'n-1' });
    const { tokens } = await client.getToken(codeOf(await google.approve(url, { account: DANA })));
    const ticket = await client.verifyIdToken({ idToken: tokens.id_token ?? '', audience: CLIENT.id });
    expect(ticket.getPayload()).toMatchObject({
      iss: google.url,
      aud: CLIENT.id,
      azp: CLIENT.id,
      sub: google.accounts.get(DANA).sub,
      email: DANA,
      email_verified: true,
      name: 'Dana Reyes',
      hd: 'brightwater.example',
      nonce: 'n-1',
      at_hash: createHash('sha256')
        .update(tokens.access_token ?? '')
        .digest()
        .subarray(0, 16)
        .toString('base64url'),
    });
  });

  it('names no domain for a consumer account', async () => {
    const google = await start({ accounts: [{ email: 'kim@gmail.com', name: 'Kim' }] });
    const client = await connect(google, 'kim@gmail.com', []);
    const info = await (await fetch(`${google.url}/v1/userinfo`, { headers: await client.getRequestHeaders() })).json();
    expect(info).toEqual({
      sub: google.accounts.get('kim@gmail.com').sub,
      email: 'kim@gmail.com',
      email_verified: true,
    });
  });

  it('takes a code once, and for ten minutes', async () => {
    let clock = Date.parse('2026-11-21T09:00:00Z');
    const google = await start({ now: () => clock });
    const used = codeOf(await google.approve(authorizeUrl(google), { account: OFFICE }));
    const old = codeOf(await google.approve(authorizeUrl(google), { account: OFFICE }));
    await oauthClient(google).getToken(used);
    expect(await refusal(oauthClient(google).getToken(used))).toEqual({
      status: 400,
      reason: 'invalid_grant',
      message: 'Bad Request',
    });
    clock += 10 * 60 * 1000;
    expect(await refusal(oauthClient(google).getToken(old))).toMatchObject({ status: 400, reason: 'invalid_grant' });
  });

  it('checks the PKCE verifier', async () => {
    const google = await start();
    const verifier = 'v'.repeat(43);
    const challenge = createHash('sha256').update(verifier).digest('base64url');
    const url = authorizeUrl(google, { code_challenge: challenge, code_challenge_method: 'S256' });
    const client = oauthClient(google);
    const [missing, wrong, right] = [
      await google.approve(url, { account: OFFICE }),
      await google.approve(url, { account: OFFICE }),
      await google.approve(url, { account: OFFICE }),
    ].map(codeOf);
    expect(await refusal(client.getToken(missing ?? ''))).toMatchObject({ message: 'Missing code verifier.' });
    expect(await refusal(client.getToken({ code: wrong ?? '', codeVerifier: 'w'.repeat(43) }))).toMatchObject({
      message: 'Invalid code verifier.',
    });
    expect((await client.getToken({ code: right ?? '', codeVerifier: verifier })).tokens.access_token).toBeDefined();
  });

  it('refuses a wrong secret with 401 invalid_client', async () => {
    const google = await start();
    const code = codeOf(await google.approve(authorizeUrl(google), { account: OFFICE }));
    expect(await refusal(oauthClient(google, 'wrong').getToken(code))).toMatchObject({
      status: 401,
      reason: 'invalid_client',
    });
  });

  it('refreshes without a new refresh token, and ends access tokens after 3599 seconds', async () => {
    let clock = Date.parse('2026-11-21T09:00:00Z');
    const google = await start({ now: () => clock });
    const client = await connect(google, OFFICE, ['readonly']);
    const before = client.credentials.access_token ?? '';
    const form = new URLSearchParams({
      client_id: CLIENT.id,
      client_secret: CLIENT.secret,
      grant_type: 'refresh_token',
      refresh_token: client.credentials.refresh_token ?? '',
    });
    const answer = await (await fetch(`${google.url}/token`, { method: 'POST', body: form })).json();
    expect(answer).toMatchObject({ expires_in: 3599, token_type: 'Bearer' });
    expect(answer).not.toHaveProperty('refresh_token');
    const profile = () =>
      fetch(`${google.url}/gmail/v1/users/me/profile`, { headers: { authorization: `Bearer ${before}` } });
    expect((await profile()).status).toBe(200);
    clock += 3599 * 1000;
    expect((await profile()).status).toBe(401);
  });
});

describe('the end of a grant', () => {
  const refreshing = async (google: Awaited<ReturnType<typeof start>>, client: Awaited<ReturnType<typeof connect>>) => {
    const again = oauthClient(google);
    again.setCredentials({ refresh_token: client.credentials.refresh_token ?? null });
    return again.refreshAccessToken();
  };
  const DEAD = { status: 400, reason: 'invalid_grant', message: 'Token has been expired or revoked.' };

  it('comes for every connection of the account when one token is revoked', async () => {
    const google = await start();
    const one = await connect(google, OFFICE, ['send']);
    const two = await connect(google, OFFICE, ['send']);
    const other = await connect(google, DANA, ['send']);
    await one.revokeToken(one.credentials.access_token ?? '');
    expect(await refusal(refreshing(google, two))).toEqual(DEAD);
    expect((await refreshing(google, other)).credentials.access_token).toBeDefined();
    const second = await fetch(`${google.url}/revoke?token=${two.credentials.refresh_token}`, { method: 'POST' });
    expect(second.status).toBe(400);
  });

  it('comes with a changed password for Gmail scopes, and not for a sign-in', async () => {
    const google = await start();
    const mail = await connect(google, DANA, ['send']);
    const signIn = await connect(google, DANA, []);
    google.accounts.changePassword(DANA);
    expect(await refusal(refreshing(google, mail))).toEqual(DEAD);
    expect((await refreshing(google, signIn)).credentials.access_token).toBeDefined();
  });

  it('comes silently for the oldest refresh token when the 101st is issued', async () => {
    const google = await start();
    const first = await connect(google, MIRA, ['send']);
    const second = await connect(google, MIRA, ['send']);
    for (let n = 3; n <= 101; n += 1) await connect(google, MIRA, ['send']);
    expect(await refusal(refreshing(google, first))).toEqual(DEAD);
    expect((await refreshing(google, second)).credentials.access_token).toBeDefined();
  });

  it('comes when the user removes the app on the third-party access page', async () => {
    const google = await start();
    const client = await connect(google, OFFICE, ['readonly']);
    const page = `${google.url}/account/${OFFICE}/connections`;
    expect(await (await fetch(page)).text()).toContain('Letterhead');
    await fetch(`${page}/remove`, { method: 'POST', body: new URLSearchParams({ project: CLIENT.id }) });
    expect(await (await fetch(page)).text()).toContain('No app has access');
    expect(await refusal(refreshing(google, client))).toEqual(DEAD);
    const alone = oauthClient(google);
    alone.setCredentials({
      access_token: client.credentials.access_token ?? null,
      expiry_date: Date.now() + 3_000_000,
    });
    expect(await refusal(gmailOf(google, alone).users.getProfile({ userId: 'me' }))).toMatchObject({
      status: 401,
      reason: 'authError',
    });
  });
});
