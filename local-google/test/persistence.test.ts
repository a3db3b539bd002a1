import { spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type LocalGoogle, startLocalGoogle } from '../src/local-google.ts';
import { CLIENT, connect, DANA, gmailOf, MIRA, OFFICE, oauthClient, refresh, refusal, send, start } from './support.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const newFolder = () => {
  const folder = mkdtempSync(join(tmpdir(), 'local-google-'));
  folders.push(folder);
  return folder;
};

const keysOf = async (google: LocalGoogle) => (await fetch(`${google.url}/oauth2/v3/certs`)).json();

describe('a data folder', () => {
  it('keeps accounts, grants, the signing key, mail and truth', async () => {
    const dataDir = newFolder();
    const before = await start({ dataDir });
    const client = await connect(before, OFFICE, ['modify']);
    const { id } = await send(gmailOf(before, client), { 'X-Letterhead-Delivery': 'd-1' });
    before.accounts.confirmSendAs(OFFICE, 'sales@brightwater.example');
    const keys = await keysOf(before);
    await before.close();

    const after = await start({ dataDir });
    expect(await keysOf(after)).toEqual(keys);
    const again = oauthClient(after);
    again.setCredentials({ refresh_token: client.credentials.refresh_token ?? null });
    const gmail = gmailOf(after, again);
    expect((await gmail.users.messages.list({ userId: 'me', labelIds: ['SENT'] })).data.messages).toMatchObject([
      { id },
    ]);
    const sales = await gmail.users.settings.sendAs.get({ userId: 'me', sendAsEmail: 'sales@brightwater.example' });
    expect(sales.data.verificationStatus).toBe('accepted');
    expect(after.truth.accepted()).toMatchObject([{ order: 1, deliveryId: 'd-1' }]);
    expect(after.mail.messages(MIRA)).toHaveLength(1);
    expect(after.mail.messages(OFFICE), 'the confirmation mail is not sent again').toHaveLength(2);
    await send(gmail);
    expect(after.truth.accepted().map(({ order }) => order)).toEqual([1, 2]);
  });

  it('keeps policies, dead tokens and their reasons, and who was deleted or disabled', async () => {
    const dataDir = newFolder();
    const before = await start({ dataDir });
    const mira = await connect(before, MIRA, ['send']);
    const office = await connect(before, OFFICE, ['send']);
    before.accounts.delete(MIRA);
    before.accounts.requireReauth(OFFICE);
    before.accounts.disable(DANA);
    before.policies.setApp(CLIENT.id, { publishing: 'testing', testUsers: [OFFICE] });
    before.policies.setUnconfirmed({ dateHeader: 'replaced' });
    await before.close();
    const after = await start({ dataDir });
    expect((await refusal(refresh(after, mira))).message).toBe('The account has been deleted');
    expect((await refusal(refresh(after, office))).message).toBe('reauth related error (invalid_rapt)');
    expect(() => after.accounts.get(MIRA)).toThrow(RangeError);
    expect(after.accounts.get(DANA).state).toBe('disabled');
    expect(after.policies.setApp(CLIENT.id, {})).toMatchObject({ publishing: 'testing', testUsers: [OFFICE] });
    expect(after.policies.setUnconfirmed({})).toMatchObject({ dateHeader: 'replaced' });
  });

  it('keeps limits, and what was sent of the day’s, and no faults', async () => {
    const dataDir = newFolder();
    const before = await start({ dataDir });
    before.quotas.set({ messagesPerDay: 1, overSendingLimit: 'refuse', userAnswer: '403' });
    await send(gmailOf(before, await connect(before, OFFICE, ['send'])));
    before.faults.add({ method: 'messages.send', effect: { kind: 'unauthorized' } });
    await before.close();
    const after = await start({ dataDir });
    expect(after.faults.list()).toEqual([]);
    expect(after.quotas.settings).toMatchObject({ messagesPerDay: 1, userAnswer: '403' });
    const gmail = gmailOf(after, await connect(after, OFFICE, ['send']));
    expect((await refusal(send(gmail))).message).toContain('(Mail sending)');
    after.clock.forward(86_400_000);
    await send(gmailOf(after, await connect(after, OFFICE, ['send'])));
  });

  it('holds no token in clear', async () => {
    const dataDir = newFolder();
    const google = await start({ dataDir });
    const { credentials } = await connect(google, OFFICE, ['send']);
    const kept = readFileSync(join(dataDir, 'state.json'), 'utf8');
    expect(kept).toContain(OFFICE);
    expect(kept).not.toContain(credentials.refresh_token);
    expect(kept).not.toContain(credentials.access_token);
  });

  it('forgets half a line that a killed process left, and goes on', async () => {
    const dataDir = newFolder();
    const before = await start({ dataDir });
    await send(gmailOf(before, await connect(before, OFFICE, ['send'])));
    await before.close();
    appendFileSync(join(dataDir, 'mail.jsonl'), '{"kind":"mail","body":"AAAA');
    const middle = await start({ dataDir });
    expect(middle.mail.messages(MIRA)).toHaveLength(1);
    await send(gmailOf(middle, await connect(middle, OFFICE, ['send'])));
    await middle.close();
    expect((await start({ dataDir })).mail.messages(MIRA)).toHaveLength(2);
  });

  it('loses nothing it answered for to kill -9', async () => {
    const dataDir = newFolder();
    const entry = new URL('../src/local-google.ts', import.meta.url).href;
    const program = `import { startLocalGoogle } from '${entry}';
      const google = await startLocalGoogle({ port: 0, dataDir: ${JSON.stringify(dataDir)}, clients: [${JSON.stringify(CLIENT)}] });
      console.log(google.url);`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const url = await new Promise<string>((resolve) =>
      child.stdout.once('data', (data) => resolve(String(data).trim())),
    );
    const walker = await start();
    const remote: LocalGoogle = { ...walker, url };
    const gmail = gmailOf(remote, await connect(remote, OFFICE, ['send']));
    const sent = await Promise.all([1, 2, 3].map(() => send(gmail)));
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    const after = await start({ dataDir });
    expect(new Set(after.truth.accepted().map(({ id }) => id))).toEqual(new Set(sent.map(({ id }) => id)));
  });

  it('registers the clients of each start anew, since ports change', async () => {
    const dataDir = newFolder();
    await (await start({ dataDir })).close();
    const google = await start({ dataDir, clients: [{ ...CLIENT, redirectUris: ['http://localhost:4000/cb'] }] });
    const url = `${google.url}/o/oauth2/v2/auth?client_id=${CLIENT.id}&response_type=code&scope=openid&redirect_uri=`;
    expect((await fetch(url + encodeURIComponent('http://localhost:4000/cb'))).status).toBe(200);
    expect((await fetch(url + encodeURIComponent('http://localhost:3000/cb'))).status).toBe(400);
  });
});

describe('headers only', () => {
  it('forgets the text of what it accepts, and keeps headers and truth', async () => {
    const google = await start({ headersOnly: true });
    await send(gmailOf(google, await connect(google, OFFICE, ['send'])), { 'X-Letterhead-Delivery': 'd-1' });
    const [message] = google.mail.messages(MIRA);
    const kept = message ? google.mail.raw(message).toString() : '';
    expect(kept).toContain('X-Letterhead-Delivery: d-1');
    expect(kept).not.toContain('Good morning.');
    expect(google.truth.tally('deliveryId')).toMatchObject({ 'd-1': { times: 1 } });
  });
});

describe('starting', () => {
  it('rejects with EADDRINUSE untouched when the port is busy', async () => {
    const google = await start();
    const port = Number(new URL(google.url).port);
    await expect(startLocalGoogle({ port, clients: [] })).rejects.toMatchObject({ code: 'EADDRINUSE', port });
  });

  it('refuses a host that other machines could reach', async () => {
    await expect(startLocalGoogle({ port: 0, host: '0.0.0.0', clients: [] })).rejects.toThrow(RangeError);
  });
});
