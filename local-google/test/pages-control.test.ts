import { createRequire } from 'node:module';
import type { Browser } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { someRows } from '../../test/support/at-length.ts';
import { sharedChromium } from '../../test/support/chromium.ts';
import type { LocalGoogle } from '../src/local-google.ts';
import {
  authorizeUrl,
  CLIENT,
  connect,
  DANA,
  gmailOf,
  MIRA,
  mime,
  OFFICE,
  refresh,
  refusal,
  send,
  start,
} from './support.ts';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

let browser: Browser;
beforeAll(async () => {
  browser = await sharedChromium();
});

const submit = (google: LocalGoogle, form: string, fields: Record<string, string>) =>
  fetch(`${google.url}/control/forms/${form}`, { method: 'POST', body: new URLSearchParams(fields) });

describe('the control page', () => {
  it('moves the clock', async () => {
    const google = await start();
    await submit(google, 'clock', { ms: '604800000' });
    const page = await submit(google, 'clock', { hours: '24' });
    expect(await page.text()).toContain('8 days ahead of this computer');
    expect(google.clock.aheadMs).toBe(8 * 86_400_000);
    const refused = await submit(google, 'clock', { hours: '-1' });
    expect(refused.status).toBe(400);
    expect(await refused.text()).toContain('The clock only moves forward');
  });

  it('sets, shows and takes away faults', async () => {
    const google = await start();
    const gmail = gmailOf(google, await connect(google, OFFICE, ['send']));
    await submit(google, 'fault', {
      ...{ effect: '503-after', method: 'messages.send', account: OFFICE },
      ...{ times: '2', skip: '0', percent: '', minutes: '' },
    });
    expect((await refusal(send(gmail))).status).toBe(503);
    expect(await (await fetch(`${google.url}/control`)).text()).toContain('1 of 2 fired');
    await submit(google, 'fault-off', { id: String(google.faults.list()[0]?.id) });
    await send(gmail);
    expect((await submit(google, 'fault', { effect: 'magic', method: '*' })).status).toBe(400);
    await submit(google, 'fault', { effect: '500-before', method: '*', percent: '25', minutes: '5' });
    expect(google.faults.list()).toMatchObject([{ share: 0.25, times: Number.POSITIVE_INFINITY }]);
    await submit(google, 'faults-clear', {});
    expect(google.faults.list()).toEqual([]);
  });

  it('puts an app into Testing, ends its access by time, and deletes its client', async () => {
    const google = await start();
    const app = { project: CLIENT.id, internalTo: '', accessDays: '', securityEventsUrl: '', apiEnabled: 'on' };
    await submit(google, 'app', { ...app, publishing: 'testing', testUsers: `${OFFICE}\n${MIRA}` });
    await expect(google.approve(authorizeUrl(google), { account: DANA })).rejects.toThrow('verification');
    expect(await google.approve(authorizeUrl(google), { account: MIRA })).toContain('code=');
    await submit(google, 'app', { ...app, publishing: 'production', testUsers: '', accessDays: '2' });
    expect((await connect(google, DANA, ['send'])).credentials).toHaveProperty('refresh_token_expires_in');
    const wrong = await submit(google, 'app', {
      ...app,
      publishing: 'production',
      securityEventsUrl: 'https://x.example/',
    });
    expect(wrong.status).toBe(400);
    await submit(google, 'client', { client: CLIENT.id, deleted: 'on' });
    expect(await (await fetch(`${google.url}/control`)).text()).toContain('Bring it back');
    await submit(google, 'unverified', { unverified: 'on' });
    expect(await (await fetch(google.url)).text()).toContain('shown when an app asks for mail');
  });

  it('lets an administrator block mail apps, and chooses unconfirmed facts', async () => {
    const google = await start();
    const client = await connect(google, OFFICE, ['send']);
    await submit(google, 'domain', { domain: 'brightwater.example', mailApps: 'blocked' });
    expect((await refusal(refresh(google, client))).reason).toBe('invalid_grant');
    await submit(google, 'domain', { domain: 'brightwater.example', mailApps: 'allowed', trusted: CLIENT.id });
    const callback = await google.approve(authorizeUrl(google), { account: OFFICE, tick: [] });
    expect(callback).toContain('gmail.send');
    const facts = { issuer: 'host', secondDraftSend: 'sendsAgain', dateHeader: 'replaced' };
    expect((await submit(google, 'unconfirmed', facts)).status).toBe(200);
    expect((await submit(google, 'unconfirmed', { ...facts, issuer: 'moon' })).status).toBe(400);
    await submit(google, 'unconfirmed', { ...facts, insistedRefreshToken: 'on', searchLagMinutes: '60' });
    const set = { ...facts, insistedRefreshToken: true, incrementalRefreshToken: false, searchLagMs: 3_600_000 };
    expect(google.policies.setUnconfirmed({})).toMatchObject(set);
  });

  it('sets quotas, as at Google or one by one, and lifts them', async () => {
    const google = await start();
    await submit(google, 'google-quotas', {});
    expect(google.quotas.settings).toMatchObject({ userUnitsPerMinute: 6000, messagesPerDay: 2000 });
    const page = await submit(google, 'quotas', { messagesPerDay: '1', overSendingLimit: 'refuse' });
    expect(await page.text()).toContain('value="1"');
    const gmail = gmailOf(google, await connect(google, OFFICE, ['send']));
    await send(gmail);
    expect((await refusal(send(gmail))).message).toContain('(Mail sending)');
    expect((await submit(google, 'quotas', { messagesPerDay: '-3' })).status).toBe(400);
    await submit(google, 'no-quotas', {});
    await send(gmail);
    const set = await fetch(`${google.url}/control/quotas`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ concurrentPerUser: 5 }),
    });
    expect(await set.json()).toMatchObject({ concurrentPerUser: 5, messagesPerDay: null });
    const answers = { userAnswer: '403', projectAnswer: 'details', overSendingLimit: 'bounce' };
    await submit(google, 'quotas', { ...answers, recipientsPerMessage: '100', refusedCallsCount: 'on' });
    expect(google.quotas.settings).toMatchObject({ ...answers, recipientsPerMessage: 100, refusedCallsCount: true });
    expect((await submit(google, 'quotas', { ...answers, userAnswer: 'moon' })).status).toBe(400);
  });

  it('names deliveries that were accepted more than once', async () => {
    const google = await start();
    const gmail = gmailOf(google, await connect(google, OFFICE, ['send']));
    await send(gmail, { 'X-Letterhead-Delivery': 'd-9' });
    await send(gmail, { 'X-Letterhead-Delivery': 'd-9' });
    expect(await (await fetch(`${google.url}/control`)).text()).toContain('d-9 (2 times)');
  });
});

