import { randomBytes } from 'node:crypto';
import type { Account } from './accounts.ts';
import { dateHeader, newMessageId } from './mail/rewrite.ts';
import type { Message } from './mailboxes.ts';
import { joinHeaders } from './mime/headers.ts';
import type { World } from './world.ts';

const HOUR_MS = 3_600_000;

/** How long Gmail keeps trying, in whole, before a delay becomes a failure. */
const GIVES_UP_MS = 72 * HOUR_MS;

/** The sending that a bounce is about. */
export interface Original {
  account: Account;
  sent: Message;
  /** The address on its From line, to which bounces go. */
  from: string;
  head: Buffer;
  body: Buffer;
}

/** Brings a message back that some recipients did not get: a Delivery Status Notification in its thread (docs/google.md, F). */
export function bounceNow(world: World, original: Original, recipients: readonly string[]): void {
  fileReport(world, original, recipients, 'failed');
}

/** Tells of a delay now, and of the failure when Gmail gives up, by the clock of this Local Google. */
export function bounceLater(world: World, original: Original, recipients: readonly string[]): void {
  fileReport(world, original, recipients, 'delayed');
  world.later.at(world.now() + GIVES_UP_MS, () => fileReport(world, original, recipients, 'failed'));
}

/** The notice that follows a 200 over the sending limit: nothing was sent (docs/google.md, fact 3 and F). */
export function noticeOverLimit(world: World, original: Original, recipients: readonly string[]): void {
  const head = [
    ...commonHead(world, original, 'Delivery Status Notification (Failure)'),
    `X-Failed-Recipients: ${recipients.join(', ')}`,
    'Content-Type: text/plain; charset=UTF-8',
  ];
  const text = 'You have reached a limit for sending mail. Your message was not sent.\r\n';
  file(world, original, head, Buffer.from(text));
}

function fileReport(
  world: World,
  original: Original,
  recipients: readonly string[],
  action: 'failed' | 'delayed',
): void {
  const boundary = boundaryText();
  const failed = action === 'failed';
  const head = [
    ...commonHead(world, original, `Delivery Status Notification (${failed ? 'Failure' : 'Delay'})`),
    `X-Failed-Recipients: ${recipients.join(', ')}`,
    `Content-Type: multipart/report; boundary="${boundary}"; report-type=delivery-status`,
  ];
  const parts = [
    explanation(recipients, action),
    `Content-Type: message/delivery-status\r\n\r\n${statusFields(world, original, recipients, action)}`,
    Buffer.concat([
      Buffer.from('Content-Type: message/rfc822\r\n\r\n'),
      original.head,
      Buffer.from('\r\n'),
      original.body,
    ]),
  ];
  file(world, original, head, joinParts(boundary, parts));
}

/** (1) What a person reads: text and HTML with an icon. */
function explanation(recipients: readonly string[], action: 'failed' | 'delayed'): Buffer {
  const related = boundaryText();
  const alternative = boundaryText();
  const names = recipients.join(', ');
  const words =
    action === 'failed'
      ? ['Address not found', `Your message wasn't delivered to ${names} because the address couldn't be found.`]
      : [
          'Delivery incomplete',
          `There was a temporary problem delivering your message to ${names}. We'll keep trying.`,
        ];
  const texts = joinParts(alternative, [
    `Content-Type: text/plain; charset="UTF-8"\r\n\r\n** ${words[0]} **\r\n\r\n${words[1]}\r\n`,
    `Content-Type: text/html; charset="UTF-8"\r\n\r\n<html><body><img src="cid:icon.png" alt=""><h1>${words[0]}</h1><p>${words[1]}</p></body></html>\r\n`,
  ]);
  const icon = `Content-Type: image/png; name="icon.png"\r\nContent-Disposition: attachment; filename="icon.png"\r\nContent-Transfer-Encoding: base64\r\nContent-ID: <icon.png>\r\n\r\n${ICON}\r\n`;
  const inner = Buffer.concat([
    Buffer.from(`Content-Type: multipart/alternative; boundary="${alternative}"\r\n\r\n`),
    texts,
  ]);
  return Buffer.concat([
    Buffer.from(`Content-Type: multipart/related; boundary="${related}"\r\n\r\n`),
    joinParts(related, [inner, icon]),
  ]);
}

/** (2) What a program reads (RFC 3464). */
function statusFields(
  world: World,
  { account, sent }: Original,
  recipients: readonly string[],
  action: 'failed' | 'delayed',
): string {
  const now = dateHeader(world.now());
  const message = [
    'Reporting-MTA: dns; googlemail.com',
    `Received-From-MTA: dns; ${account.email}`,
    `Arrival-Date: ${dateHeader(sent.at)}`,
    `X-Original-Message-ID: ${sent.messageId}`,
  ];
  const perRecipient = recipients.map((address) => [
    `Final-Recipient: rfc822; ${address}`,
    `Action: ${action}`,
    ...(action === 'failed'
      ? [
          'Status: 5.1.1',
          'Diagnostic-Code: smtp; 550-5.1.1 The email account that you tried to reach does not exist. Please try',
          " 550-5.1.1 double-checking the recipient's email address for typos or unnecessary spaces.",
        ]
      : [
          'Status: 4.4.1',
          'Diagnostic-Code: smtp; The recipient server did not accept our requests to connect.',
          `Will-Retry-Until: ${dateHeader(sent.at + GIVES_UP_MS)}`,
        ]),
    `Last-Attempt-Date: ${now}`,
  ]);
  return `${[message, ...perRecipient].map((fields) => fields.join('\r\n')).join('\r\n\r\n')}\r\n`;
}

function commonHead(world: World, { sent, from }: Original, subject: string): string[] {
  return [
    `Delivered-To: ${from}`,
    'Return-Path: <>',
    'From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>',
    `To: ${from}`,
    'Auto-Submitted: auto-replied',
    `Subject: ${subject}`,
    `References: ${sent.messageId}`,
    `In-Reply-To: ${sent.messageId}`,
    `Message-ID: ${newMessageId()}`,
    `Date: ${dateHeader(world.now())}`,
    'MIME-Version: 1.0',
  ];
}

function file(world: World, { account, sent, from }: Original, head: readonly string[], body: Buffer): void {
  const labels = ['INBOX', 'UNREAD'];
  world.mail.file(body, [
    { mailbox: account.email, labels, threadId: sent.threadId, head: joinHeaders(head), envelope: [from] },
  ]);
}

function joinParts(boundary: string, parts: readonly (string | Buffer)[]): Buffer {
  const pieces = parts.flatMap((part) => [Buffer.from(`--${boundary}\r\n`), Buffer.from(part), Buffer.from('\r\n')]);
  return Buffer.concat([...pieces, Buffer.from(`--${boundary}--\r\n`)]);
}

function boundaryText(): string {
  return `000000000000${randomBytes(10).toString('hex')}`;
}

/** One grey pixel. */
const ICON = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNsaGj4DwAFhAKAjM1mJgAAAABJRU5ErkJggg==';
