import { type LocalGoogle, startLocalGoogle } from 'local-google';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type GoogleApp, scopes } from '../../src/google/app.ts';
import { type AccessToken, listSent } from '../../src/google/gmail.ts';
import { readProfile, readTokenInfo, readTokenOwner, tryRedirect } from '../../src/google/identity.ts';
import { eventually } from '../support/eventually.ts';
import { ACCOUNT, appOf, CLIENT, consentOf } from './google-app.ts';

let google: LocalGoogle;
let app: GoogleApp;
let token: AccessToken;

beforeAll(async () => {
  google = await startLocalGoogle({ port: 0, clients: [CLIENT] });
  app = await appOf(google);
});
beforeEach(async () => {
  google.faults.clear();
  ({ token } = await consentOf(google, ['send', 'metadata']));
});
afterAll(() => google.close());

const soon = (at: Date | null) => Math.abs((at?.getTime() ?? 0) - Date.now()) < 120_000;

describe('an access token', () => {
  it('is told by Google what it may do, whose it is, and what time it is there', async () => {
    const info = await readTokenInfo(app, token);
    expect(info.scopes).toEqual(expect.arrayContaining([scopes.openid, scopes.gmailSend, scopes.gmailMetadata]));
    const owner = await readTokenOwner(app, token);
    expect(owner).toMatchObject({ sub: google.accounts.get(ACCOUNT).sub, email: ACCOUNT });
    expect(info.sub).toBe(owner.sub);
    const profile = await readProfile(app, token);
    const sent = await listSent(app, token, null);
    for (const { at } of [info, owner, profile, sent]) expect(soon(at)).toBe(true);
  });

  it('that is over is refused, in an error without it', async () => {
    const over = { ...token, token: 'ya29.a-token-that-was-never-given' };
    const refusals = await Promise.allSettled([readTokenInfo(app, over), readTokenOwner(app, over)]);
    expect(refusals.map((each) => each.status === 'rejected' && each.reason.failure.status)).toEqual([400, 401]);
    expect(JSON.stringify(refusals)).not.toContain(over.token);
  });

  it('is not waited for for ever, and asked about once', async () => {
    google.truth.resetCalls();
    const hasty = { ...app, timeoutMs: 1_000 };
    for (const method of ['tokeninfo', 'userinfo', 'users.getProfile', 'getProfile'])
      google.faults.add({ method, effect: { kind: 'hang', when: 'before' }, times: 5 });
    for (const ask of [readTokenInfo, readTokenOwner, readProfile])
      await expect(ask(hasty, token), ask.name).rejects.toMatchObject({ failure: { kind: 'lost' } });
    await eventually(
      () => google.faults.list().reduce((sum, { fired }) => sum + fired, 0),
      (fired) => fired === 3,
    );
  });
});

describe('an address to send people back to', () => {
  const [registered = ''] = CLIENT.redirectUris;

  it('is known to Google, or not', async () => {
    expect(await tryRedirect(app, registered)).toBe('accepted');
    expect(await tryRedirect(app, `${registered}/`)).toBe('refused');
    expect(await tryRedirect({ ...app, clientId: 'somebody-else' }, registered)).toBe('client_refused');
  });
});