describe('the account page', () => {
  const act = (google: LocalGoogle, action: string) =>
    fetch(`${google.url}/account/${DANA}/actions/${action}`, { method: 'POST' });

  it('changes the password, disables, enables and deletes', async () => {
    const google = await start();
    const client = await connect(google, DANA, ['send']);
    expect(await (await act(google, 'change-password')).text()).toContain('Password changed.');
    expect((await refusal(refresh(google, client))).reason).toBe('invalid_grant');
    expect(await (await act(google, 'disable')).text()).toContain('Enable the account');
    expect(await (await fetch(google.url)).text()).toContain('Disabled');
    expect(await (await act(google, 'enable')).text()).toContain('Disable the account');
    expect(await (await act(google, 'delete')).text()).not.toContain(DANA);
    expect((await act(google, 'enable')).status).toBe(404);
  });
});

describe('every page', () => {
  const looks = [
    [1100, 'light', 'all'],
    [375, 'light', 'sizes'],
    [375, 'dark', 'contrast'],
  ] as const;
  it.each(someRows(looks))(
    'fits %i px in %s, breaks no rule of WCAG that axe knows, and says nothing to the console',
    async (width, colorScheme, rules) => {
      const google = await start({ unverified: true });
      google.policies.setApp(CLIENT.id, { publishing: 'testing', testUsers: [OFFICE] });
      const gmail = gmailOf(google, await connect(google, OFFICE, ['send']));
      await send(gmail, { 'X-Letterhead-Delivery': 'd-1' });
      google.mail.receive(mime({ Subject: `A very ${'long'.repeat(40)} subject` }), [MIRA]);
      google.faults.add({ method: 'token', share: 0.5, effect: { kind: 'unauthorized' } });
      google.clock.forward(90_000_000);
      const message = google.mail.messages(MIRA).at(-1)?.id;
      const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme, bypassCSP: true });
      const tab = await context.newPage();
      const said: string[] = [];
      tab.on('console', (line) => said.push(line.text()));
      const paths = [
        ...[
          '/',
          '/control',
          `/mail/${MIRA}`,
          `/mail/${MIRA}/messages/${message}`,
          `/mail/${OFFICE}/sent`,
          '/mail/outside',
        ],
        ...[`/settings/${OFFICE}/send-as`, `/settings/${OFFICE}/send-as/sales@brightwater.example`],
        ...[`/account/${OFFICE}/connections`, authorizeUrl(google).replace(google.url, '')],
      ];
      for (const path of paths) {
        await tab.goto(google.url + path);
        await tab.evaluate('document.querySelectorAll("details").forEach((fold) => { fold.open = true; })');
        expect(await tab.evaluate('document.documentElement.scrollWidth - innerWidth'), path).toBeLessThanOrEqual(0);
        // Of axe's rules contrast alone knows colours, and the size of what is pressed alone knows width.
        await tab.addScriptTag({ path: AXE });
        const runOnly = {
          all: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'],
          sizes: ['target-size'],
          contrast: ['color-contrast'],
        }[rules];
        const found: unknown = await tab.evaluate(
          `axe.run(document, { runOnly: ${JSON.stringify(runOnly)} }).then(({ violations }) => violations.map((v) => v.id + " " + v.nodes.map((n) => n.target).join(" ")))`,
        );
        expect(found, path).toEqual([]);
      }
      await tab.goto(authorizeUrl(google, { login_hint: DANA }));
      await tab.click('text=asks for this one');
      expect(await tab.textContent('h1')).toContain('has not completed verification');
      await tab.click('text=Use another account');
      expect(await tab.textContent('h1')).toContain('Choose an account');
      expect(said.filter((line) => !line.includes('400 (Bad Request)'))).toEqual([]);
      await context.close();
    },
  );
});
