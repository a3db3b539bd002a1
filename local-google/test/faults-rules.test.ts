import { describe, expect, it } from 'vitest';
import { drawLatency, seededRandom } from '../src/fault-effects.ts';
import { connect, DANA, gmailOf, OFFICE, refusal, send, start } from './support.ts';

const SERVER_ERROR = { kind: 'serverError', status: 500, when: 'before' } as const;

describe('a fault rule', () => {
  const outcomes = async (google: Awaited<ReturnType<typeof start>>, count: number): Promise<string> => {
    const client = await connect(google, OFFICE, ['readonly']);
    const url = `${google.url}/gmail/v1/users/me/profile`;
    const headers = { authorization: `Bearer ${client.credentials.access_token}` };
    let said = '';
    for (let n = 0; n < count; n += 1) said += (await fetch(url, { headers })).ok ? '.' : 'x';
    return said;
  };

  it('strikes a share of the calls, the same ones for the same seed', async () => {
    const google = await start();
    google.faults.add({ method: 'getProfile', share: 0.25, seed: 7, effect: SERVER_ERROR });
    const first = await outcomes(google, 200);
    google.faults.clear();
    google.faults.add({ method: 'getProfile', share: 0.25, seed: 7, effect: SERVER_ERROR });
    expect(await outcomes(google, 200)).toBe(first);
    google.faults.clear();
    google.faults.add({ method: 'getProfile', share: 0.25, seed: 8, effect: SERVER_ERROR });
    expect(await outcomes(google, 200)).not.toBe(first);
    expect(first.replaceAll('.', '').length).toBeGreaterThan(25);
    expect(first.replaceAll('.', '').length).toBeLessThan(75);
  });

  it('strikes every nth call after those it skips', async () => {
    const google = await start();
    const fault = google.faults.add({ method: 'getProfile', skip: 2, every: 3, effect: SERVER_ERROR });
    expect(await outcomes(google, 12)).toBe('....x..x..x.');
    expect(fault).toMatchObject({ fired: 3, times: Infinity });
  });

  it('lasts as long as the server’s clock says', async () => {
    const google = await start();
    google.faults.add({ method: '*', account: OFFICE, forMs: 60_000, effect: SERVER_ERROR });
    expect(await outcomes(google, 3)).toBe('xxx');
    expect(google.faults.waiting()).toHaveLength(1);
    google.clock.forward(60_000);
    expect(await outcomes(google, 2)).toBe('..');
    expect(google.faults.waiting()).toHaveLength(0);
  });

  it('leaves the others alone when it is taken away, and what fired stays counted', async () => {
    const google = await start();
    const one = google.faults.add({ method: 'getProfile', times: 5, effect: SERVER_ERROR });
    google.faults.add({ method: 'getProfile', times: 5, effect: { kind: 'unauthorized' } });
    await outcomes(google, 1);
    google.faults.remove(one.id);
    await outcomes(google, 1);
    expect(google.faults.list()).toHaveLength(1);
    expect(google.faults.fired()).toEqual({ serverError: 1, unauthorized: 1 });
  });

  it.each([
    { method: 'messages.send', share: 1.5, effect: SERVER_ERROR },
    { method: 'messages.send', every: 0, effect: SERVER_ERROR },
    { method: '', effect: SERVER_ERROR },
    { method: 'messages.send', effect: { kind: 'slow', ms: { min: 10, max: 5 } } as const },
  ])('that makes no sense is refused: %o', async (rule) => {
    const google = await start();
    expect(() => google.faults.add(rule)).toThrow();
  });
});

