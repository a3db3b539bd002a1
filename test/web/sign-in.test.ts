import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ownPath } from '../../src/web/own-path.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { founder, type Page, type Visitor, visitor } from '../support/visitor.ts';

const dana = 'dana@brightwater.example';
let letterhead: TestLetterhead;

beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false });
  await founder(letterhead, dana, 'Brightwater Joinery');
});
afterEach(() => letterhead.google.faults.clear());
afterAll(() => letterhead.close());

/** Goes to Google and says yes; what comes back is where Google then sends the browser. */
async function toGoogle(
  somebody: Visitor,
  form = {},
  approval: { account: string; refuse?: boolean } = { account: dana },
) {
  const start = await somebody.post('/sign-in/google', form);
  return { start, callback: await letterhead.google.approve(start.location ?? '', approval) };
}

const isSignedIn = async (somebody: Visitor) => (await somebody.get('/')).text.includes('Brightwater Joinery');
const cookiesOf = (page: Page) => page.headers.getSetCookie();
const titleOf = ({ text }: Page) => /<h1[^>]*>([^<]*)/.exec(text)?.[1]?.trim();

describe('signing in', () => {
  it('asks Google for name and address and nothing else, with state, nonce and PKCE', async () => {
    const { start } = await toGoogle(visitor(letterhead));
    const asked = new URL(start.location ?? '').searchParams;
    expect(asked.get('scope')?.split(' ').sort()).toEqual(['email', 'openid', 'profile']);
    expect(asked.get('access_type')).toBe('online');
    expect(asked.get('code_challenge_method')).toBe('S256');
    expect(asked.has('include_granted_scopes')).toBe(false);
    for (const name of ['state', 'nonce', 'code_challenge']) expect(asked.get(name), name).toMatch(/^[\w-]{20,}$/);
  });

  it('gives the session a new id, in a cookie that scripts and other sites cannot use', async () => {
    const somebody = visitor(letterhead);
    const { start, callback } = await toGoogle(somebody);
    const done = await somebody.bring(callback);
    const [before = '', after = ''] = [cookiesOf(start)[0], cookiesOf(done)[0]];
    for (const cookie of [before, after]) {
      expect(cookie).toMatch(/^letterhead=s%3A/);
      expect(cookie).toMatch(/; HttpOnly/);
      expect(cookie).toMatch(/; SameSite=Lax/);
      expect(cookie).toMatch(/; Path=\/(;|$)/);
      expect(cookie).not.toMatch(/Domain=/i);
    }
    expect(after.split(';')[0]).not.toBe(before.split(';')[0]);
    // The id from before is worth nothing.
    const [planted = ''] = before.split(';');
    const page = await fetch(new URL('/', letterhead.url), { headers: { cookie: planted }, redirect: 'manual' });
    expect(page.headers.get('location')).toBe('/sign-in');
  });

  it('works in two tabs at once, whichever comes back first', async () => {
    const somebody = visitor(letterhead);
    const one = await toGoogle(somebody, { returnTo: '/activity' });
    const two = await toGoogle(somebody, { returnTo: '/parties' });
    expect((await somebody.get(two.callback)).location).toBe('/parties');
    expect((await somebody.get(one.callback)).location).toBe('/activity');
    expect(await isSignedIn(somebody)).toBe(true);
  });

  it('leads to the invitation of the address, whatever its case, and by it into the company', async () => {
    const owner = visitor(letterhead);
    await owner.signIn(dana);
    letterhead.google.accounts.add({ email: 'new@brightwater.example', name: 'Noa New' });
    await owner.post('/settings/members/invitations', { email: 'NEW@Brightwater.example', role: 'member' });
    const invited = visitor(letterhead);
    await invited.join('new@brightwater.example');
    expect(await isSignedIn(invited)).toBe(true);
    const members = await owner.get('/settings/members');
    expect(members.text).toContain('Noa New');
    expect(members.text).not.toContain('Invited');
  });

  it('leads somebody whom nobody invited to founding a company, not into another', async () => {
    letterhead.google.accounts.add({ email: 'stranger@elsewhere.example', name: 'A Stranger' });
    const stranger = visitor(letterhead);
    await stranger.signIn('stranger@elsewhere.example');
    expect((await stranger.get('/')).location).toBe('/welcome');
    expect((await stranger.get('/settings/members')).location).toBe('/welcome');
  });

  it('ends with signing out: the cookie of before opens nothing', async () => {
    const somebody = visitor(letterhead);
    const { callback } = await toGoogle(somebody);
    const [cookie = ''] = (cookiesOf(await somebody.bring(callback))[0] ?? '').split(';');
    expect(await isSignedIn(somebody)).toBe(true);
    await somebody.post('/sign-out');
    const page = await fetch(new URL('/', letterhead.url), { headers: { cookie }, redirect: 'manual' });
    expect(page.headers.get('location')).toBe('/sign-in');
  });
});

