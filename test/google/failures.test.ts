import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer, request as httpsRequest } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { inspect } from 'node:util';
import { type LocalGoogle, startLocalGoogle } from 'local-google';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { GoogleApp } from '../../src/google/app.ts';
import { GoogleError, readFailure } from '../../src/google/errors.ts';
import { type AccessToken, listSendAs, sendMessage } from '../../src/google/gmail.ts';
import { refreshAccessToken, revokeGrant } from '../../src/google/oauth.ts';
import { standingClock } from '../support/clock.ts';
import { eventually } from '../support/eventually.ts';
import { appOf, CLIENT, consentOf, MAIL, selfSigned } from './google-app.ts';

let google: LocalGoogle;
let app: GoogleApp;
let token: AccessToken;
let refreshToken: string;

beforeAll(async () => {
  google = await startLocalGoogle({ port: 0, clients: [CLIENT] });
  app = await appOf(google);
});
beforeEach(async () => {
  ({ token, refreshToken } = await consentOf(google));
  google.truth.resetCalls();
});
afterEach(() => google.faults.clear());
afterAll(() => google.close());

/** What a call threw, after a look that it tells no secret. */
async function failureOf(call: Promise<unknown>) {
  const error: unknown = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof GoogleError)) throw new Error(`Not a GoogleError: ${inspect(error)}`);
  const seen = [
    JSON.stringify(error),
    inspect(error, { depth: 10, showHidden: true }),
    error.stack,
    String(error),
  ].join();
  for (const secret of [
    token.token,
    refreshToken,
    CLIENT.secret,
    'A secret body',
    MAIL.toString('base64'),
    MAIL.toString('base64url'),
  ]) {
    expect(seen).not.toContain(secret);
  }
  return error.failure;
}

const send = (over: Partial<GoogleApp> = {}, timeoutMs = 60_000) =>
  sendMessage({ ...app, ...over }, token, MAIL, timeoutMs);
const sends = () => google.truth.calls('messages.send');
const at = (gmailRoot: string) => ({ endpoints: { ...app.endpoints, gmailRoot } });

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

describe('a send that Gmail answers with', () => {
  it.each([
    [{ kind: 'unauthorized' }, 401, 'authError'],
    [{ kind: 'forbidden', reason: 'insufficientPermissions' }, 403, 'insufficientPermissions'],
    [{ kind: 'forbidden', reason: 'domainPolicy' }, 403, 'domainPolicy'],
    [{ kind: 'forbidden', reason: 'accessNotConfigured' }, 403, 'accessNotConfigured'],
    [{ kind: 'tooMany', limit: 'rate' }, 429, 'userRateLimitExceeded'],
    [{ kind: 'tooMany', limit: 'sending' }, 429, 'userRateLimitExceeded'],
    [{ kind: 'mailNotEnabled' }, 400, 'failedPrecondition'],
    [{ kind: 'notFound' }, 404, 'notFound'],
    [{ kind: 'serverError', status: 500, when: 'before' }, 500, 'backendError'],
    [{ kind: 'serverError', status: 503, when: 'after' }, 503, 'backendError'],
  ] as const)('%o is told as it is, and not repeated', async (effect, status, reason) => {
    google.faults.add({ method: 'messages.send', times: 10, effect });
    expect(await failureOf(send())).toMatchObject({ kind: 'answered', status, reason });
    expect(sends()).toBe(1);
  });

  it.each(['before', 'after'] as const)(
    'nothing, the connection cut %s the work, has an unknown outcome',
    async (when) => {
      google.faults.add({ method: 'messages.send', times: 10, effect: { kind: 'drop', when } });
      expect(await failureOf(send())).toMatchObject({ kind: 'lost', code: 'ECONNRESET' });
      expect(sends()).toBe(1);
    },
  );

  it.each(['before', 'after'] as const)('nothing for too long, %s the work, has an unknown outcome', async (when) => {
    google.faults.add({ method: 'messages.send', times: 10, effect: { kind: 'hang', when } });
    const begun = Date.now();
    expect(await failureOf(send({}, 300))).toMatchObject({ kind: 'lost', code: 'TimeoutError' });
    expect(Date.now() - begun).toBeLessThan(30_000);
    expect(sends()).toBe(1);
  });

  it.each([
    ['{"threadId":"1"}', 'application/json'],
    ['<html>Hello from a proxy</html>', 'text/html'],
    ['', 'application/json'],
  ])('200 and %s has an unknown outcome: it may well have sent', async (body, type) => {
    const server = createServer((_req, res) => void res.writeHead(200, { 'content-type': type }).end(body));
    const port = await listening(server);
    try {
      expect(await failureOf(send(at(`http://127.0.0.1:${port}/`)))).toMatchObject({
        kind: 'lost',
        code: 'UNREADABLE',
      });
    } finally {
      server.close();
    }
  });
});

