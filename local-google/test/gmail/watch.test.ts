import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { CLIENT, oauthClient } from '../support.ts';
import { OFFICE, office, refusal, renewed, sendMail } from './support.ts';

const TOPIC = `projects/${CLIENT.id}/topics/mail`;
const PUSHER = 'push@pubsub.example';

interface Push {
  bearer: string;
  message: { messageId: string; publishTime: string };
  subscription: string;
  told: { emailAddress: string; historyId: number | string };
}

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A push endpoint that answers these statuses in turn, and 204 when they are used up. */
async function endpoint(statuses: number[] = []): Promise<{ url: string; pushes: Push[] }> {
  const pushes: Push[] = [];
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString());
      const told = JSON.parse(Buffer.from(body.message.data, 'base64').toString());
      const bearer = (req.headers.authorization ?? '').replace('Bearer ', '');
      pushes.push({ bearer, message: body.message, subscription: body.subscription, told });
      res.writeHead(statuses.shift() ?? 204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/push`, pushes };
}

async function watched(options: Record<string, unknown> = {}, statuses: number[] = []) {
  const { url, pushes } = await endpoint(statuses);
  // It stands still, but for `forward`.
  const begun = Date.now();
  const { google, client, gmail } = await office(['modify'], { now: () => begun });
  google.push.subscribe({
    topic: TOPIC,
    endpoint: url,
    audience: 'letterhead-push',
    serviceAccount: PUSHER,
    ...options,
  });
  const { data } = await gmail.users.watch({ userId: 'me', requestBody: { topicName: TOPIC } });
  const send = async () => {
    google.clock.forward(1000);
    await sendMail(gmail);
    await google.push.settled();
  };
  return { google, client, gmail, data, pushes, send };
}

describe('watch', () => {
  it('answers the mailbox’s history id and an end in seven days', async () => {
    const { google, gmail, data } = await watched();
    expect(data.historyId).toBe((await gmail.users.getProfile({ userId: 'me' })).data.historyId);
    expect(Number(data.expiration)).toBeGreaterThan(google.clock.now() + 7 * 86_400_000 - 60_000);
    expect(Number(data.expiration)).toBeLessThanOrEqual(google.clock.now() + 7 * 86_400_000);
  });

  it('takes topics of the caller’s own project only', async () => {
    const { gmail } = await office();
    for (const topicName of ['projects/else/topics/mail', 'mail', '']) {
      expect(await refusal(gmail.users.watch({ userId: 'me', requestBody: { topicName } }))).toMatchObject({
        status: 400,
        message: `Invalid topicName does not match projects/${CLIENT.id}/topics/*`,
      });
    }
  });

  it('pushes what changed, with a bearer that the official client verifies by the server’s keys', async () => {
    const { google, gmail, pushes, send } = await watched();
    await send();
    expect(pushes).toHaveLength(1);
    const [push] = pushes;
    expect(push?.told.emailAddress).toBe(OFFICE);
    const { historyId } = (await gmail.users.getProfile({ userId: 'me' })).data;
    expect(String(push?.told.historyId)).toBe(historyId);
    expect(push?.message.publishTime).toMatch(/^\d{4}-.*Z$/);
    expect(push?.subscription).toBe(`projects/${CLIENT.id}/subscriptions/mail-push`);
    const ticket = await oauthClient(google).verifyIdToken({
      idToken: push?.bearer ?? '',
      audience: 'letterhead-push',
    });
    expect(ticket.getPayload()).toMatchObject({ iss: google.url, email: PUSHER, email_verified: true });
  });

  it('tells the history id as a number and as a string in turn', async () => {
    const { pushes, send } = await watched();
    await send();
    await send();
    expect(pushes.map(({ told }) => typeof told.historyId)).toEqual(['number', 'string']);
  });

  it('pushes at most once a second for a user and drops the rest', async () => {
    const { google, gmail, pushes } = await watched();
    google.clock.forward(1000);
    for (let n = 0; n < 3; n += 1) await sendMail(gmail);
    await google.push.settled();
    expect([pushes.length, google.push.dropped]).toEqual([1, 2]);
  });

  it('pushes again until it is acknowledged with 2xx, and the same message id each time', async () => {
    const { google, pushes, send } = await watched({ retryMs: 1 }, [500, 403]);
    await send();
    expect(google.push.posted().map(({ attempt, status }) => [attempt, status])).toEqual([
      [1, 500],
      [2, 403],
      [3, 204],
    ]);
    expect(new Set(pushes.map(({ message }) => message.messageId)).size).toBe(1);
  });

  it('delivers twice, or not at all, when a test says so', async () => {
    const twice = await watched({ times: 2 });
    await twice.send();
    expect(twice.pushes.map(({ message }) => message.messageId)).toHaveLength(2);
    const lost = await watched({ lose: 1 });
    await lost.send();
    expect(lost.pushes).toHaveLength(0);
    await lost.send();
    expect(lost.pushes).toHaveLength(1);
  });

  it('tells only of messages with the labels it names, or without them', async () => {
    const { google, gmail, pushes, send } = await watched();
    const watch = (labelFilterBehavior: string) =>
      gmail.users.watch({ userId: 'me', requestBody: { topicName: TOPIC, labelIds: ['INBOX'], labelFilterBehavior } });
    await watch('include');
    await send();
    expect(pushes).toHaveLength(0);
    google.clock.forward(1000);
    google.mail.receive('From: a@else.example\r\nSubject: Hello\r\n\r\nHi', [OFFICE]);
    await google.push.settled();
    expect(pushes).toHaveLength(1);
    await watch('exclude');
    await send();
    expect(pushes).toHaveLength(2);
  });

  it('ends when it is stopped, and by itself after seven days', async () => {
    const { google, client, gmail, pushes, send } = await watched();
    expect((await gmail.users.stop({ userId: 'me' })).status).toBe(204);
    await send();
    expect(pushes).toHaveLength(0);
    await gmail.users.watch({ userId: 'me', requestBody: { topicName: TOPIC } });
    google.clock.forward(7 * 86_400_000 + 1);
    await sendMail(await renewed(google, client));
    await google.push.settled();
    expect(pushes).toHaveLength(0);
  });

  it('posts to this computer only', async () => {
    const { google } = await office();
    expect(() => google.push.subscribe({ topic: TOPIC, endpoint: 'https://push.example/' })).toThrow();
  });
});
