import { afterEach, describe, expect, it } from 'vitest';
import { GOOGLE_QUOTAS } from '../../src/quotas/settings.ts';
import { connect, DANA, MIRA, OFFICE, office, patient, refusal, renewed, sendMail } from './support.ts';

/** A clock that stands still, so that retry times are exact. */
const frozen = () => {
  const begun = Date.now();
  return { begun, options: { now: () => begun } };
};

const bodyOf = async (url: string, token: string) => {
  const response = await fetch(`${url}/gmail/v1/users/me/profile`, { headers: { authorization: `Bearer ${token}` } });
  return { status: response.status, headers: response.headers, body: await response.json() };
};

describe('units', () => {
  it('are not counted at first', async () => {
    const { google, gmail } = await office();
    expect(Object.values(google.quotas.settings).filter((value) => typeof value === 'number')).toEqual([500]);
    await sendMail(gmail);
  });

  it('let a new project send 60 a minute for a user, and tell when to go on', async () => {
    const { begun, options } = frozen();
    const { google, gmail } = await office(['modify'], options);
    google.quotas.set(GOOGLE_QUOTAS.newProject);
    for (let n = 0; n < 60; n += 1) await sendMail(gmail);
    expect(await refusal(sendMail(gmail))).toEqual({
      status: 429,
      reason: 'userRateLimitExceeded',
      message: `User-rate limit exceeded.  Retry after ${new Date(begun + 60_000).toISOString()}`,
    });
    google.clock.forward(59_999);
    expect(await refusal(sendMail(gmail))).toMatchObject({ status: 429 });
    google.clock.forward(1);
    await sendMail(gmail);
    expect(google.truth.accepted()).toHaveLength(61);
  });

  it.each([
    ['messages.send', 100, (g: Client) => sendMail(g)],
    ['messages.list', 5, (g: Client) => g.users.messages.list({ userId: 'me' })],
    ['history.list', 2, (g: Client) => g.users.history.list({ userId: 'me', startHistoryId: '1000' })],
    ['getProfile', 1, (g: Client) => g.users.getProfile({ userId: 'me' })],
    ['labels.list', 1, (g: Client) => g.users.labels.list({ userId: 'me' })],
    ['sendAs.list', 1, (g: Client) => g.users.settings.sendAs.list({ userId: 'me' })],
    [
      'drafts.create',
      10,
      (g: Client) => g.users.drafts.create({ userId: 'me', requestBody: { message: { raw: 'QQ' } } }),
    ],
  ])('%s costs %i', async (_method, units, call) => {
    const { google, gmail } = await office();
    google.quotas.set({ userUnitsPerMinute: units });
    await call(gmail);
    expect(await refusal(gmail.users.getProfile({ userId: 'me' }))).toMatchObject({ status: 429 });
    google.quotas.clear();
    google.quotas.set({ userUnitsPerMinute: units + 1 });
    await call(gmail);
    await gmail.users.getProfile({ userId: 'me' });
  });

  it('of a message that is read cost 20, of a draft that is sent 100', async () => {
    const { google, gmail } = await office();
    const { id } = await sendMail(gmail);
    const draft = await gmail.users.drafts.create({
      userId: 'me',
      requestBody: { message: { raw: Buffer.from(`To: ${MIRA}\r\n\r\n`).toString('base64url') } },
    });
    google.quotas.set({ userUnitsPerMinute: 140 });
    await gmail.users.messages.get({ userId: 'me', id });
    await gmail.users.drafts.get({ userId: 'me', id: draft.data.id ?? '' });
    await gmail.users.drafts.send({ userId: 'me', requestBody: { id: draft.data.id ?? '' } });
    expect(await refusal(gmail.users.getProfile({ userId: 'me' }))).toMatchObject({ status: 429 });
  });

  it('are each user’s own, and a project’s together', async () => {
    const { google, gmail } = await office();
    const dana = patient(google, await connect(google, DANA, ['modify']));
    google.quotas.set({ userUnitsPerMinute: 1 });
    await gmail.users.getProfile({ userId: 'me' });
    await dana.users.getProfile({ userId: 'me' });
    google.quotas.clear();
    google.quotas.set({ projectUnitsPerMinute: 1 });
    await gmail.users.getProfile({ userId: 'me' });
    expect(await refusal(dana.users.getProfile({ userId: 'me' }))).toEqual({
      status: 403,
      reason: 'rateLimitExceeded',
      message: 'Rate Limit Exceeded',
    });
  });

  it.each([
    [{ userUnitsPerMinute: 1, userAnswer: '403' }, 403, 'userRateLimitExceeded', 'User Rate Limit Exceeded'],
    [{ userUnitsPerMinute: 1, userAnswer: '429' }, 429, 'userRateLimitExceeded', 'User Rate Limit Exceeded'],
    [{ projectUnitsPerMinute: 1, projectAnswer: '403' }, 403, 'rateLimitExceeded', 'Rate Limit Exceeded'],
    [{ projectUnitsPerMinute: 1, projectAnswer: '429' }, 429, 'rateLimitExceeded', 'Rate Limit Exceeded'],
    [{ projectUnitsPerDay: 1 }, 403, 'dailyLimitExceeded', 'Daily Limit Exceeded'],
  ] as const)('%o answers %i %s', async (settings, status, reason, message) => {
    const { google, gmail } = await office();
    google.quotas.set(settings);
    await gmail.users.getProfile({ userId: 'me' });
    expect(await refusal(gmail.users.getProfile({ userId: 'me' }))).toEqual({ status, reason, message });
  });

  it('have the reason in details alone when newer backends answer, and never a Retry-After header', async () => {
    const { google, token } = await office();
    google.quotas.set({ userUnitsPerMinute: 1, userAnswer: 'details' });
    await bodyOf(google.url, token);
    const { status, headers, body } = await bodyOf(google.url, token);
    expect([status, headers.get('retry-after')]).toEqual([403, null]);
    expect(body).toMatchObject({ error: { details: [{ reason: 'RATE_LIMIT_EXCEEDED' }] } });
    expect(body).not.toHaveProperty('error.errors');
  });

  it('of refused calls count when a test says so: retrying pushes the time out', async () => {
    const { begun, options } = frozen();
    const { google, gmail } = await office(['modify'], options);
    google.quotas.set({ userUnitsPerMinute: 1, refusedCallsCount: true });
    await gmail.users.getProfile({ userId: 'me' });
    google.clock.forward(30_000);
    expect(await refusal(gmail.users.getProfile({ userId: 'me' }))).toMatchObject({
      message: expect.stringContaining(new Date(begun + 60_000).toISOString()),
    });
    expect(await refusal(gmail.users.getProfile({ userId: 'me' }))).toMatchObject({
      message: expect.stringContaining(new Date(begun + 90_000).toISOString()),
    });
  });

  it('are not spent by what is refused for its scope', async () => {
    const { google, gmail } = await office(['send']);
    google.quotas.set({ userUnitsPerMinute: 100 });
    await refusal(gmail.users.getProfile({ userId: 'me' }));
    await sendMail(gmail);
  });
});

