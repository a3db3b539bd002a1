import { createServer } from 'node:http';
import type { Browser } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { sharedChromium } from '../../test/support/chromium.ts';
import { authorizeUrl, CLIENT, connect, GMAIL, gmailOf, MIRA, mime, OFFICE, send, start } from './support.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await sharedChromium();
});

const page = async (url: string) => (await fetch(url)).text();

describe('signing in with a browser', () => {
  it.each([true, false])('goes to the app on another site and back (JavaScript: %s)', async (javaScriptEnabled) => {
    const app = createServer((_req, res) => res.end('back at the app'));
    await new Promise<void>((resolve) => app.listen(0, 'localhost', resolve));
    const address = app.address();
    const callback = `http://localhost:${typeof address === 'object' ? address?.port : 0}/callback`;
    const google = await start({ unverified: true, clients: [{ ...CLIENT, redirectUris: [callback] }] });
    const context = await browser.newContext({ javaScriptEnabled });
    const tab = await context.newPage();
    const scope = `openid email ${GMAIL}send ${GMAIL}settings.basic`;
    await tab.goto(authorizeUrl(google, { redirect_uri: callback, scope, login_hint: OFFICE }));
    await tab.click('text=asks for this one');
    await tab.click('text=Advanced');
    await tab.click('text=Go to Letterhead (unsafe)');
    expect(await tab.locator('input[name="scope"]:checked').count()).toBe(0);
    await tab.check('text=Select all');
    expect(await tab.locator('input[name="scope"]:checked').count()).toBe(javaScriptEnabled ? 2 : 0);
    await tab.click('text=Continue');
    await tab.waitForURL(`${callback}?**`);
    expect(await tab.textContent('body')).toBe('back at the app');
    expect(new URL(tab.url()).searchParams.get('scope')).toContain('gmail.settings.basic');

    await tab.goto(authorizeUrl(google, { redirect_uri: callback, scope: 'openid email', prompt: '' }));
    expect(tab.url(), 'signed in, and all of it allowed: no page at all').toContain(callback);
    await context.close();
    await new Promise((resolve) => app.close(resolve));
  });

  it('keeps inline script and style out by policy', async () => {
    const google = await start();
    for (const path of ['/', `/mail/${OFFICE}`, `/settings/${OFFICE}/send-as`, `/account/${OFFICE}/connections`]) {
      const response = await fetch(google.url + path);
      expect(response.status).toBe(200);
      expect(response.headers.get('content-security-policy')).toMatch(/default-src 'none'.*script-src 'self'/);
      expect(await response.text()).not.toMatch(/<script(?! src)|\sstyle=|\son\w+=/);
    }
  });
});

describe('a mailbox', () => {
  it('shows mail with its headers, source and attachments, and marks it as read', async () => {
    const google = await start();
    const body = [
      '--b',
      'Content-Type: text/html',
      '',
      '<b onclick="steal()">Hello</b><script>steal()</script><img src="cid:pic">',
      '--b',
      'Content-Type: image/png',
      'Content-ID: <pic>',
      '',
      'png',
      '--b',
      'Content-Type: application/pdf; name="Invoice 141.pdf"',
      '',
      '%PDF-1.7',
      '--b--',
    ].join('\r\n');
    google.mail.receive(mime({ 'Content-Type': 'multipart/mixed; boundary=b', 'X-Odd': '<i>' }, body), [MIRA]);
    const id = google.mail.messages(MIRA)[0]?.id ?? '';
    const at = `${google.url}/mail/${MIRA}/messages/${id}`;
    expect(await page(`${google.url}/mail/${MIRA}`)).toContain('class="unread"');
    const shown = await page(at);
    expect(shown).toContain('Invoice 141.pdf');
    expect(shown).toContain('&lt;i&gt;');
    expect(await page(`${google.url}/mail/${MIRA}`)).not.toContain('class="unread"');

    const rich = await fetch(`${at}/html`);
    expect(rich.headers.get('content-security-policy')).toMatch(/default-src 'none'.*sandbox/);
    expect(await rich.text()).toContain(`/messages/${id}/parts/1`);
    const view = await fetch(`${at}/parts/2`);
    expect(view.headers.get('content-type')).toBe('application/pdf');
    expect(view.headers.get('content-disposition')).toBe("inline; filename*=UTF-8''Invoice%20141.pdf");
    const download = await fetch(`${at}/parts/2?download`);
    expect(download.headers.get('content-disposition')).toContain('attachment');
    expect(await page(`${at}/source`)).toContain('X-Odd: <i>');
  });

  it('lists what was sent, and what left for the outside world', async () => {
    const google = await start();
    await send(gmailOf(google, await connect(google, OFFICE, ['send'])), { To: 'buyer@else.example' });
    expect(await page(`${google.url}/mail/${OFFICE}/sent`)).toContain('buyer@else.example');
    expect(await page(`${google.url}/mail/outside`)).toContain('Invoice 141');
  });

  it('confirms a pending alias with the code that its mail carries', async () => {
    const google = await start();
    const mail = google.mail.messages(OFFICE)[0];
    const code = /code: (\d{9})/.exec(mail ? google.mail.raw(mail).toString() : '')?.[1] ?? '';
    const settings = `${google.url}/settings/${OFFICE}/send-as`;
    const confirm = (said: string) =>
      fetch(`${settings}/sales@brightwater.example/confirm`, {
        method: 'POST',
        body: new URLSearchParams({ code: said }),
      });
    expect((await confirm('000000000')).status).toBe(400);
    expect(await (await confirm(code)).text()).toContain('Confirmed. This mailbox can send from the address now.');
    expect(google.accounts.get(OFFICE).sendAs.map(({ status }) => status)).toEqual([null, 'accepted', 'accepted']);
  });

  it('adds an alias as pending, and says what is wrong with one it cannot take', async () => {
    const google = await start();
    const settings = `${google.url}/settings/${OFFICE}/send-as`;
    const add = (email: string) =>
      fetch(settings, { method: 'POST', body: new URLSearchParams({ email, name: 'New' }) });
    expect(await (await add('new@brightwater.example')).text()).toContain('Not confirmed');
    expect((await add('new@brightwater.example')).status).toBe(400);
    expect((await add('nonsense')).status).toBe(400);
  });
});

describe('callers from elsewhere', () => {
  it('are refused when their page writes, or rebinds its name to loopback', async () => {
    const google = await start();
    const write = await fetch(`${google.url}/control/faults`, {
      method: 'DELETE',
      headers: { 'sec-fetch-site': 'cross-site' },
    });
    expect(write.status).toBe(403);
    const { get } = await import('node:http');
    const status = await new Promise((resolve) =>
      get(`${google.url}/control/accepted`, { headers: { host: 'evil.example' } }, (res) =>
        resolve(res.resume().statusCode),
      ),
    );
    expect(status).toBe(403);
  });
});