describe('an answer from Google that does not fit', () => {
  const expectAdvice = (page: Page) => {
    expect([page.status, titleOf(page)]).toEqual([400, 'Please sign in once more']);
    expect(page.text).toContain('href="/sign-in"');
  };

  it('because it was used before', async () => {
    const somebody = visitor(letterhead);
    const { callback } = await toGoogle(somebody);
    await somebody.bring(callback);
    // Whoever is signed in already has nothing to do; somebody who signed out meanwhile has.
    expect((await somebody.bring(callback)).location).toBe('/');
    await somebody.post('/sign-out');
    expectAdvice(await somebody.bring(callback));
    expect(await isSignedIn(somebody)).toBe(false);
  });

  it('because the state is not known, or is missing', async () => {
    const somebody = visitor(letterhead);
    const { callback } = await toGoogle(somebody);
    for (const state of ['unknown', '', '__proto__', 'constructor', null]) {
      const address = new URL(callback);
      if (state === null) address.searchParams.delete('state');
      else address.searchParams.set('state', state);
      expectAdvice(await somebody.bring(address.href));
    }
    // And none of that used up the right one.
    expect((await somebody.bring(callback)).location).toBe('/');
  });

  it('because it came to another browser', async () => {
    const { callback } = await toGoogle(visitor(letterhead));
    const another = visitor(letterhead);
    await another.post('/sign-in/google');
    expectAdvice(await another.bring(callback));
    expect(await isSignedIn(another)).toBe(false);
  });

  it('because it was begun to connect Gmail', async () => {
    const somebody = visitor(letterhead);
    await somebody.signIn(dana);
    const start = await somebody.post('/mailboxes/connection', { kind: 'shared' });
    const state = new URL(start.location ?? '').searchParams.get('state');
    await somebody.post('/sign-out');
    const { callback } = await toGoogle(somebody);
    const address = new URL(callback);
    address.searchParams.set('state', state ?? '');
    expectAdvice(await somebody.bring(address.href));
  });

  it('because it was brought twice at the same instant: one of the two counts', async () => {
    const somebody = visitor(letterhead);
    const { callback } = await toGoogle(somebody);
    const traded = letterhead.google.truth.calls('token');
    const pages = await Promise.all([somebody.bring(callback), somebody.bring(callback)]);
    expect(letterhead.google.truth.calls('token') - traded).toBe(1);
    // One leads home, signed in. The other says that it was used before, or leads there as well, to the same session.
    const led = pages.map(({ status, location }) => location ?? status);
    expect(led).toContain('/');
    expect(led.filter((each) => each !== '/' && each !== 400)).toEqual([]);
  });

  it('because somebody took more than half an hour; and what is over is cleared away', async () => {
    const { pool } = letterhead.database;
    const somebody = visitor(letterhead);
    const { callback } = await toGoogle(somebody);
    const { rowCount } = await pool.query(
      `update sessions set expire = now() - interval '1 s' where sid like 'consent/%'`,
    );
    expect(rowCount).toBeGreaterThan(0);
    expectAdvice(await somebody.bring(callback));
    await toGoogle(somebody);
    const { rows } = await pool.query(`select sid from sessions where expire < now()`);
    expect(rows).toEqual([]);
  });

  it('because there is neither code nor error in it', async () => {
    expectAdvice(await visitor(letterhead).bring('/sign-in/google/callback'));
  });
});

