import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { afterEach, describe, expect, it } from 'vitest';
import type { LocalGoogle } from '../src/local-google.ts';
import { CLIENT, connect, DANA, OFFICE, start } from './support.ts';

const OAUTH = 'https://schemas.openid.net/secevent/oauth/event-type/';
const RISC = 'https://schemas.openid.net/secevent/risc/event-type/';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** An app's receiver: keeps what came, answers 202. */
async function receiver(google: LocalGoogle): Promise<{ type: string | undefined; token: string }[]> {
  const received: { type: string | undefined; token: string }[] = [];
  const server = createServer(async (req, res) => {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk);
    received.push({ type: req.headers['content-type'], token: Buffer.concat(chunks).toString() });
    res.writeHead(202).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => new Promise((resolve) => server.close(resolve)));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/events`;
  google.policies.setApp(CLIENT.id, { securityEventsUrl: url });
  return received;
}

async function eventsIn(google: LocalGoogle, received: { token: string }[]): Promise<Record<string, unknown>[]> {
  await google.securityEvents.settled();
  const keys = createRemoteJWKSet(new URL(`${google.url}/oauth2/v3/certs`));
  return Promise.all(
    received.map(async ({ token }) => {
      const { payload } = await jwtVerify(token, keys, { issuer: `${google.url}/`, audience: CLIENT.id });
      return Object(payload['events']);
    }),
  );
}

describe('security events', () => {
  it('are signed JWTs that tell an app when a user takes its access away', async () => {
    const google = await start();
    const received = await receiver(google);
    await connect(google, OFFICE, ['send']);
    google.accounts.removeAccess(OFFICE, CLIENT.id);
    const subject = { subject_type: 'iss-sub', iss: `${google.url}/`, sub: google.accounts.get(OFFICE).sub };
    expect(await eventsIn(google, received)).toEqual([{ [`${OAUTH}tokens-revoked`]: { subject } }]);
    expect(received[0]?.type).toBe('application/secevent+jwt');
    expect(google.securityEvents.sent()).toMatchObject([{ type: 'tokens-revoked', status: 202 }]);
  });

  it('name a revoked refresh token by its hash', async () => {
    const google = await start();
    const received = await receiver(google);
    const client = await connect(google, OFFICE, ['send']);
    await client.revokeToken(client.credentials.access_token ?? '');
    const once = createHash('sha512')
      .update(client.credentials.refresh_token ?? '')
      .digest();
    const token = createHash('sha512').update(once).digest('base64');
    expect(await eventsIn(google, received)).toMatchObject([
      { [`${OAUTH}token-revoked`]: { subject: { token_type: 'refresh_token', token } } },
    ]);
  });

  it('tell of a changed password, a disabled account, and its return', async () => {
    const google = await start();
    const received = await receiver(google);
    await connect(google, OFFICE, ['send']);
    google.accounts.changePassword(OFFICE);
    await google.securityEvents.settled();
    google.accounts.disable(OFFICE, 'hijacking');
    await google.securityEvents.settled();
    google.accounts.enable(OFFICE);
    const events = await eventsIn(google, received);
    expect(events.map((event) => Object.keys(event)[0]).sort()).toEqual([
      `${OAUTH}tokens-revoked`,
      `${RISC}account-disabled`,
      `${RISC}account-enabled`,
      `${RISC}sessions-revoked`,
    ]);
    expect(events.find((event) => `${RISC}account-disabled` in event)).toMatchObject({
      [`${RISC}account-disabled`]: { reason: 'hijacking' },
    });
  });

  it('can be sent by hand, for the ones that only Google knows a reason for', async () => {
    const google = await start();
    const received = await receiver(google);
    const { sub } = google.accounts.get(DANA);
    google.securityEvents.tell(CLIENT.id, null, 'verification', { state: 'hello' });
    google.securityEvents.tell(CLIENT.id, sub, 'account-credential-change-required');
    const events = await eventsIn(google, received);
    expect(events).toContainEqual({ [`${RISC}verification`]: { state: 'hello' } });
    expect(events).toContainEqual({
      [`${RISC}account-credential-change-required`]: {
        subject: { subject_type: 'iss-sub', iss: `${google.url}/`, sub },
      },
    });
  });

  it('go to addresses on this computer only, and to nobody who did not ask', async () => {
    const google = await start();
    expect(() => google.policies.setApp(CLIENT.id, { securityEventsUrl: 'https://else.example/events' })).toThrow();
    await connect(google, OFFICE, ['send']);
    google.accounts.removeAccess(OFFICE, CLIENT.id);
    expect(google.securityEvents.sent()).toEqual([]);
  });
});

describe('an event that is not taken', () => {
  /** A receiver that answers these statuses in turn, and keeps what came. */
  async function moody(google: LocalGoogle, ...statuses: number[]): Promise<string[]> {
    const tokens: string[] = [];
    const server = createServer(async (req, res) => {
      const chunks: Buffer[] = [];
      for await (const chunk of req) chunks.push(chunk);
      tokens.push(Buffer.concat(chunks).toString());
      res.writeHead(statuses[tokens.length - 1] ?? 500).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.push(() => new Promise((resolve) => server.close(resolve)));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    google.policies.setApp(CLIENT.id, { securityEventsUrl: `http://127.0.0.1:${port}/events` });
    return tokens;
  }
  const minutes = async (google: LocalGoogle, count: number) => {
    google.clock.forward(count * 60_000);
    await google.securityEvents.settled();
  };

  it('comes again, the very same, when its time has come, until it is answered with 202', async () => {
    const google = await start();
    const tokens = await moody(google, 503, 200, 202);
    google.securityEvents.tell(CLIENT.id, null, 'verification', { state: 'hello' });
    await google.securityEvents.settled();
    expect(google.securityEvents.sent()).toMatchObject([{ status: 503, tries: 1, nextAt: expect.any(Number) }]);
    await minutes(google, 0.9);
    expect(tokens).toHaveLength(1);
    await minutes(google, 0.2);
    expect(tokens).toHaveLength(2);
    await minutes(google, 6);
    await minutes(google, 1_000);
    expect(tokens).toHaveLength(3);
    expect(new Set(tokens).size).toBe(1);
    expect(google.securityEvents.sent()).toMatchObject([{ status: 202, tries: 3, nextAt: null }]);
  });

  it('is given up after five times', async () => {
    const google = await start();
    const tokens = await moody(google);
    google.securityEvents.tell(CLIENT.id, null, 'verification');
    await google.securityEvents.settled();
    for (let day = 0; day < 7; day += 1) await minutes(google, 1_440);
    expect(tokens).toHaveLength(5);
    expect(google.securityEvents.sent()).toMatchObject([{ status: 500, tries: 5, nextAt: null }]);
  });

  it('comes again also when nobody listened', async () => {
    const google = await start();
    google.policies.setApp(CLIENT.id, { securityEventsUrl: 'http://127.0.0.1:1/events' });
    google.securityEvents.tell(CLIENT.id, null, 'verification');
    await google.securityEvents.settled();
    await minutes(google, 2);
    expect(google.securityEvents.sent()).toMatchObject([{ status: null, problem: expect.any(String), tries: 2 }]);
  });
});