describe('a broken connection', () => {
  const broken = async (call: Promise<unknown>): Promise<string> => {
    try {
      await call;
      return 'fine';
    } catch (error) {
      const cause = Reflect.get(Object(Reflect.get(Object(error), 'cause')), 'code');
      return String(cause ?? Reflect.get(Object(error), 'code') ?? Reflect.get(Object(error), 'message'));
    }
  };

  it.each(['before', 'after'] as const)('is reset as a TLS failure would, %s the work', async (when) => {
    const google = await start();
    const gmail = gmailOf(google, await connect(google, OFFICE, ['send']));
    google.faults.add({ method: 'messages.send', effect: { kind: 'reset', when } });
    expect(await broken(send(gmail))).toMatch(/ECONNRESET|UND_ERR_SOCKET|EPIPE/);
    expect(google.truth.accepted()).toHaveLength(when === 'after' ? 1 : 0);
  });

  it('is cut in the middle of the answer, after the work', async () => {
    const google = await start();
    const client = await connect(google, OFFICE, ['send']);
    google.faults.add({ method: 'messages.send', effect: { kind: 'drop', when: 'middle' } });
    const response = await fetch(`${google.url}/gmail/v1/users/me/messages/send`, {
      method: 'POST',
      headers: { authorization: `Bearer ${client.credentials.access_token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ raw: Buffer.from('To: a@b.example\r\n\r\nHi').toString('base64url') }),
    });
    expect(response.status).toBe(200);
    expect(await broken(response.json())).not.toBe('fine');
    expect(google.truth.accepted()).toHaveLength(1);
    expect(google.truth.methods()['messages.send']).toMatchObject({ answers: { cut: 1 } });
  });
});

describe('a malformed answer', () => {
  it.each(['cut', 'html'] as const)('says 200 and is no JSON (%s)', async (as) => {
    const google = await start();
    const client = await connect(google, OFFICE, ['readonly']);
    google.faults.add({ method: 'getProfile', effect: { kind: 'malformed', when: 'after', as } });
    const response = await fetch(`${google.url}/gmail/v1/users/me/profile`, {
      headers: { authorization: `Bearer ${client.credentials.access_token}` },
    });
    expect(response.status).toBe(200);
    await expect(response.json()).rejects.toThrow(SyntaxError);
  });

  it('leaves a send done when it comes after the work', async () => {
    const google = await start();
    const gmail = gmailOf(google, await connect(google, OFFICE, ['send']));
    google.faults.add({ method: 'messages.send', times: 1, effect: { kind: 'malformed', when: 'after' } });
    google.faults.add({ method: 'messages.send', times: 1, effect: { kind: 'malformed', when: 'before' } });
    await send(gmail).catch(() => undefined);
    await send(gmail).catch(() => undefined);
    expect(google.truth.accepted()).toHaveLength(1);
  });
});

describe('a refusal', () => {
  it.each([
    'insufficientPermissions',
    'domainPolicy',
    'accessNotConfigured',
    'dailyLimitExceeded',
    'rateLimitExceeded',
    'userRateLimitExceeded',
  ] as const)('403 %s sends nothing', async (reason) => {
    const google = await start();
    const gmail = gmailOf(google, await connect(google, DANA, ['send']));
    google.faults.add({ method: 'messages.send', account: DANA, effect: { kind: 'forbidden', reason } });
    expect(await refusal(send(gmail))).toMatchObject({ status: 403, reason });
    expect(google.truth.accepted()).toHaveLength(0);
  });

  it('says now plus a minute where no retry time was given', async () => {
    const google = await start({ now: () => Date.parse('2026-11-21T09:29:00Z') });
    const gmail = gmailOf(google, await connect(google, DANA, ['send']));
    google.faults.add({ method: 'messages.send', effect: { kind: 'tooMany', limit: 'rate' } });
    expect((await refusal(send(gmail))).message).toBe(
      'User-rate limit exceeded.  Retry after 2026-11-21T09:30:00.000Z',
    );
  });
});

describe('a latency', () => {
  it('is the same always, between two bounds, or half below its median and one in a hundred beyond its p99', () => {
    const random = seededRandom(3);
    expect(drawLatency(40, random)).toBe(40);
    const between = Array.from({ length: 500 }, () => drawLatency({ min: 10, max: 20 }, random));
    expect(Math.min(...between)).toBeGreaterThanOrEqual(10);
    expect(Math.max(...between)).toBeLessThan(20);
    const real = Array.from({ length: 20_000 }, () => drawLatency({ median: 100, p99: 900 }, random));
    const share = (limit: number) => real.filter((ms) => ms > limit).length / real.length;
    expect(share(100)).toBeCloseTo(0.5, 1);
    expect(share(900)).toBeGreaterThan(0.005);
    expect(share(900)).toBeLessThan(0.02);
  });
});
