import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { scopesToAuthorise } from '../../src/mailboxes/delegate.ts';
import { KeyFileError, readKeyFile } from '../../src/mailboxes/key-file.ts';

const pem = (kind: 'rsa' | 'ed25519') =>
  kind === 'rsa'
    ? generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    : generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const privateKey = pem('rsa');
const file = (over: Record<string, unknown> = {}) =>
  JSON.stringify({
    ...{ type: 'service_account', project_id: 'project', private_key_id: '0a1b2c', private_key: privateKey },
    ...{ client_email: 'letterhead@project.iam.gserviceaccount.com', client_id: '112233445566778899000' },
    ...{ auth_uri: 'https://accounts.google.com/o/oauth2/auth', token_uri: 'https://evil.example/token' },
    ...over,
  });

describe('a key file', () => {
  it('is read for four things, and nothing else of it is looked at', async () => {
    expect(await readKeyFile(file())).toEqual({
      ...{ clientEmail: 'letterhead@project.iam.gserviceaccount.com', clientId: '112233445566778899000' },
      ...{ privateKey, privateKeyId: '0a1b2c' },
    });
  });

  it.each<[string, string, RegExp]>([
    ['nothing', '', /not JSON/],
    ['half of it', file().slice(0, 400), /not JSON/],
    ['no object', '"hello"', /missing or wrong/],
    ['an OAuth client', JSON.stringify({ web: { client_id: '1-a.apps.googleusercontent.com' } }), /OAuth client/],
    ['somebody’s own credentials', JSON.stringify({ type: 'authorized_user', refresh_token: 'x' }), /somebody’s own/],
    ['another type', file({ type: 'external_account' }), /missing or wrong/],
    ['no private key', file({ private_key: undefined }), /missing or wrong/],
    ['a key that is none', file({ private_key: 'secret' }), /cannot be read/],
    ['a key that Google does not take', file({ private_key: pem('ed25519') }), /cannot be read/],
    ['an address that is no service account’s', file({ client_email: 'dana@brightwater.example' }), /missing or wrong/],
    ['a client id that is no number', file({ client_id: 'abc' }), /missing or wrong/],
    ['far too much', file({ padding: 'x'.repeat(20_000) }), /larger than/],
  ])('that is %s is refused, with what to give instead', async (_what, text, words) => {
    const error: unknown = await readKeyFile(text).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(KeyFileError);
    expect(String(error)).toMatch(words);
    expect(String(error)).not.toContain(privateKey.split('\n')[1]);
  });
});

describe('the scopes to paste', () => {
  it('are those for sending, and one for each further thing, each once', () => {
    const google = 'https://www.googleapis.com/auth/';
    const send = [`${google}userinfo.email`, `${google}gmail.send`];
    expect(scopesToAuthorise(['send'])).toEqual(send);
    expect(scopesToAuthorise(['send', 'safe_retry', 'aliases'])).toEqual([
      ...send,
      ...[`${google}gmail.compose`, `${google}gmail.settings.basic`],
    ]);
  });
});
