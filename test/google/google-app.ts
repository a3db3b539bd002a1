import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { LocalGoogle } from 'local-google';
import { connect } from '../../local-google/test/support.ts';
import type { GoogleApp } from '../../src/google/app.ts';
import { findEndpoints } from '../../src/google/endpoints.ts';
import type { AccessToken } from '../../src/google/gmail.ts';

export { CLIENT } from '../../local-google/test/support.ts';

/** An account of Local Google's own making. */
export const ACCOUNT = 'office@brightwater.example';

/** A whole message, with words that must not be seen in any error. */
export const MAIL = Buffer.from(
  `From: ${ACCOUNT}\r\nTo: mira@northgate.example\r\nSubject: Invoice 141\r\n\r\nA secret body, never to be seen in a log.\r\n`,
);

/** Our registration at this Local Google. */
export async function appOf(google: LocalGoogle, timeoutMs = 60_000): Promise<GoogleApp> {
  const endpoints = await findEndpoints(google.url, `${google.url}/`, timeoutMs);
  return { clientId: 'letterhead', clientSecret: 'hush', endpoints, timeoutMs };
}

/** A consent with these Gmail scopes, traded for tokens. */
export async function consentOf(
  google: LocalGoogle,
  scopes: readonly string[] = ['send', 'settings.basic'],
): Promise<{ token: AccessToken; refreshToken: string; idToken: string }> {
  const { credentials } = await connect(
    google,
    ACCOUNT,
    scopes.map((scope) => scope.replace('gmail.', '')),
  );
  const { access_token, expiry_date, refresh_token, id_token } = credentials;
  if (!access_token || !expiry_date || !refresh_token || !id_token) throw new Error('Google gave no tokens');
  return {
    token: { token: access_token, expiresAt: new Date(expiry_date) },
    refreshToken: refresh_token,
    idToken: id_token,
  };
}

/** A key and a certificate for 127.0.0.1 that nobody vouches for. */
export async function selfSigned(): Promise<{ key: Buffer; cert: Buffer }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'letterhead-cert-'));
  const [key, cert] = [path.join(folder, 'key.pem'), path.join(folder, 'cert.pem')];
  try {
    await promisify(execFile)('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
      ...['-days', '1', '-subj', '/CN=127.0.0.1', '-keyout', key, '-out', cert],
    ]);
    return { key: await readFile(key), cert: await readFile(cert) };
  } finally {
    await rm(folder, { recursive: true });
  }
}
