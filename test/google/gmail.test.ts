import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { gmail } from 'googleapis/build/src/apis/gmail/index.js';
import { type LocalGoogle, startLocalGoogle } from 'local-google';
import PostalMime from 'postal-mime';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type GoogleApp, oauthClient } from '../../src/google/app.ts';
import { type AccessToken, listSendAs, sendMessage } from '../../src/google/gmail.ts';
import { refreshAccessToken } from '../../src/google/oauth.ts';
import { ACCOUNT, appOf, CLIENT, consentOf, MAIL } from './google-app.ts';

let google: LocalGoogle;
let app: GoogleApp;
let token: AccessToken;

beforeAll(async () => {
  google = await startLocalGoogle({ port: 0, clients: [CLIENT] });
  app = await appOf(google);
});
beforeEach(async () => {
  ({ token } = await consentOf(google));
  google.truth.resetCalls();
});
afterAll(() => google.close());

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

describe('a message', () => {
  it('arrives byte for byte, and its ids come back', async () => {
    const sent = await sendMessage(app, token, MAIL, 60_000);
    const [copy] = google.mail.messages('mira@northgate.example').slice(-1);
    if (!copy) throw new Error('Nothing arrived');
    const mail = await PostalMime.parse(google.mail.raw(copy));
    expect(mail.text?.trim()).toBe('A secret body, never to be seen in a log.');
    expect(google.truth.accepted().at(-1)).toMatchObject({ id: sent.id, account: ACCOUNT, subject: 'Invoice 141' });
  });

  it('of ten megabytes goes through, where the JSON endpoint would refuse it', async () => {
    const large = Buffer.concat([MAIL, Buffer.alloc(10 * 1024 * 1024, 'A line of text that is long enough.\r\n')]);
    await sendMessage(app, token, large, 60_000);
    expect(google.truth.calls('messages.send')).toBe(1);
  });
});

/** A proxy through which everything would go that is not for this machine: it lets nothing out and writes down who was asked for. */
describe('the way to Gmail', () => {
  const asked: string[] = [];
  const proxy = createServer((req, res) => {
    asked.push(req.url ?? '');
    res.writeHead(502).end();
  });
  proxy.on('connect', (req: IncomingMessage, socket: Socket) => {
    asked.push(req.url ?? '');
    socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
  });
  const before = { ...process.env };

  beforeAll(async () => {
    const address = `http://127.0.0.1:${await listening(proxy)}`;
    Object.assign(process.env, { HTTPS_PROXY: address, HTTP_PROXY: address, NO_PROXY: '127.0.0.1' });
  });
  afterEach(() => void asked.splice(0));
  afterAll(() => {
    for (const name of ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY']) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
    proxy.close();
  });

  it('is the configured one for sends, lists and refreshes: Google itself is never contacted', async () => {
    const { refreshToken } = await consentOf(google);
    await sendMessage(app, token, MAIL, 60_000);
    await listSendAs(app, token);
    await refreshAccessToken(app, refreshToken);
    expect(google.truth.calls('messages.send')).toBe(1);
    expect(asked).toEqual([]);
  });

  it('would be Google itself for an upload with the root of the client alone: this test would see it', async () => {
    const auth = oauthClient(app);
    auth.setCredentials({ access_token: token.token, expiry_date: token.expiresAt.getTime() });
    const client = gmail({ version: 'v1', auth, rootUrl: app.endpoints.gmailRoot });
    const media = { mimeType: 'message/rfc822', body: MAIL };
    await client.users.messages.send({ userId: 'me', media }, { retry: false }).catch(() => undefined);
    expect(asked).toEqual(['gmail.googleapis.com:443']);
  });
});

describe('the Send mail as list', () => {
  it('has the account first, then its aliases, each with the status that Gmail wrote', async () => {
    google.accounts.addSendAs(ACCOUNT, { email: 'Plain@brightwater.example', status: 'none' });
    expect(
      (await listSendAs(app, token)).map((entry) => [entry.email, entry.isPrimary, entry.verificationStatus]),
    ).toEqual([
      [ACCOUNT, true, null],
      ['accounts@brightwater.example', false, 'accepted'],
      ['plain@brightwater.example', false, null],
      ['sales@brightwater.example', false, 'pending'],
    ]);
  });

  it('is asked for no longer than the timeout', async () => {
    const server = createServer(() => undefined);
    const port = await listening(server);
    try {
      const slow = { ...app, timeoutMs: 100, endpoints: { ...app.endpoints, gmailRoot: `http://127.0.0.1:${port}/` } };
      const connected = once(server, 'connection');
      await expect(listSendAs(slow, token)).rejects.toMatchObject({ failure: { kind: 'lost' } });
      await connected;
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});

describe('a refresh', () => {
  /** A token endpoint that answers what it is told to. */
  async function refreshed(body: object) {
    const server = createServer(
      (_req, res) => void res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
    );
    const port = await listening(server);
    try {
      const endpoints = { ...app.endpoints, token: `http://127.0.0.1:${port}/token` };
      return await refreshAccessToken({ ...app, endpoints }, '1//0old');
    } finally {
      server.close();
    }
  }

  it('brings no refresh token, where Google sent none', async () => {
    const answer = await refreshed({ access_token: 'ya29.new', expires_in: 3599, scope: 'openid email' });
    expect(answer).toEqual({ accessToken: 'ya29.new', expiresInMs: expect.any(Number), scopes: ['openid', 'email'] });
    expect(Math.round(answer.expiresInMs / 60_000)).toBe(60);
  });

  it('brings the new refresh token, where Google sent one', async () => {
    const answer = await refreshed({ access_token: 'ya29.new', expires_in: 3599, refresh_token: '1//0new' });
    expect(answer).toMatchObject({ refreshToken: '1//0new' });
  });

  it.each([{}, { access_token: 'ya29.new' }, { access_token: 7, expires_in: 3599 }])(
    'that cannot be read is said to be so: %o',
    async (body) => {
      await expect(refreshed(body)).rejects.toMatchObject({ name: 'GoogleError', code: 'UNREADABLE' });
    },
  );
});
