import { describe, expect, it } from 'vitest';
import {
  authorizeUrl,
  CLIENT,
  connect,
  DANA,
  gmailOf,
  MIRA,
  OFFICE,
  refresh,
  refusal,
  send,
  start,
} from './support.ts';

const asked = async (url: string, method: string, body?: unknown) => {
  const init =
    body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const response = await fetch(url, { method, ...init });
  const text = await response.text();
  return { status: response.status, body: text === '' ? null : JSON.parse(text) };
};

describe('the truth', () => {
  it('counts what was accepted per delivery header and per subject, in order', async () => {
    const google = await start();
    const gmail = gmailOf(google, await connect(google, OFFICE, ['send']));
    await send(gmail, { 'X-Letterhead-Delivery': 'd-1', Subject: 'Invoice 1' });
    await send(gmail, { 'X-Letterhead-Delivery': 'd-2', Subject: 'Invoice 2' });
    await send(gmail, { 'X-Letterhead-Delivery': 'd-1', Subject: 'Invoice 1' });
    await send(gmail, { Subject: 'Invoice 1' });
    expect(google.truth.tally('deliveryId')).toMatchObject({
      'd-1': { times: 2, orders: [1, 3] },
      'd-2': { times: 1, orders: [2] },
    });
    expect(google.truth.tally('subject')).toMatchObject({ 'Invoice 1': { times: 3 }, 'Invoice 2': { times: 1 } });
    expect(google.truth.matching({ deliveryId: 'd-1', after: 1 }).map(({ order }) => order)).toEqual([3]);
    const told = await asked(`${google.url}/control/tally?by=subject`, 'GET');
    expect(told.body).toMatchObject({ accepted: 4, tally: { 'Invoice 1': { times: 3, orders: [1, 3, 4] } } });
    expect((await asked(`${google.url}/control/tally?by=colour`, 'GET')).status).toBe(400);
  });

  it('is told in pages, and for one delivery, with the bytes on demand', async () => {
    const google = await start();
    const gmail = gmailOf(google, await connect(google, OFFICE, ['send']));
    for (const delivery of ['d-1', 'd-2', 'd-3']) await send(gmail, { 'X-Letterhead-Delivery': delivery });
    const first = await asked(`${google.url}/control/accepted?limit=2`, 'GET');
    expect(first.body).toMatchObject({ next: 2, accepted: [{ order: 1 }, { order: 2 }] });
    const rest = await asked(`${google.url}/control/accepted?limit=2&after=2`, 'GET');
    expect(rest.body).toMatchObject({ next: null, accepted: [{ order: 3 }] });
    const one = await asked(`${google.url}/control/accepted?deliveryId=d-2&raw=1`, 'GET');
    expect(one.body.accepted).toHaveLength(1);
    expect(Buffer.from(one.body.accepted[0].raw, 'base64').toString()).toContain('X-Letterhead-Delivery: d-2');
  });
});

describe('policies over HTTP', () => {
  it('put an app into Testing, and say no to a 101st test user', async () => {
    const google = await start();
    const app = `${google.url}/control/policies/apps/${CLIENT.id}`;
    const set = await asked(app, 'PATCH', { publishing: 'testing', testUsers: [OFFICE] });
    expect(set.body).toMatchObject({ publishing: 'testing', testUsers: [OFFICE], apiEnabled: true });
    await expect(google.approve(authorizeUrl(google), { account: DANA })).rejects.toThrow('verification');
    const many = Array.from({ length: 101 }, (_, n) => `u${n}@x.example`);
    expect((await asked(app, 'PATCH', { testUsers: many })).status).toBe(400);
  });

  it('block the mail apps of a domain, and tell all policies', async () => {
    const google = await start();
    const client = await connect(google, OFFICE, ['send']);
    const domain = `${google.url}/control/policies/domains/brightwater.example`;
    expect((await asked(domain, 'PATCH', { mailApps: 'blocked' })).status).toBe(200);
    expect((await refusal(refresh(google, client))).reason).toBe('invalid_grant');
    expect((await asked(`${google.url}/control/policies/unverified`, 'PUT', true)).body).toBe(true);
    const dates = await asked(`${google.url}/control/policies/unconfirmed`, 'PATCH', { dateHeader: 'replaced' });
    expect(dates.body).toMatchObject({ dateHeader: 'replaced', secondDraftSend: 'notFound' });
    expect((await asked(`${google.url}/control/policies`, 'GET')).body).toMatchObject({
      unverified: true,
      domains: { 'brightwater.example': { mailApps: 'blocked' } },
    });
  });
});

describe('accounts and apps over HTTP', () => {
  it('are opened, ended and registered', async () => {
    const google = await start();
    const accounts = `${google.url}/control/accounts`;
    const made = await asked(accounts, 'POST', { email: 'New@northgate.example', name: 'New' });
    expect(made).toMatchObject({ status: 201, body: { email: 'new@northgate.example' } });
    expect((await asked(accounts, 'POST', { email: 'nonsense', name: 'X' })).status).toBe(400);
    const client = await connect(google, MIRA, ['send']);
    expect((await asked(`${accounts}/${MIRA}/delete`, 'POST')).status).toBe(204);
    expect((await refusal(refresh(google, client))).message).toBe('The account has been deleted');
    expect((await asked(`${accounts}/${MIRA}/disable`, 'POST')).status).toBe(400);
    expect((await asked(`${accounts}/${OFFICE}/explode`, 'POST')).status).toBe(400);
    const other = { ...CLIENT, id: 'other', redirectUris: ['http://localhost:9/cb'] };
    expect((await asked(`${google.url}/control/clients`, 'POST', other)).body).toEqual({
      clients: [CLIENT.id, 'other'],
    });
    const url = authorizeUrl(google, { client_id: 'other', redirect_uri: 'http://localhost:9/cb' });
    expect(await google.approve(url, { account: OFFICE })).toContain('code=');
    await asked(`${google.url}/control/clients/other/deleted`, 'PUT', true);
    await expect(google.approve(url, { account: OFFICE })).rejects.toThrow('authorization error');
  });

  it.each(['change-password', 'disable', 'require-reauth', 'expire-refresh-tokens'])(
    'lose their refresh tokens by %s',
    async (action) => {
      const google = await start();
      const client = await connect(google, OFFICE, ['send']);
      await asked(`${google.url}/control/accounts/${OFFICE}/${action}`, 'POST');
      expect(await refusal(refresh(google, client))).toMatchObject({ status: 400, reason: 'invalid_grant' });
    },
  );

  it('get service accounts and security events on order', async () => {
    const google = await start();
    const key = await asked(`${google.url}/control/service-accounts`, 'POST', { email: 'robot@p.example' });
    expect(key.body).toMatchObject({ type: 'service_account', client_email: 'robot@p.example' });
    google.policies.setApp(CLIENT.id, { securityEventsUrl: `${google.url}/nowhere` });
    const events = `${google.url}/control/security-events`;
    const sent = await asked(`${events}/${CLIENT.id}`, 'POST', { type: 'verification', state: 'hi' });
    expect(sent.body.sent).toMatchObject([{ type: 'verification', status: expect.any(Number) }]);
    expect((await asked(events, 'GET')).body.sent).toHaveLength(1);
    expect((await asked(`${events}/${CLIENT.id}`, 'POST', { type: 'party' })).status).toBe(400);
  });
});
