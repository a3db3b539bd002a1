import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { checkUp } from '../../src/deliveries/check-up.ts';
import { createAccessTokens } from '../../src/mailboxes/access-token.ts';
import { tryWayBack } from '../../src/mailboxes/check-up-questions.ts';
import { openGrant } from '../../src/mailboxes/grant-vault.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { blockAccount } from '../../src/tenants/system-queue.ts';
import { callbackPaths } from '../../src/web/google-flows.ts';
import { wrongBy } from '../support/clock.ts';
import { colleague, letOnly } from '../support/colleague.ts';
import { type Company, type CompanyOptions, company } from '../support/company.ts';
import { eventually } from '../support/eventually.ts';
import { startTestLetterhead, type TestLetterhead, testClient } from '../support/letterhead.ts';
import type { Visitor } from '../support/visitor.ts';

let letterhead: TestLetterhead;
beforeAll(async () => {
  letterhead = await startTestLetterhead();
});
afterEach(() => {
  letterhead.google.faults.clear();
  letterhead.google.policies.setApp(testClient.clientId, { apiEnabled: true, publishing: 'production' });
});
afterAll(() => letterhead.close());

const open = (options?: CompanyOptions) => company(letterhead, options);
const pathOf = ({ mailboxId }: Company) => `/mailboxes/${mailboxId}/check-up`;

/** Presses “Check now”; each step's status by its name, and the page. */
async function check(of: Company, by: Visitor = of.founder) {
  expect((await by.post(pathOf(of))).location).toBe(pathOf(of));
  const { text } = await by.get(pathOf(of));
  const found = text.matchAll(/data-step="(\w+)" data-status="(\w+)"/g);
  return { steps: Object.fromEntries([...found].map(([, name, status]) => [name ?? '', status])), text };
}

const stateOf = ({ tenantId, mailboxId }: Company) =>
  inTenant(letterhead.database.db, tenantId, (trx) =>
    trx.selectFrom('mailboxes').select('state').where('id', '=', mailboxId).executeTakeFirstOrThrow(),
  );

