import { Agent, request } from 'node:http';
import { auth, gmail } from 'googleapis/build/src/apis/gmail/index.js';
import MailComposer from 'nodemailer/lib/mail-composer/index.js';
import type { World } from './world.ts';

/** A rate, with the CPU that this process spent on one. */
export interface Plain {
  readonly perSecond: number;
  readonly cpuMs: number;
}

const inFlight = 40;

/**
 * The script that somebody would write in an afternoon: googleapis and nodemailer in a loop, without queue, record,
 * retry or pace. It is what Letterhead's own work is compared with.
 */
export async function plainScript(world: World, count: number, file: Buffer): Promise<Plain> {
  const [mailbox] = world.mailboxes;
  const client = new auth.OAuth2();
  client.setCredentials({ access_token: mailbox?.accessToken ?? '', expiry_date: Date.now() + 3_600_000 });
  const api = gmail({ version: 'v1', auth: client, rootUrl: `${world.googleUrl}/` });
  return timed(count, async () => {
    const mime = await new MailComposer({
      ...{ from: { name: 'Bench', address: mailbox?.email ?? '' }, to: 'mira@northgate.example' },
      ...{ subject: 'Invoice', text: 'Here it is.', html: '<p>Here it is.</p>' },
      attachments: [{ filename: 'invoice.pdf', contentType: 'application/pdf', content: file }],
    })
      .compile()
      .build();
    await api.users.messages.send(
      { userId: 'me', media: { mimeType: 'message/rfc822', body: mime } },
      { rootUrl: `${world.googleUrl}/` },
    );
  });
}

/** The bare limit: the same bytes, made beforehand, over kept-alive HTTP. */
export function bareLimit(world: World, count: number, file: Buffer): Promise<Plain> {
  const agent = new Agent({ keepAlive: true, maxSockets: inFlight });
  const url = new URL(`${world.googleUrl}/upload/gmail/v1/users/me/messages/send?uploadType=media`);
  const [mailbox] = world.mailboxes;
  const head = `From: ${mailbox?.email}\r\nTo: mira@northgate.example\r\nSubject: Invoice\r\n\r\n`;
  const mime = Buffer.from(`${head}${file.toString('base64').replaceAll(/.{76}/g, '$&\r\n')}`);
  const headers = {
    ...{ authorization: `Bearer ${mailbox?.accessToken}`, 'content-type': 'message/rfc822' },
    'content-length': mime.length,
  };
  return timed(
    count,
    () =>
      new Promise<void>((resolve, reject) => {
        const sending = request(url, { method: 'POST', agent, headers }, (answer) => {
          if (answer.statusCode !== 200) reject(new Error(`Local Google answered ${answer.statusCode}`));
          answer.resume().on('end', resolve);
        });
        sending.on('error', reject).end(mime);
      }),
  );
}

async function timed(count: number, once: () => Promise<unknown>): Promise<Plain> {
  // Connections and compiled code are there before it is timed.
  await Promise.all(Array.from({ length: inFlight }, once));
  const cpu = process.cpuUsage();
  const begun = performance.now();
  let left = count;
  const loop = async () => {
    while (left-- > 0) await once();
  };
  await Promise.all(Array.from({ length: inFlight }, loop));
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: (count * 1_000) / (performance.now() - begun), cpuMs: (user + system) / 1_000 / count };
}
