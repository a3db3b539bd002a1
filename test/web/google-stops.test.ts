import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { callbackPaths } from '../../src/web/google-flows.ts';
import { type Company, company } from '../support/company.ts';
import { sharedLetterhead, startTestLetterhead, type TestLetterhead, testClient } from '../support/letterhead.ts';
import { said, type Visitor, visitor } from '../support/visitor.ts';

/** A browser inside an app, in which Google lets nobody sign in. */
const insideAnApp =
  'Mozilla/5.0 (Linux; Android 15; Pixel 9; wv) AppleWebKit/537.36 Chrome/140.0.0.0 Mobile Safari/537.36';

let letterhead: TestLetterhead;
let office: Company;
let sales: string;
beforeAll(async () => {
  letterhead = await sharedLetterhead();
  office = await company(letterhead);
  sales = office.account.replace('office', 'sales');
  letterhead.google.accounts.add({ email: sales, name: 'Sales' });
});
afterEach(() => {
  const { policies, accounts } = letterhead.google;
  policies.setApp(testClient.clientId, { publishing: 'production', internalTo: null, userCap: 100 });
  letterhead.google.setUnverified(false);
  policies.setClientDeleted(testClient.clientId, false);
  accounts.enable(sales);
  register(callbackPaths.signIn, callbackPaths.connect);
});
afterAll(() => letterhead.close());

/** Registers our app at Google anew, with these ways back. */
function register(...paths: string[]): void {
  const { clientId: id, clientSecret: secret } = testClient;
  const redirectUris = paths.map((path) => `${letterhead.url}${path}`);
  letterhead.google.addClients([{ id, secret, name: 'Letterhead', redirectUris }]);
}

/** Where Google is asked to connect another Gmail. */
const toGoogle = async () => (await office.founder.post('/mailboxes/connection', { kind: 'shared' })).location ?? '';
const toSignIn = async (somebody: Visitor) => (await somebody.post('/sign-in/google')).location ?? '';
/** What Google's page says that stands before anything else. */
async function shownAtOnce(address: string, headers: Record<string, string> = {}): Promise<string> {
  const answer = await fetch(address, { headers });
  expect(answer.status).toBe(400);
  return answer.text();
}
/** The one mailbox is connected still, and no other is there. */
async function nothingChanged(): Promise<void> {
  const { text } = await office.founder.get('/settings/email');
  expect([...text.matchAll(/ id="mailbox-[^"]+">([^<]*)</g)].map(([, name]) => name)).toEqual([office.account]);
  expect(text.match(/class="pill connected"/g)).toHaveLength(1);
}
/** Runs the account's check-up; what it says of the way back from Google. */
async function checkWayBack(): Promise<{ status: string | undefined; says: string }> {
  const address = `/mailboxes/${office.mailboxId}/check-up`;
  await office.founder.post(address);
  const page = await office.founder.get(address);
  const [step = ''] = /<li[^>]*data-step="redirect"[\s\S]*?<\/li>/.exec(page.text) ?? [];
  return { status: /data-status="(\w+)"/.exec(step)?.[1], says: said({ ...page, text: step }) };
}

describe('a refusal that Google shows on its own page once it knows the account', () => {
  const setApp: TestLetterhead['google']['policies']['setApp'] = (project, change) =>
    letterhead.google.policies.setApp(project, change);
  const refusals: readonly [string, () => unknown, RegExp][] = [
    [
      'no test user',
      () => setApp(testClient.clientId, { publishing: 'testing', testUsers: [office.account] }),
      /has not completed verification/,
    ],
    [
      'the cap of an unverified app',
      () => {
        setApp(testClient.clientId, { userCap: 0 });
        letterhead.google.setUnverified(true);
      },
      /Sign-in is temporarily disabled for this app/,
    ],
    ['the account is disabled', () => letterhead.google.accounts.disable(sales), /This account is disabled/],
  ];

  it.each(refusals)('leaves everything as it was: %s', async (_word, set, words) => {
    const address = await toGoogle();
    set();
    await expect(letterhead.google.approve(address, { account: sales })).rejects.toThrow(words);
    await nothingChanged();
  });
});

describe('a refusal that stands before anything else', () => {
  it('deleted_client: whoever runs Letterhead deleted it at Google, and the check-up says so', async () => {
    letterhead.google.policies.setClientDeleted(testClient.clientId, true);
    expect(await shownAtOnce(await toGoogle())).toMatch(/Access blocked: authorization error[\s\S]*deleted_client/);
    await nothingChanged();
    const { status, says } = await checkWayBack();
    expect(status).toBe('failed');
    expect(says).toMatch(/Google does not know the OAuth client of this installation.*whoever runs Letterhead/s);
  });

  it('redirect_uri_mismatch: the check-up names the address that is missing at Google, until it is there', async () => {
    register(callbackPaths.signIn);
    expect(await shownAtOnce(await toGoogle())).toMatch(/this app’s request is invalid[\s\S]*redirect_uri_mismatch/);
    await nothingChanged();
    const { status, says } = await checkWayBack();
    const address = `${letterhead.url}${callbackPaths.connect}`;
    expect(status).toBe('failed');
    expect(says).toContain(`Google does not know ${address} for an address of Letterhead`);
    expect(says).toMatch(/whoever runs Letterhead.*Authorised redirect URIs/s);

    register(callbackPaths.signIn, callbackPaths.connect);
    expect((await checkWayBack()).status).toBe('passed');
    expect(said(await office.founder.connect(sales))).toContain(`${sales} is connected`);
  });

  it('disallowed_useragent: in a browser inside an app nobody signs in, and nothing is lost by it', async () => {
    const somebody = visitor(letterhead);
    expect(await shownAtOnce(await toSignIn(somebody), { 'user-agent': insideAnApp })).toMatch(
      /Signing in is possible in a browser only[\s\S]*disallowed_useragent/,
    );
    expect((await somebody.get('/sign-in')).text).toContain('Sign in with Google');
  });

  it('invalid_client: of an installation with a mistyped client id, at the first sign-in', async () => {
    const mistyped = await startTestLetterhead({ worker: false, clientId: 'mistyped.apps' });
    try {
      const somebody = visitor(mistyped);
      expect(await shownAtOnce(await toSignIn(somebody))).toMatch(/this app’s request is invalid[\s\S]*invalid_client/);
      expect((await somebody.get('/sign-in')).text).toContain('Sign in with Google');
    } finally {
      await mistyped.close();
    }
  });
});

describe('whom Google stops on its own page', () => {
  it('comes back to where they were: no test user', async () => {
    const somebody = visitor(letterhead);
    const address = await toSignIn(somebody);
    letterhead.google.policies.setApp(testClient.clientId, { publishing: 'testing' });
    await expect(letterhead.google.approve(address, { account: sales })).rejects.toThrow(
      /has not completed verification/,
    );
    expect((await somebody.get('/sign-in')).text).toContain('Sign in with Google');
  });
});