describe('a check-up', () => {
  it('of a mailbox that may only send passes what can be found out so, sends nothing, and changes nothing', async () => {
    const office = await open();
    expect((await office.founder.get(pathOf(office))).text).toContain('Not checked yet');
    const { steps, text } = await check(office);
    expect(steps).toEqual({
      ...{ token: 'passed', identity: 'passed', permission_send: 'passed', gmail_api: 'passed' },
      ...{ gmail_mailbox: 'passed', addresses: 'not_possible', budget: 'passed', clock: 'passed' },
      ...{ redirect: 'passed', testing: 'not_possible' },
    });
    expect(text).toContain('Nothing wrong was found');
    expect(letterhead.google.mail.messages(office.account)).toEqual([]);
    expect(letterhead.google.truth.accepted().filter(({ account }) => account === office.account)).toEqual([]);
  });

  it('renews the token by asking Google once, however often it is pressed at the same moment', async () => {
    const office = await open();
    const { google } = letterhead;
    google.truth.resetCalls();
    const effect = { kind: 'slow', ms: 600_000 } as const;
    const slow = google.faults.add({ method: 'token', account: office.account, effect, every: 1 });
    const pressed = Promise.all([1, 2, 3, 4, 5].map(() => office.founder.post(pathOf(office))));
    await eventually(
      () => slow.fired,
      (fired) => fired > 0,
    );
    // The others come to the same point long before pages that were asked for later are answered.
    for (let times = 0; times < 10; times += 1) await office.founder.get(pathOf(office));
    google.faults.remove(slow.id);
    await pressed;
    expect(google.truth.calls('token')).toBe(1);
  });

  it('of a revoked connection says why, what to do, and that the rest could not be asked', async () => {
    const office = await open();
    letterhead.google.accounts.removeAccess(office.account, testClient.clientId);
    const { steps, text } = await check(office);
    expect(steps).toMatchObject({
      ...{ token: 'failed', identity: 'not_possible', permission_send: 'not_possible', gmail_api: 'not_possible' },
      ...{ gmail_mailbox: 'not_possible', budget: 'passed', redirect: 'passed' },
    });
    expect(text).toContain('One thing is wrong');
    expect(text).toContain('Connect it again. Nothing else needs to be set up.');
    // As any refresh that is refused for good.
    expect(await stateOf(office)).toEqual({ state: 'needs_reconnect' });
  });

  it('tells the operator’s trouble from the company’s: the Gmail API is switched off', async () => {
    const office = await open();
    letterhead.google.policies.setApp(testClient.clientId, { apiEnabled: false });
    const { steps, text } = await check(office);
    expect(steps).toMatchObject({ token: 'passed', gmail_api: 'failed', gmail_mailbox: 'not_possible' });
    expect(text).toMatch(/This is for whoever runs Letterhead: .*Gmail API → Enable/);
    expect(await stateOf(office)).toEqual({ state: 'active' });
  });

  it.each([
    ['that may only send', []],
    ['that may be looked into', ['tracking' as const]],
  ])('finds an account without Gmail, in a mailbox %s', async (_what, permissions) => {
    const office = await open({ permissions });
    letterhead.google.accounts.setMailEnabled(office.account, false);
    const { steps } = await check(office);
    expect(steps).toMatchObject({ token: 'passed', gmail_api: 'passed', gmail_mailbox: 'failed' });
  });

  it('shows which addresses Gmail lists, and fails where a rule uses one that waits', async () => {
    const email = 'accounts@elsewhere.example';
    const office = await open({ sendAs: [{ email, status: 'accepted' }] });
    const alias = `${office.mailboxId} ${email}`;
    await office.founder.post('/settings/email/sender-rule', { mode: 'alias', alias });
    const fine = await check(office);
    expect(fine.steps).toMatchObject({ addresses: 'passed', permission_aliases: 'passed' });
    expect(fine.text).toContain(`${email} (accepted)`);
    letterhead.google.accounts.removeSendAs(office.account, email);
    expect((await check(office)).steps).toMatchObject({ addresses: 'failed' });
    letterhead.google.accounts.addSendAs(office.account, { email, status: 'pending' });
    const waiting = await check(office);
    expect(waiting.steps).toMatchObject({ addresses: 'failed' });
    expect(waiting.text).toContain(`Emails come from ${email}, which waits for confirmation in Gmail.`);
  });

  it('goes by what Google says is granted, whatever was noted', async () => {
    const office = await open();
    await inTenant(letterhead.database.db, office.tenantId, async (trx) => {
      await trx
        .updateTable('mailboxes')
        .set({ wanted: ['send', 'tracking'] })
        .execute();
      const scopes = ['https://www.googleapis.com/auth/gmail.send', 'https://www.googleapis.com/auth/gmail.metadata'];
      await trx.updateTable('grants').set({ scopes }).execute();
    });
    const { steps } = await check(office);
    expect(steps).toMatchObject({ permission_send: 'passed', permission_tracking: 'failed' });
  });

  it('finds another account behind the mailbox', async () => {
    const office = await open();
    await inTenant(letterhead.database.db, office.tenantId, (trx) =>
      trx.updateTable('mailboxes').set({ google_sub: '1' }).execute(),
    );
    expect((await check(office)).steps).toMatchObject({ token: 'passed', identity: 'failed' });
  });

  it('says until when the account stands still, and leaves Gmail alone meanwhile', async () => {
    const office = await open();
    const { sub } = letterhead.google.accounts.get(office.account);
    await blockAccount(
      letterhead.database.system,
      `gmail:${sub}`,
      new Date(letterhead.google.clock.now() + 3_600_000),
      'sending_limit',
    );
    letterhead.google.truth.resetCalls();
    expect((await check(office)).steps).toMatchObject({ budget: 'failed', gmail_api: 'not_possible' });
    expect(letterhead.google.truth.calls('messages.send')).toBe(0);
  });

  it('does not wait for a Google that does not answer, and does not take that for an ending', async () => {
    const office = await open();
    letterhead.google.faults.add({ method: 'tokeninfo', effect: { kind: 'hang', when: 'before' } });
    letterhead.google.faults.add({ method: 'userinfo', effect: { kind: 'serverError', status: 503, when: 'before' } });
    const { context, config } = letterhead;
    const google = { ...context.google, timeoutMs: 3_000 };
    const wayBack = tryWayBack(google, config.publicUrl, Object.values(callbackPaths), config.publicUrl);
    const about = { wayBack, by: null, version: '1', locale: 'en-IE' };
    const done = await checkUp({ ...context, google }, office.tenantId, office.mailboxId, about);
    const statuses = Object.fromEntries((done?.steps ?? []).map(({ name, status }) => [name, status]));
    expect(statuses).toMatchObject({ identity: 'not_possible', permission_send: 'not_possible', gmail_api: 'passed' });
    expect(await stateOf(office)).toEqual({ state: 'active' });
  });

  it('tells that Google does not know the way back, and that people came by another address', async () => {
    const office = await open();
    const { context } = letterhead;
    const run = async (publicUrl: string, openedAt: string) => {
      const wayBack = tryWayBack(context.google, publicUrl, Object.values(callbackPaths), openedAt);
      const done = await checkUp(context, office.tenantId, office.mailboxId, {
        wayBack,
        by: null,
        version: '1',
        locale: 'en-IE',
      });
      return done?.steps.find(({ name }) => name === 'redirect');
    };
    const wrong = await run('https://wrong.example', 'https://wrong.example');
    expect(wrong).toMatchObject({ status: 'failed', hint: expect.stringContaining('Authorised redirect URIs') });
    expect(wrong?.detail).toContain('https://wrong.example/mailboxes/connection/callback');
    expect(await run(letterhead.url, 'http://127.0.0.1')).toMatchObject({ status: 'failed' });
    expect(await run(letterhead.url, letterhead.url)).toMatchObject({ status: 'passed' });
  });

  it('finds a clock that is not Google’s', async () => {
    const office = await open();
    const { context } = letterhead;
    const clock = wrongBy(context.clock, 600_000);
    const ahead = { ...context, clock, tokens: createAccessTokens({ ...context, clock }) };
    const wayBack = tryWayBack(context.google, letterhead.url, Object.values(callbackPaths), letterhead.url);
    const done = await checkUp(ahead, office.tenantId, office.mailboxId, {
      wayBack,
      by: null,
      version: '1',
      locale: 'en-IE',
    });
    const found = done?.steps.find(({ name }) => name === 'clock');
    expect(found).toMatchObject({ status: 'failed', detail: expect.stringMatching(/(10|9) minutes ahead/) });
  });
});