describe('when Google does not sign somebody in', () => {
  it('because they said no, the page says that this is all', async () => {
    const somebody = visitor(letterhead);
    const { callback } = await toGoogle(somebody, {}, { account: 'mira@northgate.example', refuse: true });
    expect(callback).toContain('error=access_denied');
    const page = await somebody.bring(callback);
    expect([page.status, titleOf(page)]).toEqual([403, 'You are not signed in']);
    expect(await isSignedIn(somebody)).toBe(false);
  });

  it('for a reason of its own, the page gives its word for it, and no markup', async () => {
    const somebody = visitor(letterhead);
    const { start } = await toGoogle(somebody);
    const state = new URL(start.location ?? '').searchParams.get('state');
    const page = await somebody.bring(
      `/sign-in/google/callback?error=${encodeURIComponent('<b>org_internal')}&state=${state}`,
    );
    expect([page.status, titleOf(page)]).toEqual([502, 'Google did not sign you in']);
    expect(page.text).toContain('&lt;b&gt;org_internal');
  });

  it.each([
    [{ kind: 'invalidGrant' }, 'Google did not sign you in', 'invalid_grant'],
    [{ kind: 'invalidClient' }, 'Google did not sign you in', 'invalid_client'],
    [{ kind: 'drop', when: 'before' }, 'Google could not be reached', ''],
    [{ kind: 'serverError', status: 503, when: 'before' }, 'Google could not be reached', ''],
  ] as const)(
    'because the token endpoint answers %o, nobody is signed in and no code is logged',
    async (effect, title, word) => {
      const somebody = visitor(letterhead);
      const { callback } = await toGoogle(somebody);
      letterhead.google.faults.add({ method: 'token', effect });
      const page = await somebody.bring(callback);
      expect([page.status, titleOf(page)]).toEqual([502, title]);
      expect(page.text).toContain(word);
      expect(await isSignedIn(somebody)).toBe(false);
      const code = new URL(callback).searchParams.get('code') ?? '';
      expect(code.length).toBeGreaterThan(20);
      expect(page.text + letterhead.logged()).not.toContain(code);
    },
  );
});

describe('where a sign-in leads', () => {
  const elsewhere = [
    '//evil.example',
    '/\\evil.example',
    '/\t/evil.example',
    '\\\\evil.example',
    'https://evil.example/',
    'javascript:alert(1)',
    'evil',
    '',
    '/\n/evil.example',
  ];

  it.each(elsewhere)('is never another site: %j', async (path) => {
    const somebody = visitor(letterhead);
    const shown = await somebody.get(`/sign-in?next=${encodeURIComponent(path)}`);
    expect(shown.text).toContain('name="returnTo" value="/"');
    const { callback } = await toGoogle(somebody, { returnTo: path });
    expect((await somebody.bring(callback)).location).toBe('/');
  });

  it('is the page that was asked for', async () => {
    const somebody = visitor(letterhead);
    const asked = await somebody.get('/documents?kind=quote');
    expect(asked.location).toBe('/sign-in?next=%2Fdocuments%3Fkind%3Dquote');
    const { callback } = await toGoogle(somebody, { returnTo: '/documents?kind=quote' });
    expect((await somebody.bring(callback)).location).toBe('/documents?kind=quote');
  });

  it('is a text, whatever a form says', () => {
    for (const value of [undefined, null, 7, ['/activity'], { path: '/' }]) expect(ownPath(value)).toBe('/');
  });

  it('stays at our own address also for a request to another name of this server', async () => {
    const { port } = new URL(letterhead.url);
    for (const path of ['/sign-in', '//evil.example/', '/%2F%2Fevil.example']) {
      const page = await fetch(`http://127.0.0.1:${port}${path}`, { redirect: 'manual' });
      expect([page.status, new URL(page.headers.get('location') ?? '').origin]).toEqual([307, letterhead.url]);
    }
  });
});