describe('a list that Gmail answers with 503', () => {
  it('is asked for again by the app’s clock, three times at most', async () => {
    const clock = standingClock();
    google.faults.add({
      method: 'sendAs.list',
      times: 10,
      effect: { kind: 'serverError', status: 503, when: 'before' },
    });
    const list = failureOf(listSendAs({ ...app, clock }, token));
    for (const [again, ms] of [100, 500, 1_500].entries()) {
      await eventually(clock.untilNext, (left) => left === ms);
      expect(google.truth.calls('sendAs.list')).toBe(again + 1);
      clock.forward(ms - 1);
      expect(clock.untilNext()).toBe(1);
      clock.forward(1);
    }
    expect(await list).toMatchObject({ kind: 'answered', status: 503 });
    expect(google.truth.calls('sendAs.list')).toBe(4);
  });
});

describe('a connection whose encryption breaks', () => {
  it('after the request is through has an unknown outcome', async () => {
    let received = false;
    const server = createTlsServer(await selfSigned());
    server.on('connection', (raw: Socket) => {
      // What a broken box between us and Google would do: garbage in the middle of the encrypted stream.
      server.once('request', () => {
        received = true;
        raw.write(Buffer.alloc(64, 0xff));
      });
    });
    const port = await listening(server);
    try {
      const request = httpsRequest({ host: '127.0.0.1', port, method: 'POST', rejectUnauthorized: false });
      const [error] = await new Promise<unknown[]>((resolve) => {
        request.on('error', (thrown) => resolve([thrown]));
        request.end(MAIL);
      });
      expect(received).toBe(true);
      expect(Object(error).code).toMatch(/^(EPROTO|ERR_SSL)/);
      expect(readFailure(error)).toMatchObject({ kind: 'lost' });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});

describe('a send that never left', () => {
  it('because nobody listens', async () => {
    const server = createServer();
    const port = await listening(server);
    await new Promise((resolve) => server.close(resolve));
    expect(await failureOf(send(at(`http://127.0.0.1:${port}/`)))).toMatchObject({
      kind: 'not_sent',
      code: 'ECONNREFUSED',
    });
  });

  it('because the name is not known', async () => {
    // RFC 6761: .invalid never resolves. The code is the resolver's own, which may take its time.
    expect(await failureOf(send(at('http://gmail.invalid/'), 120_000))).toMatchObject({
      kind: 'not_sent',
      code: expect.stringMatching(/ENOTFOUND|EAI_AGAIN/),
    });
  });

  it('because the certificate is not to be trusted', async () => {
    let requests = 0;
    const server = createTlsServer(await selfSigned(), (_req, res) => {
      requests += 1;
      res.end('{}');
    });
    const port = await listening(server);
    try {
      expect(await failureOf(send(at(`https://127.0.0.1:${port}/`)))).toMatchObject({
        kind: 'not_sent',
        code: expect.stringMatching(/SELF_SIGNED|UNABLE_TO_VERIFY/),
      });
      expect(requests).toBe(0);
    } finally {
      server.close();
    }
  });
});

describe('a refresh that goes wrong tells no token', () => {
  it.each([
    [{ kind: 'invalidGrant' }, { kind: 'answered', status: 400, reason: 'invalid_grant' }],
    [{ kind: 'invalidGrant', description: 'reauth related error (invalid_rapt)' }, { reason: 'invalid_grant' }],
    [{ kind: 'invalidClient' }, { kind: 'answered', status: 401, reason: 'invalid_client' }],
    [{ kind: 'drop', when: 'after' }, { kind: 'lost' }],
    [{ kind: 'hang', when: 'before' }, { kind: 'lost' }],
  ] as const)('%o', async (effect, expected) => {
    google.faults.add({ method: 'token', times: 10, effect });
    expect(
      await failureOf(refreshAccessToken({ ...app, timeoutMs: effect.kind === 'hang' ? 200 : 30_000 }, refreshToken)),
    ).toMatchObject(expected);
  });
});

describe('other calls', () => {
  it('say that the permission is missing', async () => {
    const narrow = await consentOf(google, ['gmail.send']);
    const failure = await failureOf(listSendAs(app, narrow.token));
    expect(failure).toMatchObject({ kind: 'answered', status: 403, reason: 'insufficientPermissions' });
  });

  it('take a grant that is gone already as revoked, but not a Google in trouble', async () => {
    await revokeGrant(app, refreshToken);
    await revokeGrant(app, refreshToken);
    google.faults.add({ method: 'revoke', times: 10, effect: { kind: 'unauthorized' } });
    expect(await failureOf(revokeGrant(app, refreshToken))).toMatchObject({ kind: 'answered', status: 401 });
  });
});