describe('the sending limit', () => {
  it('counts messages of rolling 24 hours, over all clients, and names the time it ends', async () => {
    const { begun, options } = frozen();
    const { google, client, gmail } = await office(['send'], options);
    google.quotas.set({ messagesPerDay: 2 });
    await sendMail(gmail);
    google.clock.forward(60_000);
    await sendMail(gmail);
    expect(await refusal(sendMail(gmail))).toEqual({
      status: 429,
      reason: 'userRateLimitExceeded',
      message: `User-rate limit exceeded.  Retry after ${new Date(begun + 86_400_000).toISOString()} (Mail sending)`,
    });
    google.clock.forward(86_400_000 - 60_000);
    await sendMail(await renewed(google, client));
    expect(google.truth.accepted()).toHaveLength(3);
  });

  it.each([
    [{ recipientsPerDay: 3 }, [MIRA, DANA], 'two more recipients'],
    [{ externalRecipientsPerDay: 1 }, [MIRA, 'b@else.example'], 'two recipients outside its domain'],
  ])('%o refuses %o: %s', async (settings, to, _why) => {
    const { google, gmail } = await office(['send']);
    await sendMail(gmail, { to: [DANA, 'office@brightwater.example'] });
    google.quotas.set(settings);
    expect(await refusal(sendMail(gmail, { to }))).toMatchObject({
      message: expect.stringContaining(' (Mail sending)'),
    });
    await sendMail(gmail, { to: DANA });
  });

  it('of one message is 500 recipients, or the 100 of another page', async () => {
    const { google, gmail } = await office(['send']);
    const to = Array.from({ length: 101 }, (_, n) => `r${n}@else.example`);
    await sendMail(gmail, { to });
    google.quotas.set({ recipientsPerMessage: 100 });
    expect(await refusal(sendMail(gmail, { to }))).toMatchObject({ status: 400 });
  });

  it('is remembered across a change of limits, and lifted by null', async () => {
    const { google, gmail } = await office(['send']);
    await sendMail(gmail);
    google.quotas.set({ messagesPerDay: 1 });
    expect(await refusal(sendMail(gmail))).toMatchObject({ status: 429 });
    google.quotas.set({ messagesPerDay: null });
    await sendMail(gmail);
  });
});

describe('requests at the same time', () => {
  const ending: (() => void)[] = [];
  afterEach(() => {
    for (const end of ending.splice(0)) end();
  });

  it('are limited for each user, and free again when one ends', async () => {
    const { google, gmail, token } = await office();
    google.quotas.set({ concurrentPerUser: 1 });
    google.faults.add({ method: 'messages.list', effect: { kind: 'hang', when: 'before' } });
    const hanging = new AbortController();
    ending.push(() => hanging.abort());
    const headers = { authorization: `Bearer ${token}` };
    const call = fetch(`${google.url}/gmail/v1/users/me/messages`, { headers, signal: hanging.signal });
    await until(() => google.truth.calls('messages.list') === 1);
    expect(await refusal(gmail.users.getProfile({ userId: 'me' }))).toEqual({
      status: 429,
      reason: 'rateLimitExceeded',
      message: 'Too many concurrent requests for user',
    });
    const dana = patient(google, await connect(google, DANA, ['modify']));
    await dana.users.getProfile({ userId: 'me' });
    hanging.abort();
    await call.catch(() => undefined);
    await until(() => {
      const { fits, end } = google.quotas.begin(OFFICE);
      end();
      return fits;
    });
    await gmail.users.getProfile({ userId: 'me' });
  });
});

type Client = Awaited<ReturnType<typeof office>>['gmail'];

/** Until it is so; the loop turns once in between, and the test's own time limit ends it. */
async function until(so: () => boolean): Promise<void> {
  while (!so()) await new Promise((resolve) => setImmediate(resolve));
}