describe('a test email there and back', () => {
  const email = async (of: Company) => (await of.founder.get(`${pathOf(of)}/test-email`)).text;
  const send = (of: Company, form: Record<string, string>) => of.founder.post(`${pathOf(of)}/test-email`, form);

  it('waits for what Gmail made of it, where tracking allows; a double click is one email', async () => {
    const office = await open({ permissions: ['tracking'] });
    const key = crypto.randomUUID();
    await Promise.all([send(office, { key }), send(office, { key })]);
    const text = await eventually(
      () => email(office),
      (html) => html.includes('data-status'),
    );
    expect(text).toContain('data-status="passed"');
    const [sent, ...others] = letterhead.google.truth.accepted().filter(({ account }) => account === office.account);
    expect(others).toEqual([]);
    expect(sent?.subject).toContain('test email to itself');
    expect(text).toMatch(new RegExp(`Gmail sent it from ${office.account} as &lt;[^&]+@mail.gmail.com&gt;`));
    expect(text).not.toContain('hx-get');
  });

  it('says that Gmail accepted it, and no more, where it may not look', async () => {
    const office = await open();
    await send(office, {});
    const text = await eventually(
      () => email(office),
      (html) => html.includes('data-status'),
    );
    expect(text).toContain('data-status="not_possible"');
    expect(text).toContain('Gmail accepted it.');
  });
});

