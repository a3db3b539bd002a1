import { describe, expect, it } from 'vitest';
import { authorizeUrl, CLIENT, connect, OFFICE, oauthClient, REDIRECT, start } from './support.ts';

describe('the token endpoint', () => {
  const good = {
    grant_type: 'authorization_code',
    code: '4/0Anything',
    client_id: CLIENT.id,
    client_secret: CLIENT.secret,
    redirect_uri: REDIRECT,
  };

  it.each([
    [{ client_id: '' }, 400, 'invalid_request', 'Could not determine client ID from request.'],
    [{ client_id: 'nobody' }, 401, 'invalid_client', 'The OAuth client was not found.'],
    [{ client_secret: '' }, 400, 'invalid_request', 'client_secret is missing.'],
    [{ client_secret: 'old' }, 401, 'invalid_client', 'The provided client secret is invalid.'],
    [{ grant_type: 'password' }, 400, 'unsupported_grant_type', 'Invalid grant_type: password'],
    [{ grant_type: '' }, 400, 'unsupported_grant_type', 'Invalid grant_type: '],
    [{ code: '' }, 400, 'invalid_request', 'Missing required parameter: code'],
    [{ code: 'abc' }, 400, 'invalid_grant', 'Malformed auth code.'],
    [{ code: '4/0Unknown' }, 400, 'invalid_grant', 'Bad Request'],
    [{ grant_type: 'refresh_token' }, 400, 'invalid_request', 'Missing required parameter: refresh_token'],
    [{ grant_type: 'refresh_token', refresh_token: '1//0never' }, 400, 'invalid_grant', 'Bad Request'],
  ])('answers %o with %i %s', async (fields, status, error, description) => {
    const google = await start();
    const form = Object.entries({ ...good, ...fields }).filter(([, value]) => value !== '');
    const response = await fetch(`${google.url}/token`, { method: 'POST', body: new URLSearchParams(form) });
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({ error, error_description: description });
  });

  it('takes the client by Basic authentication and a body in JSON as well', async () => {
    const google = await start();
    const callback = await google.approve(authorizeUrl(google), { account: OFFICE });
    const code = new URL(callback).searchParams.get('code');
    const response = await fetch(`${google.url}/token`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${CLIENT.id}:${CLIENT.secret}`).toString('base64')}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ grant_type: 'authorization_code', code, redirect_uri: REDIRECT }),
    });
    expect(await response.json()).toMatchObject({ token_type: 'Bearer', scope: expect.stringContaining('openid') });
  });

  it('wants the very redirect_uri of the authorization, and uses the code up all the same', async () => {
    const google = await start();
    const callback = await google.approve(authorizeUrl(google), { account: OFFICE });
    const code = new URL(callback).searchParams.get('code') ?? '';
    const exchange = async (redirect_uri: string) => {
      const body = new URLSearchParams({ ...good, code, redirect_uri });
      return Object(await (await fetch(`${google.url}/token`, { method: 'POST', body })).json()).error;
    };
    expect(await exchange(`${REDIRECT}/`)).toBe('redirect_uri_mismatch');
    expect(await exchange(REDIRECT)).toBe('invalid_grant');
  });
});

describe('revoke and token info', () => {
  it('take a token in query or body, and answer 400 with a code for a dead one', async () => {
    const google = await start();
    const client = await connect(google, OFFICE, ['send']);
    const info = await client.getTokenInfo(client.credentials.access_token ?? '');
    expect(info).toMatchObject({ aud: CLIENT.id, email: OFFICE, access_type: 'offline' });
    expect(info.scopes).toContain('https://www.googleapis.com/auth/gmail.send');
    const revoke = (init: RequestInit, query = '') =>
      fetch(`${google.url}/revoke${query}`, { method: 'POST', ...init });
    const token = client.credentials.refresh_token ?? '';
    expect((await revoke({ body: new URLSearchParams({ token }) })).status).toBe(200);
    const dead = await revoke({}, `?token=${token}`);
    expect({ status: dead.status, ...Object(await dead.json()) }).toMatchObject({
      status: 400,
      error: 'invalid_token',
    });
    const gone = await fetch(`${google.url}/tokeninfo?access_token=${client.credentials.access_token}`);
    expect({ status: gone.status, ...Object(await gone.json()) }).toMatchObject({
      status: 400,
      error: 'invalid_token',
    });
    const missing = await revoke({});
    expect(await missing.json()).toMatchObject({ error: 'invalid_request' });
  });

  it('take an access token for the whole grant too', async () => {
    const google = await start();
    const client = await connect(google, OFFICE, ['send']);
    await client.revokeToken(client.credentials.access_token ?? '');
    expect(google.truth.calls('revoke')).toBe(1);
    const userinfo = await fetch(`${google.url}/v1/userinfo`, {
      headers: { authorization: `Bearer ${client.credentials.access_token}` },
    });
    expect(userinfo.status).toBe(401);
  });
});

describe('the issuer of ID tokens', () => {
  it.each(['url', 'host'] as const)('occurs as %s', async (issuer) => {
    const google = await start();
    google.policies.setUnconfirmed({ issuer });
    const client = await connect(google, OFFICE, []);
    const { iss } = JSON.parse(
      Buffer.from(client.credentials.id_token?.split('.')[1] ?? '', 'base64url').toString('utf8'),
    );
    expect(iss).toBe(issuer === 'url' ? google.url : new URL(google.url).host);
    expect(oauthClient(google)).toBeDefined();
  });
});
