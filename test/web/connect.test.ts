import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { consentError } from '../../src/web/connect-errors.ts';
import { startTestLetterhead, type TestLetterhead } from '../support/letterhead.ts';
import { founder, type Page, type Visitor, visitor } from '../support/visitor.ts';

const dana = 'dana@brightwater.example';
const office = 'office@brightwater.example';
const mira = 'mira@northgate.example';
let letterhead: TestLetterhead;
let manager: Visitor;
const used = 'Not connected: this answer was used before';

beforeAll(async () => {
  letterhead = await startTestLetterhead({ worker: false });
  manager = await founder(letterhead, dana, 'Brightwater Joinery');
});
afterEach(() => letterhead.google.faults.clear());
afterAll(() => letterhead.close());

async function toGoogle(somebody: Visitor, form: Record<string, string> = { kind: 'shared' }, account = office) {
  const start = await somebody.post('/mailboxes/connection', form);
  const callback = await letterhead.google.approve(start.location ?? '', { account });
  return { asked: new URL(start.location ?? '').searchParams, callback };
}

const titleOf = ({ text }: Page) => /<h1[^>]*>([^<]*)/.exec(text)?.[1]?.trim();
const mailboxes = () =>
  letterhead.database.system.selectFrom('mailboxes').select(['email', 'kind', 'state']).orderBy('email').execute();
const whoIs = async (somebody: Visitor) =>
  /class="who-person">([\s\S]*?)<\/p>/.exec((await somebody.get('/activity')).text)?.[1];

/** That a page says what to do, and nothing was connected. */
async function expectNothing(page: Page, status: number, title: string): Promise<void> {
  expect([page.status, titleOf(page)]).toEqual([status, title]);
  expect(page.text).toContain('href="/settings/email"');
  expect(await mailboxes()).toEqual([]);
}

