import { Readable } from 'node:stream';
import { domainToASCII } from 'node:url';
import MailComposer from 'nodemailer/lib/mail-composer/index.js';
import { type Address, fittingName } from '../platform/address.ts';
import { safeFileName } from '../platform/file-name.ts';
import { headerLine } from '../platform/plain-text.ts';
import { turn } from '../platform/turns.ts';
import { deliveryHeader } from '../transport/transport.ts';
import { safeMediaType } from './attached-files.ts';
import type { Recipients } from './recipients.ts';

/** Everything an email is made of. */
export interface Email {
  readonly deliveryId: string;
  readonly from: { readonly name: string; readonly email: string };
  readonly replyTo: string | null;
  readonly recipients: Recipients;
  readonly subject: string;
  /** Plain text; an HTML form of the same words is added. */
  readonly message: string;
  readonly date: Date;
  readonly attachments: readonly {
    readonly fileName: string;
    readonly mediaType: string;
    readonly bytes: Uint8Array;
  }[];
}

/**
 * Builds the whole message (RFC 5322, MIME). Bcc stays in: Gmail routes by it and then removes it.
 *
 * @returns the bytes for Gmail's upload
 */
export function compose(email: Email): Promise<Buffer> {
  // Whatever was frozen once: a header holds one line, and no name that is another address.
  const person = ({ name, email: address }: Address) => ({ name: headerLine(fittingName(name, address)), address });
  const people = (list: Recipients['to']) => list.map(person);
  const message = new MailComposer({
    from: person(email.from),
    ...(email.replyTo && { replyTo: person({ name: '', email: email.replyTo }) }),
    to: people(email.recipients.to),
    cc: people(email.recipients.cc),
    bcc: people(email.recipients.bcc),
    subject: headerLine(email.subject),
    date: email.date,
    messageId: messageIdOf(email),
    text: withMailLines(email.message),
    html: withMailLines(textToHtml(email.message)),
    headers: { [deliveryHeader]: email.deliveryId },
    attachments: email.attachments.map(({ fileName, mediaType, bytes }) => ({
      filename: safeFileName(fileName),
      contentType: safeMediaType(mediaType),
      content: Readable.from(inPieces(bytes), { objectMode: false }),
    })),
    // What people write is content, never a path or an address to fetch.
    disableFileAccess: true,
    disableUrlAccess: true,
  }).compile();
  message.keepBcc = true;
  return message.build();
}

/** A few milliseconds of work: an attachment of the largest size is written in base64 without keeping anybody waiting. */
const pieceBytes = 256 * 1024;

async function* inPieces(bytes: Uint8Array): AsyncGenerator<Buffer> {
  for (let from = 0; from < bytes.length; from += pieceBytes) {
    if (from > 0) await turn();
    yield Buffer.from(bytes.subarray(from, from + pieceBytes));
  }
}

/**
 * Ours, and the same at every try (RFC 5322, 3.6.4): where two copies of one email arrive after all, most mailboxes show
 * one. Gmail puts its own in its place.
 */
function messageIdOf({ deliveryId, from }: Pick<Email, 'deliveryId' | 'from'>): string {
  const domain = domainToASCII(from.email.slice(from.email.lastIndexOf('@') + 1));
  return `<${deliveryId}@${domain || 'letterhead.invalid'}>`;
}

/**
 * Ends each line as mail wants it (RFC 5322, 2.3): CR and LF, and never one without the other, whatever the browser, a
 * template or an import wrote. A part in quoted-printable is text, too: a bare LF there is a bare LF in the email.
 */
function withMailLines(text: string): string {
  return text.replaceAll(/\r\n|\r|\n/g, '\r\n');
}

/** Paragraphs and line breaks, everything else as written. */
export function textToHtml(text: string): string {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const paragraphs = escaped
    .replaceAll(/\r\n?/g, '\n')
    .trim()
    .split(/\n{2,}/);
  return paragraphs.map((paragraph) => `<p>${paragraph.replaceAll('\n', '<br>\n')}</p>`).join('\n');
}
