import { describe, expect, it } from 'vitest';
import { CLIENT, connect, DANA, gmailOf, OFFICE, refusal, send, start } from './support.ts';

const lost = async (call: Promise<unknown>): Promise<boolean> => {
  try {
    await call;
    return false;
  } catch (error) {
    return Reflect.get(Object(error), 'response') === undefined;
  }
};

describe('faults', () => {
  it('drops the connection before the message is read: nothing was sent', async () => {
    const google = await start();
    const gmail = gmailOf(google, await connect(google, OFFICE, ['send']));
    const fault = google.faults.add({ method: 'messages.send', effect: { kind: 'drop', when: 'before' } });
    expect(await lost(send(gmail))).toBe(true);
    expect(google.truth.accepted()).toHaveLength(0);
    expect(fault.fired).toBe(1);
    await send(gmail);
    expect(google.truth.accepted()).toHaveLength(1);
    expect(google.truth.methods()['messages.send']).toEqual({ calls: 2, answers: { dropped: 1, 200: 1 } });
  });

  it('drops the connection after accepting: it was sent, and nobody was told', async () => {
    const google = await start();
    const gmail = gmailOf(google, await connect(google, OFFICE, ['send']));
    google.faults.add({ method: 'messages.send', effect: { kind: 'drop', when: 'after' } });
    expect(await lost(send(gmail))).toBe(true);
    expect(google.truth.accepted()).toHaveLength(1);
  });

  it.each(['before', 'after'] as const)('answers 503 %s the work', async (when) => {
    const google = await start();
    const gmail = gmailOf(google, await connect(google, OFFICE, ['send']));
    google.faults.add({ method: 'messages.send', effect: { kind: 'serverError', status: 503, when } });
    expect(await refusal(send(gmail))).toMatchObject({ status: 503, reason: 'backendError' });
    expect(google.truth.accepted()).toHaveLength(when === 'after' ? 1 : 0);
  });

  it('puts the retry time of a 429 into the message, after two spaces', async () => {
    const google = await start();
    const gmail = gmailOf(google, await connect(google, OFFICE, ['send']));
    const retryAt = '2026-11-21T09:30:00.000Z';
    google.faults.add({ method: 'messages.send', effect: { kind: 'tooMany', limit: 'rate', retryAt } });
    google.faults.add({ method: 'messages.send', effect: { kind: 'tooMany', limit: 'sending', retryAt } });
    google.faults.add({ method: 'messages.send', effect: { kind: 'tooMany', limit: 'concurrent' } });
    expect(await refusal(send(gmail))).toMatchObject({
      status: 429,
      message: `User-rate limit exceeded.  Retry after ${retryAt}`,
    });
    expect(await refusal(send(gmail))).toMatchObject({
      status: 429,
      message: `User-rate limit exceeded.  Retry after ${retryAt} (Mail sending)`,
    });
    expect(await refusal(send(gmail))).toMatchObject({ status: 429, message: 'Too many concurrent requests for user' });
    expect(google.truth.accepted()).toHaveLength(0);
  });

  it.each([
    [{ kind: 'unauthorized' } as const, 401, 'authError'],
    [{ kind: 'forbidden', reason: 'domainPolicy' } as const, 403, 'domainPolicy'],
    [{ kind: 'forbidden', reason: 'accessNotConfigured' } as const, 403, 'accessNotConfigured'],
    [{ kind: 'forbidden', reason: 'userRateLimitExceeded' } as const, 403, 'userRateLimitExceeded'],
    [{ kind: 'mailNotEnabled' } as const, 400, 'failedPrecondition'],
    [{ kind: 'notFound' } as const, 404, 'notFound'],
  ])('answers %o in Google’s words', async (effect, status, reason) => {
    const google = await start();
    const client = await connect(google, OFFICE, ['send']);
    google.faults.add({ method: '*', account: OFFICE, effect });
    const response = await fetch(`${google.url}/gmail/v1/users/me/messages/send`, {
      method: 'POST',
      headers: { authorization: `Bearer ${client.credentials.access_token}` },
    });
    expect({ status: response.status, body: await response.json() }).toMatchObject({
      status,
      body: { error: { errors: [{ reason }] } },
    });
  });

  it('strikes one account only, skips as told, and stops after its times', async () => {
    const google = await start();
    const office = gmailOf(google, await connect(google, OFFICE, ['send']));
    const dana = gmailOf(google, await connect(google, DANA, ['send']));
    const effect = { kind: 'serverError', status: 500, when: 'before' } as const;
    google.faults.add({ method: 'messages.send', account: OFFICE, skip: 1, times: 2, effect });
    await send(office);
    await send(dana);
    expect((await refusal(send(office))).status).toBe(500);
    expect((await refusal(send(office))).status).toBe(500);
    await send(office);
  });

  it('lets the token endpoint fail for one account', async () => {
    const google = await start();
    const office = await connect(google, OFFICE, ['send']);
    const dana = await connect(google, DANA, ['send']);
    google.faults.add({ method: 'token', account: OFFICE, effect: { kind: 'invalidGrant' } });
    const refresh = async (client: typeof office) => {
      const form = { grant_type: 'refresh_token', client_id: CLIENT.id, client_secret: CLIENT.secret };
      const body = new URLSearchParams({ ...form, refresh_token: client.credentials.refresh_token ?? '' });
      const response = await fetch(`${google.url}/token`, { method: 'POST', body });
      return { status: response.status, error: Object(await response.json()).error };
    };
    expect(await refresh(dana)).toEqual({ status: 200, error: undefined });
    expect(await refresh(office)).toEqual({ status: 400, error: 'invalid_grant' });
    expect(await refresh(office)).toEqual({ status: 200, error: undefined });
  });

  it('hangs until the caller gives up, and closes all the same', async () => {
    const google = await start();
    const client = await connect(google, OFFICE, ['send']);
    google.faults.add({ method: 'messages.send', effect: { kind: 'hang', when: 'after' } });
    google.faults.add({ method: 'messages.send', effect: { kind: 'slow', ms: 600_000 } });
    const gmail = gmailOf(google, client);
    const hanging = lost(send(gmail));
    const slow = lost(send(gmail));
    await expect.poll(() => google.truth.calls('messages.send')).toBe(2);
    await expect.poll(() => google.truth.accepted().length).toBe(1);
    await google.close();
    expect(await Promise.all([hanging, slow])).toEqual([true, true]);
  });
});

