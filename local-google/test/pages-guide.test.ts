import { createServer } from 'node:http';
import type { Browser } from 'playwright-core';
import { beforeAll, expect, it } from 'vitest';
import { sharedChromium } from '../../test/support/chromium.ts';
import { authorizeUrl, CLIENT, GMAIL, gmailOf, MIRA, OFFICE, oauthClient, send, start } from './support.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await sharedChromium();
});

it('a person walks through connecting Gmail and adding another address by hand', async () => {
  const app = createServer((_req, res) => res.end('connected'));
  await new Promise<void>((resolve) => app.listen(0, 'localhost', resolve));
  const address = app.address();
  const callback = `http://localhost:${typeof address === 'object' ? address?.port : 0}/callback`;
  const google = await start({ unverified: true, clients: [{ ...CLIENT, redirectUris: [callback] }] });
  const context = await browser.newContext();
  const tab = await context.newPage();

  // Connect to Gmail: choose the account, pass the warning, allow, back at the app.
  await tab.goto(authorizeUrl(google, { redirect_uri: callback, scope: `openid email ${GMAIL}send` }));
  await tab.click(`button[value="${OFFICE}"]`);
  await tab.click('text=Advanced');
  await tab.click('text=Go to Letterhead (unsafe)');
  await tab.check('text=Select all');
  await tab.click('button[value="allow"]');
  await tab.waitForURL(`${callback}?**`);
  const client = oauthClient(google);
  const code = new URL(tab.url()).searchParams.get('code') ?? '';
  const { tokens } = await client.getToken({ code, redirect_uri: callback });
  client.setCredentials(tokens);

  // Settings, Send mail as, another address; open its mailbox, follow the link, verify.
  await tab.goto(`${google.url}/mail/${OFFICE}`);
  await tab.click('text=Send mail as');
  await tab.fill('input[name="name"]', 'Mira at Brightwater');
  await tab.fill('input[name="email"]', MIRA);
  await tab.click('text=Add and send the confirmation mail');
  expect(await tab.textContent('[role="status"]')).toContain('on its way');
  await send(gmailOf(google, client), { From: MIRA, To: 'buyer@else.example' });
  expect(google.truth.accepted().at(-1)?.from.address, 'not confirmed: swapped without a word').toBe(OFFICE);
  await tab.goto(`${google.url}/mail/${MIRA}`);
  await tab.click('text=Confirmation: send mail as');
  await tab.click(`a[href*="/send-as/"]`);
  await tab.click('button:has-text("Confirm")');
  expect(await tab.textContent('[role="status"]')).toContain('Confirmed.');

  // It is in Gmail's own From list now, and apps may use it.
  await tab.click('text=Write');
  expect(await tab.textContent('select[name="from"]')).toContain(MIRA);
  await send(gmailOf(google, client), { From: MIRA, To: 'buyer@else.example' });
  expect(google.truth.accepted().at(-1)?.from.address).toBe(MIRA);

  // And the app can be shown the door again.
  await tab.click('text=App access');
  await tab.click('text=Remove access');
  expect(await tab.textContent('main')).toContain('No app has access');
  await context.close();
  await new Promise((resolve) => app.close(resolve));
});
