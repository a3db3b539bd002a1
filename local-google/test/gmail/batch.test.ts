import { describe, expect, it } from 'vitest';
import { office, sendMail } from './support.ts';

describe('a batch', () => {
  it('answers each of its calls, and counts as many units as they do', async () => {
    const { google, gmail, token } = await office();
    const { id } = await sendMail(gmail);
    google.quotas.set({ userUnitsPerMinute: 21 });
    const lines = ['profile', `messages/${id}?format=minimal`, 'profile'].flatMap((path, n) => [
      '--b',
      'Content-Type: application/http',
      `Content-ID: <item${n}>`,
      '',
      `GET /gmail/v1/users/me/${path}`,
      '',
      '',
    ]);
    const response = await fetch(`${google.url}/batch/gmail/v1`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'multipart/mixed; boundary=b' },
      body: [...lines, '--b--', ''].join('\r\n'),
    });
    expect(response.headers.get('content-type')).toMatch(/^multipart\/mixed; boundary=batch_/);
    const text = await response.text();
    expect(text.match(/^HTTP\/1\.1 \d+/gm)?.sort()).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 429']);
    expect(text).toContain('Content-ID: <response-item1>');
    expect(text).toContain(`"id":"${id}"`);
  });

  it('refuses what is no batch', async () => {
    const { google, token } = await office();
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'multipart/mixed; boundary=b' };
    expect((await fetch(`${google.url}/batch/gmail/v1`, { method: 'POST', headers, body: 'x' })).status).toBe(400);
  });
});
