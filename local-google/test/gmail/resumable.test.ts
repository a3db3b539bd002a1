import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { compose, MIRA, office, readBack } from './support.ts';

const GRAIN = 256 * 1024;

async function begin(scopes = ['send'], metadata: Record<string, unknown> = {}, headers: Record<string, string> = {}) {
  const { google, token, gmail } = await office(scopes);
  const started = await fetch(`${google.url}/upload/gmail/v1/users/me/messages/send?uploadType=resumable`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'x-upload-content-type': 'message/rfc822',
      ...headers,
    },
    body: JSON.stringify(metadata),
  });
  const location = started.headers.get('location') ?? '';
  const put = (body: Uint8Array<ArrayBuffer>, range?: string) =>
    fetch(location, { method: 'PUT', body, ...(range === undefined ? {} : { headers: { 'content-range': range } }) });
  return { google, gmail, started, location, put };
}

const big = async () => new Uint8Array(await compose({ text: 'A long line of text. '.repeat(40_000) }));

describe('a resumable upload', () => {
  it('takes the whole message in one PUT', async () => {
    const { google, started, put } = await begin();
    expect(started.status).toBe(200);
    const answer = await put(await big());
    expect(await answer.json()).toMatchObject({ labelIds: ['SENT'] });
    expect(google.truth.accepted()).toMatchObject([{ via: 'resumable', recipients: [MIRA] }]);
    expect((await readBack(google, MIRA)).text).toContain('A long line of text.');
  });

  it('takes chunks, answers 308 with the range it has, and sends with the last', async () => {
    const { google, put } = await begin();
    const message = await big();
    const total = message.length;
    const first = await put(message.slice(0, 2 * GRAIN), `bytes 0-${2 * GRAIN - 1}/${total}`);
    expect([first.status, first.headers.get('range')]).toEqual([308, `bytes=0-${2 * GRAIN - 1}`]);
    expect(google.truth.accepted()).toHaveLength(0);
    const last = await put(message.slice(2 * GRAIN), `bytes ${2 * GRAIN}-${total - 1}/${total}`);
    expect(last.status).toBe(200);
    expect(google.truth.accepted()).toMatchObject([{ size: total }]);
  });

  it('tells how far it came, keeps whole multiples of 256 KB only, and goes on from there', async () => {
    const { google, put } = await begin();
    const message = await big();
    const total = message.length;
    const nothing = new Uint8Array(0);
    const untouched = await put(nothing, `bytes */${total}`);
    expect([untouched.status, untouched.headers.get('range')]).toEqual([308, null]);
    const odd = await put(message.slice(0, GRAIN + 1000), `bytes 0-${GRAIN + 999}/${total}`);
    expect(odd.headers.get('range')).toBe(`bytes=0-${GRAIN - 1}`);
    const asked = await put(nothing, `bytes */${total}`);
    expect(asked.headers.get('range')).toBe(`bytes=0-${GRAIN - 1}`);
    const ahead = await put(message.slice(2 * GRAIN), `bytes ${2 * GRAIN}-${total - 1}/${total}`);
    expect([ahead.status, ahead.headers.get('range')]).toEqual([308, `bytes=0-${GRAIN - 1}`]);
    expect((await put(message.slice(GRAIN), `bytes ${GRAIN}-${total - 1}/${total}`)).status).toBe(200);
    expect(google.truth.accepted()).toMatchObject([{ size: total }]);
  });

  it('keeps what came before the connection broke, and goes on from there', async () => {
    const { google, location, put } = await begin();
    const message = await big();
    const total = message.length;
    const range = `bytes 0-${total - 1}/${total}`;
    const broken = request(location, { method: 'PUT', headers: { 'content-range': range, 'content-length': total } });
    broken.on('error', () => {});
    await new Promise<void>((resolve) => broken.write(message.slice(0, GRAIN + 1000), () => resolve()));
    let kept: string | null = null;
    broken.destroy();
    while (kept === null) kept = (await put(new Uint8Array(0), `bytes */${total}`)).headers.get('range');
    expect(kept).toBe(`bytes=0-${GRAIN - 1}`);
    expect((await put(message.slice(GRAIN), `bytes ${GRAIN}-${total - 1}/${total}`)).status).toBe(200);
    expect(google.truth.accepted()).toMatchObject([{ size: total }]);
  });

  it('answers a status query after the end with the sent message, and sends nothing again', async () => {
    const { google, put } = await begin();
    const message = await big();
    const sent = await (await put(message)).json();
    const asked = await put(new Uint8Array(0), `bytes */${message.length}`);
    expect([asked.status, await asked.json()]).toEqual([200, sent]);
    expect((await put(message)).status).toBe(200);
    expect(google.truth.accepted()).toHaveLength(1);
  });

  it('refuses more than 36,700,160 bytes when they are announced, and a thread that is none at the end', async () => {
    const { started } = await begin(['send'], {}, { 'x-upload-content-length': '36700161' });
    expect(started.status).toBe(413);
    const { google, put } = await begin(['send'], { threadId: 'not-hex' });
    const refused = await put(await big());
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ error: { message: 'Invalid thread_id value' } });
    expect(google.truth.accepted()).toHaveLength(0);
  });

  it('knows no session but its own', async () => {
    const { google } = await begin();
    const url = `${google.url}/upload/gmail/v1/users/me/messages/send?uploadType=resumable&upload_id=strange`;
    expect((await fetch(url, { method: 'PUT', body: 'x' })).status).toBe(404);
  });
});