describe('a call that a slow rule holds up', () => {
  it('goes on when the rule is taken away', async () => {
    const google = await start();
    const gmail = gmailOf(google, await connect(google, OFFICE, ['send']));
    const slow = google.faults.add({ method: 'messages.send', effect: { kind: 'slow', ms: 600_000 } });
    const sending = send(gmail);
    await expect.poll(() => slow.fired).toBe(1);
    expect(google.truth.accepted()).toEqual([]);
    google.faults.remove(slow.id);
    await sending;
    expect(google.truth.accepted()).toHaveLength(1);
  });
});

describe('control over HTTP', () => {
  it('sets, counts and clears faults', async () => {
    const google = await start();
    const gmail = gmailOf(google, await connect(google, OFFICE, ['send']));
    const rule = { method: 'messages.send', effect: { kind: 'unauthorized' } };
    const post = (body: unknown) =>
      fetch(`${google.url}/control/faults`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    expect((await post(rule)).status).toBe(201);
    expect((await post({ method: 'messages.send', effect: { kind: 'magic' } })).status).toBe(400);
    expect(await lost(send(gmail))).toBe(false);
    const listed = await (await fetch(`${google.url}/control/faults`)).json();
    expect(listed).toMatchObject({ faults: [{ method: 'messages.send', times: 1, fired: 1 }] });
    await fetch(`${google.url}/control/faults`, { method: 'DELETE' });
    expect(await (await fetch(`${google.url}/control/faults`)).json()).toEqual({
      faults: [],
      fired: { unauthorized: 1 },
    });
  });

  it('tells every accepted message, with its bytes on demand, and the calls per method', async () => {
    const google = await start();
    const gmail = gmailOf(google, await connect(google, OFFICE, ['send']));
    await send(gmail, { 'X-Letterhead-Delivery': 'd-7' });
    const told = Object(await (await fetch(`${google.url}/control/accepted?raw=1`)).json());
    expect(told.accepted).toMatchObject([{ order: 1, deliveryId: 'd-7', account: OFFICE }]);
    expect(Buffer.from(told.accepted[0].raw, 'base64').toString()).toContain('X-Letterhead-Delivery: d-7');
    expect(told.methods).toMatchObject({ token: { calls: 1 }, 'messages.send': { calls: 1, answers: { 200: 1 } } });
    const plain = Object(await (await fetch(`${google.url}/control/accepted`)).json());
    expect(plain.accepted[0]).not.toHaveProperty('raw');
  });
});