describe('on the way to Google', () => {
  it('only the wanted permissions are asked for, with a consent page that is always shown', async () => {
    const { asked } = await toGoogle(manager);
    const scopes = asked
      .get('scope')
      ?.split(' ')
      .map((scope) => scope.replace(/.*\//, ''));
    expect(scopes?.sort()).toEqual(['email', 'gmail.send', 'openid']);
    expect([asked.get('access_type'), asked.get('prompt')]).toEqual(['offline', 'consent']);
    expect(asked.has('include_granted_scopes')).toBe(false);
    expect(asked.get('redirect_uri')).toBe(`${letterhead.url}/mailboxes/connection/callback`);
  });

  it('one’s own address is named for one’s own Gmail', async () => {
    const { asked } = await toGoogle(manager, { kind: 'personal' }, dana);
    expect(asked.get('login_hint')).toBe(dana);
  });

  it('nobody comes who may not connect the company’s Gmail', async () => {
    for (const role of ['member', 'viewer']) {
      const email = `${role}@brightwater.example`;
      letterhead.google.accounts.add({ email, name: role });
      await manager.post('/settings/members/invitations', { email, role });
      const somebody = visitor(letterhead);
      await somebody.join(email);
      expect((await somebody.post('/mailboxes/connection', { kind: 'shared' })).status).toBe(403);
      expect((await somebody.post('/mailboxes/connection', { kind: 'personal' })).status).toBe(
        role === 'member' ? 302 : 403,
      );
    }
  });
});

describe('an answer from Google that came to nothing', () => {
  it.each([
    ['refused', { error: 'access_denied', state: 'any' }],
    ['used up', { code: 'used', state: 'any' }],
  ])('stays in no address: %s', async (_how, answer) => {
    const page = await manager.get(`/mailboxes/connection/callback?${new URLSearchParams(answer)}`);
    expect([page.status, page.location]).toEqual([303, '/google/answer']);
    // As often as it is loaded.
    for (let times = 0; times < 2; times += 1) await expectNothing(await manager.get('/google/answer'), 400, used);
  });

  it('stays in no address where nobody is signed in any more', async () => {
    const page = await visitor(letterhead).get('/mailboxes/connection/callback?code=used&state=any');
    expect(page.location).toBe('/sign-in?next=%2Fsettings%2Femail');
  });

  it('has no page in a browser that brought none', async () => {
    expect((await visitor(letterhead).get('/google/answer')).location).toBe('/');
  });
});

describe('an answer from Google that does not fit', () => {
  it('because the state is not known, or of the other flow', async () => {
    const { callback } = await toGoogle(manager);
    const signIn = await manager.post('/sign-in/google');
    const other = new URL(signIn.location ?? '').searchParams.get('state') ?? '';
    for (const state of ['unknown', '', '__proto__', other]) {
      const address = new URL(callback);
      address.searchParams.set('state', state);
      await expectNothing(await manager.bring(address.href), 400, used);
    }
  });

  it('because it came to another browser of the same person', async () => {
    const { callback } = await toGoogle(manager);
    const another = visitor(letterhead);
    await another.signIn(dana);
    await expectNothing(await another.bring(callback), 400, used);
  });

  it('because nobody is signed in any more', async () => {
    const leaving = visitor(letterhead);
    await leaving.signIn(dana);
    const { callback } = await toGoogle(leaving);
    await leaving.post('/sign-out');
    expect((await leaving.bring(callback)).location).toMatch(/^\/sign-in/);
    expect(await mailboxes()).toEqual([]);
  });

  it('because another person has signed in meanwhile', async () => {
    await founder(letterhead, mira, 'Northgate Café');
    const shared = visitor(letterhead);
    await shared.signIn(dana);
    const { callback } = await toGoogle(shared);
    await shared.signIn(mira);
    await expectNothing(await shared.bring(callback), 409, 'Not connected: you changed company meanwhile');
  });

  it('because they look at another company now', async () => {
    await manager.post('/settings/members/invitations', { email: mira, role: 'admin' });
    const both = visitor(letterhead);
    await both.join(mira);
    const { callback } = await toGoogle(both);
    const { text } = await both.get('/');
    const others = [...text.matchAll(/name="tenantId" value="([^"]+)"(?! aria-current)/g)].map(([, id = '']) => id);
    expect(others).toHaveLength(1);
    await both.post('/tenant-switch', { tenantId: others[0] ?? '' });
    await expectNothing(await both.bring(callback), 409, 'Not connected: you changed company meanwhile');
  });
});

describe('each word of Google has a page of its own', () => {
  const refusals = [
    'access_denied',
    'admin_policy_enforced',
    'org_internal',
    'invalid_client',
    'deleted_client',
    'invalid_request',
    'disallowed_useragent',
    'redirect_uri_mismatch',
  ];
  const words = [...refusals, 'invalid_grant', 'unreachable', 'id_token'];

  it('that tells it from the others', () => {
    const titles = words.map((word) => consentError('refused', word).title);
    expect(new Set([...titles, consentError('refused', 'unheard_of').title]).size).toBe(words.length + 1);
    for (const word of words) expect(consentError('failed', word).next.href).toBe('/settings/email');
  });

  it.each(refusals)('at the consent page: %s', async (word) => {
    const { asked } = await toGoogle(manager);
    const page = await manager.bring(`/mailboxes/connection/callback?error=${word}&state=${asked.get('state')}`);
    await expectNothing(page, 403, consentError('refused', word).title);
  });

  it('and an unheard-of one is shown as it is, but never as markup', async () => {
    for (const [word, shown] of [
      ['<script>x', '&lt;script&gt;x'],
      ['constructor', '“constructor”'],
    ] as const) {
      const { asked } = await toGoogle(manager);
      const page = await manager.bring(
        `/mailboxes/connection/callback?error=${encodeURIComponent(word)}&state=${asked.get('state')}`,
      );
      await expectNothing(page, 403, 'Not connected: Google ended it');
      expect(page.text).toContain(shown);
    }
  });

  it('and a refusal uses up its state: it cannot be turned into a yes', async () => {
    const { asked, callback } = await toGoogle(manager);
    await manager.bring(`/mailboxes/connection/callback?error=access_denied&state=${asked.get('state')}`);
    await expectNothing(await manager.bring(callback), 400, 'Not connected: this answer was used before');
  });

  it.each([
    [{ kind: 'invalidGrant' }, 'invalid_grant'],
    [{ kind: 'invalidClient' }, 'invalid_client'],
    [{ kind: 'drop', when: 'before' }, 'unreachable'],
    [{ kind: 'serverError', status: 500, when: 'before' }, 'unreachable'],
  ] as const)('at the token endpoint: %o', async (effect, word) => {
    const { callback } = await toGoogle(manager);
    letterhead.google.faults.add({ method: 'token', effect });
    await expectNothing(await manager.bring(callback), 502, consentError('failed', word).title);
    const code = new URL(callback).searchParams.get('code') ?? 'none';
    expect(letterhead.logged()).not.toContain(code);
  });

  it('when the ID token’s keys cannot be had, so that it cannot be checked', async () => {
    const another = await startTestLetterhead({ worker: false });
    try {
      another.google.faults.add({ method: 'certs', times: 100, effect: { kind: 'drop', when: 'before' } });
      const somebody = visitor(another);
      const start = await somebody.post('/sign-in/google');
      const page = await somebody.bring(await another.google.approve(start.location ?? '', { account: dana }));
      expect([page.status, page.text]).toEqual([502, expect.stringContaining('Google could not be reached')]);
    } finally {
      await another.close();
    }
  });
});

// From here on something is connected.
describe('connecting', () => {
  it('never changes who is signed in', async () => {
    const before = await whoIs(manager);
    expect(before).toContain(dana);
    const page = await manager.connect(office);
    expect(page.text).toContain(`${office} is connected.`);
    expect(await whoIs(manager)).toBe(before);
    const people = await letterhead.database.system
      .selectFrom('people')
      .select('email')
      .where('email', '=', office)
      .execute();
    expect(people).toEqual([]);
  });

  it('works in two tabs at once, for two accounts, whichever comes back first', async () => {
    const second = letterhead.google.accounts.add({ email: 'second@brightwater.example', name: 'Second' }).email;
    const third = letterhead.google.accounts.add({ email: 'third@brightwater.example', name: 'Third' }).email;
    const one = await toGoogle(manager, { kind: 'shared' }, second);
    const two = await toGoogle(manager, { kind: 'shared' }, third);
    for (const { callback } of [two, one]) expect((await manager.bring(callback)).location).toBe('/settings/email');
    expect((await mailboxes()).map(({ email }) => email)).toEqual([office, second, third]);
  });

  it('works for a button that was pressed twice at the same instant, whichever answer the browser follows', async () => {
    const starts = await Promise.all(
      Array.from({ length: 4 }, () => manager.post('/mailboxes/connection', { kind: 'shared' })),
    );
    for (const { location } of starts) {
      const callback = await letterhead.google.approve(location ?? '', { account: office });
      expect((await manager.bring(callback)).location).toBe('/settings/email');
    }
  });

  it('twice with one answer does nothing the second time', async () => {
    const { callback } = await toGoogle(manager);
    await manager.bring(callback);
    const before = await mailboxes();
    const page = await manager.bring(callback);
    expect([page.status, titleOf(page)]).toEqual([400, 'Not connected: this answer was used before']);
    expect(await mailboxes()).toEqual(before);
  });
});
