import { createServer, type Server } from 'node:http';
import express from 'express';
import session from 'express-session';
import MailComposer from 'nodemailer/lib/mail-composer/index.js';
import passport from 'passport';
import { type GoogleCallbackParameters, type Profile, Strategy, type VerifyCallback } from 'passport-google-oauth20';
import { afterEach, describe, expect, it } from 'vitest';
import type { LocalGoogle } from '../src/local-google.ts';
import { CLIENT, connect, DANA, GMAIL, gmailOf, MIRA, OFFICE, start } from './support.ts';

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

/** An app that signs people in with passport alone, pointed at Local Google. */
async function passportApp(google: LocalGoogle) {
  const app = express();
  const server = createServer(app);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  const address = server.address();
  const url = `http://localhost:${typeof address === 'object' ? address?.port : 0}`;
  const callbackURL = `${url}/callback`;
  google.addClients([{ ...CLIENT, id: 'passport-app', redirectUris: [callbackURL] }]);
  const strategy = new Strategy(
    {
      ...{ clientID: 'passport-app', clientSecret: CLIENT.secret, callbackURL, state: true, pkce: true },
      authorizationURL: `${google.url}/o/oauth2/v2/auth`,
      tokenURL: `${google.url}/token`,
      userProfileURL: `${google.url}/v1/userinfo`,
    },
    (_access: string, refresh: string, params: GoogleCallbackParameters, profile: Profile, done: VerifyCallback) =>
      done(null, {
        refresh: refresh !== undefined,
        scope: params.scope,
        idToken: params.id_token,
        profile: profile._json,
      }),
  );
  const auth = new passport.Passport();
  auth.use(strategy);
  app.use(session({ secret: 'test', resave: false, saveUninitialized: true }));
  const ask = { scope: ['openid', 'email', `${GMAIL}send`], accessType: 'offline', prompt: 'consent' };
  app.get('/connect', auth.authenticate('google', { ...ask, session: false }));
  app.get('/callback', auth.authenticate('google', { session: false, failureRedirect: '/failed' }), (req, res) => {
    res.json(req.user);
  });
  return {
    async connect(approval: { account: string; refuse?: boolean }) {
      const first = await fetch(`${url}/connect`, { redirect: 'manual' });
      const cookie = first.headers.get('set-cookie')?.split(';')[0] ?? '';
      const callback = await google.approve(first.headers.get('location') ?? '', approval);
      const last = await fetch(callback, { headers: { cookie }, redirect: 'manual' });
      return { status: last.status, location: last.headers.get('location'), text: await last.text() };
    },
  };
}

describe('passport-google-oauth20', () => {
  it('connects with state, PKCE, granted scopes and an ID token', async () => {
    const google = await start();
    const app = await passportApp(google);
    const { status, text } = await app.connect({ account: DANA });
    expect(status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({
      refresh: true,
      scope: expect.stringContaining('https://www.googleapis.com/auth/userinfo.email'),
      idToken: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
      profile: { sub: google.accounts.get(DANA).sub, email: DANA, email_verified: true, hd: 'brightwater.example' },
    });
  });

  it('hears of a refusal as a failure, not as an error', async () => {
    const google = await start();
    const app = await passportApp(google);
    expect(await app.connect({ account: DANA, refuse: true })).toMatchObject({ status: 302, location: '/failed' });
  });

  it('hears of token errors in Google’s words', async () => {
    const google = await start();
    const app = await passportApp(google);
    google.faults.add({ method: 'token', effect: { kind: 'invalidClient' } });
    const { status, text } = await app.connect({ account: DANA });
    expect(status).toBe(500);
    expect(text).toContain('The OAuth client was not found.');
  });
});

describe('nodemailer', () => {
  it('builds messages whose attachments, names and Bcc come out as Gmail delivers them', async () => {
    const google = await start();
    const gmail = gmailOf(google, await connect(google, OFFICE, ['send']));
    const compiled = new MailComposer({
      from: { name: 'Café Brightwater', address: OFFICE },
      to: MIRA,
      bcc: DANA,
      subject: 'Rechnung 141 für März',
      text: 'Grüße',
      attachments: [
        { filename: 'Rechnung März.pdf', content: Buffer.from('%PDF-1.7'), contentType: 'application/pdf' },
      ],
    }).compile();
    compiled.keepBcc = true;
    const raw = (await compiled.build()).toString('base64url');
    await gmail.users.messages.send({ userId: 'me', requestBody: { raw } });
    const [delivered] = google.mail.messages(MIRA);
    const source = delivered ? google.mail.raw(delivered).toString() : '';
    expect(source).not.toMatch(/^bcc:/im);
    expect(google.mail.messages(DANA)).toHaveLength(1);
    const page = await (await fetch(`${google.url}/mail/${MIRA}/messages/${delivered?.id}`)).text();
    expect(page).toContain('Rechnung 141 für März');
    expect(page).toContain('Rechnung März.pdf');
    expect(page).toContain('Café Brightwater');
  });
});
