import { JWT, type OAuth2Client } from 'google-auth-library';
import { gmail, type gmail_v1 } from 'googleapis/build/src/apis/gmail/index.js';
import MailComposer from 'nodemailer/lib/mail-composer/index.js';
import type Mail from 'nodemailer/lib/mailer/index.js';
import PostalMime, { type Email } from 'postal-mime';
import type { LocalGoogle } from '../../src/local-google.ts';
import { connect, MIRA, OFFICE, start } from '../support.ts';

export { connect, DANA, gmailOf, MIRA, OFFICE, refusal, start } from '../support.ts';

/** A Local Google, an account connected to it with these Gmail scopes, and the official client. */
export async function office(
  scopes: readonly string[] = ['modify'],
  options: Parameters<typeof start>[0] = {},
): Promise<{ google: LocalGoogle; client: OAuth2Client; gmail: gmail_v1.Gmail; token: string }> {
  const google = await start(options);
  const client = await connect(google, OFFICE, scopes);
  return { google, client, gmail: patient(google, client), token: client.credentials.access_token ?? '' };
}

/** The official client without its own retries of reads, which would hide refusals and take seconds. */
export function patient(google: LocalGoogle, client: OAuth2Client): gmail_v1.Gmail {
  return gmail({ version: 'v1', auth: client, rootUrl: `${google.url}/`, retry: false });
}

/** The same client with a fresh access token, after the clock moved past the life of the old one. */
export async function renewed(google: LocalGoogle, client: OAuth2Client): Promise<gmail_v1.Gmail> {
  client.setCredentials({ refresh_token: client.credentials.refresh_token ?? null });
  await client.getAccessToken();
  return patient(google, client);
}

/** A message as nodemailer builds it, Bcc kept as an API send needs it. */
export async function compose(mail: Mail.Options = {}): Promise<Buffer> {
  const node = new MailComposer({
    from: OFFICE,
    to: MIRA,
    subject: 'Invoice 141',
    text: 'Good morning.',
    ...mail,
  }).compile();
  node.keepBcc = true;
  return node.build();
}

/** The same, as the JSON endpoints want it. */
export async function composeRaw(mail: Mail.Options = {}): Promise<string> {
  return (await compose(mail)).toString('base64url');
}

/** Sends what nodemailer builds and answers id and thread. */
export async function sendMail(client: gmail_v1.Gmail, mail: Mail.Options = {}, threadId?: string) {
  const requestBody = { raw: await composeRaw(mail), ...(threadId === undefined ? {} : { threadId }) };
  const { data } = await client.users.messages.send({ userId: 'me', requestBody });
  return { id: data.id ?? '', threadId: data.threadId ?? '', labelIds: data.labelIds ?? [] };
}

/** A message of a mailbox as postal-mime reads it. */
export async function readBack(google: LocalGoogle, mailbox: string, index = -1): Promise<Email> {
  const message = google.mail.messages(mailbox).at(index);
  if (!message) throw new Error(`${mailbox} has no such message`);
  return PostalMime.parse(google.mail.raw(message));
}

/** One header as postal-mime read it, whatever its case. */
export function headerOf(email: Email, name: string): string | undefined {
  return email.headers.find(({ key }) => key === name.toLowerCase())?.value;
}

/** A client that acts as a person by domain-wide delegation; its token address is turned to Local Google. */
export function delegated(google: LocalGoogle, key: string, email: string, subject: string, scopes: string[]): JWT {
  const client = new JWT({ email, key, subject, scopes });
  client.transporter.interceptors.request.add({
    resolved: async (config) => {
      if (String(config.url).startsWith('https://oauth2.googleapis.com/token')) {
        config.url = new URL(`${google.url}/token`);
      }
      return config;
    },
  });
  return client;
}