describe('the text of a check-up', () => {
  it('is a file for a support ticket, with nothing secret and nothing of anybody else', async () => {
    const [office, other] = [await open({ permissions: ['tracking'] }), await open()];
    expect((await office.founder.get(`${pathOf(office)}/report.txt`)).text).toContain('not had a check-up yet');
    await check(office);
    const { text, headers } = await office.founder.get(`${pathOf(office)}/report.txt`);
    expect(headers.get('content-disposition')).toMatch(/^attachment; filename="check-up-[\d-]+\.txt"$/);
    expect(text).toContain(`Check-up of ${office.account}`);
    expect(text).toMatch(/Letterhead \d+\.\d+\.\d+, Node\.js \d+/);
    const grant = await inTenant(letterhead.database.db, office.tenantId, (trx) =>
      openGrant(trx, letterhead.context.keys, office.tenantId, office.mailboxId),
    );
    const { sub } = letterhead.google.accounts.get(office.account);
    const secrets = [grant?.refreshToken, grant?.access?.token, testClient.clientSecret, sub, other.account];
    for (const secret of [...secrets, other.tenantId]) expect(text).not.toContain(secret ?? 'missing');
    expect(letterhead.logged()).not.toContain(grant?.access?.token ?? 'missing');
  });
});

describe('whoever', () => {
  it('may not see a mailbox finds no check-up of it; who may only look runs none', async () => {
    const office = await open();
    const [tom, una, vic] = [
      await colleague(letterhead, office, 'Tom'),
      await colleague(letterhead, office, 'Una'),
      await colleague(letterhead, office, 'Vic', 'viewer'),
    ];
    await check(office);
    expect((await check(office, tom.pages)).steps).toMatchObject({ token: 'passed' });
    expect((await vic.pages.get(pathOf(office))).text).not.toContain('Check again');
    for (const path of [pathOf(office), `${pathOf(office)}/test-email`])
      expect((await vic.pages.post(path)).status, path).toBe(403);
    await letOnly(office.founder, office.mailboxId, [tom], [una, vic]);
    for (const path of [pathOf(office), `${pathOf(office)}/report.txt`, `${pathOf(office)}/test-email`]) {
      expect((await una.pages.get(path)).status, path).toBe(404);
      expect((await tom.pages.get(path)).status, path).toBe(200);
    }
    expect((await una.pages.post(pathOf(office))).status).toBe(404);
    expect((await una.pages.post(`${pathOf(office)}/test-email`)).status).toBe(404);
  });
});

// Last, and by itself: time does not go back, and another connection that lasts would show that the app is published.
describe('an app in Testing', () => {
  beforeAll(async () => {
    await letterhead.close();
    letterhead = await startTestLetterhead();
  });

  it('is guessed from connections that end after a week, and ruled out by one that lasts longer', async () => {
    const office = await open();
    letterhead.google.policies.setApp(testClient.clientId, { publishing: 'testing', testUsers: [office.account] });
    for (let week = 0; week < 2; week += 1) {
      await office.founder.connect(office.account, { mailboxId: office.mailboxId });
      letterhead.google.clock.forward(7 * 86_400_000 + 60_000);
      expect((await check(office)).steps).toMatchObject({ token: 'failed' });
    }
    expect((await check(office)).steps).toMatchObject({ testing: 'failed' });
    await office.founder.connect(office.account, { mailboxId: office.mailboxId });
    const guessed = await check(office);
    expect(guessed.steps).toMatchObject({ token: 'passed', testing: 'failed' });
    expect(guessed.text).toMatch(/2 times this account had to be reconnected .*Publish app/s);

    letterhead.google.policies.setApp(testClient.clientId, { publishing: 'production' });
    await office.founder.connect(office.account, { mailboxId: office.mailboxId });
    letterhead.google.clock.forward(8 * 86_400_000);
    expect((await check(office)).steps).toMatchObject({ token: 'passed', testing: 'passed' });
  });
});
