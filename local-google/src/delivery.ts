import type { Account } from './accounts.ts';
import { Refusal } from './answers.ts';
import { bounceLater, bounceNow, noticeOverLimit } from './bounces.ts';
import { invalidArgument, mailNotEnabled } from './gmail/errors.ts';
import { chooseFrom, dateHeader, makeHeader, newMessageId, rewriteHeaders } from './mail/rewrite.ts';
import { chooseThread, threadAnswered } from './mail/threading.ts';
import { type Message, type NewCopy, OUTSIDE } from './mailboxes.ts';
import { isAddress, parseAddresses } from './mime/addresses.ts';
import { type Header, headerValue, joinHeaders, parseHeaders, rawHeaderValue, splitMessage } from './mime/headers.ts';
import type { Accepted } from './persist.ts';
import type { World } from './world.ts';

/** A message as the API received it. */
export interface Submission {
  account: Account;
  clientId: string;
  via: Accepted['via'];
  raw: Buffer;
  /** The thread that the caller named. */
  threadId: string | null;
  /** The draft that is sent: it goes, and its message stays in its thread. */
  draft?: { id: string; threadId: string };
}

/**
 * Sends a message as Gmail does (docs/google.md, B): From is swapped unless the account may use it, Message-ID is replaced,
 * Bcc leaves the delivered copies, X- headers stay, and the SENT copy is listed at once. What cannot be delivered comes
 * back as a bounce. Answers the SENT copy. Throws Refusal for what Gmail refuses.
 */
export function sendMessage(world: World, submission: Submission): Message {
  const { account, raw, draft } = submission;
  if (!account.mailEnabled) throw new Refusal(mailNotEnabled());
  const { head, body } = splitMessage(raw);
  const headers = parseHeaders(head);
  const recipients = readRecipients(headers, world.quotas.settings.recipientsPerMessage);
  const from = chooseFrom(account, rawHeaderValue(headers, 'From') ?? '');
  const messageId = newMessageId();
  const at = world.now();
  const received = `from 000000000000 named unknown by gmailapi.google.com with HTTPREST; ${dateHeader(at)}`;
  const keepDate = world.policies.unconfirmed.dateHeader === 'kept';
  const written = [makeHeader('Received', received), ...rewriteHeaders(headers, { from, messageId, at, keepDate })];
  const threadId = draft?.threadId ?? chooseThread(world.mail, account.email, headers, submission.threadId);
  const overLimit = world.quotas.checkSending(account, recipients) === 'over';
  const routes = routeRecipients(world, recipients);
  const toSelf = routes.mailboxes.has(account.email) && !overLimit;
  const sentCopy: NewCopy = {
    mailbox: account.email,
    labels: toSelf ? ['UNREAD', 'SENT', 'INBOX'] : ['SENT'],
    threadId,
    head: joinHeaders(written.map(({ source }) => source)),
    envelope: recipients,
  };
  routes.mailboxes.delete(account.email);
  const delivered = joinHeaders([`Return-Path: <${from.address}>`, ...withoutBcc(written)]);
  const copies = overLimit ? [] : deliveredCopies(world, routes.mailboxes, headers, delivered);
  const [sent] = world.mail.file(body, [sentCopy, ...copies], {
    accepted: ([copy]) => ({
      at,
      account: account.email,
      clientId: submission.clientId,
      via: submission.via,
      id: copy?.id ?? '',
      threadId: copy?.threadId ?? '',
      messageId,
      originalMessageId: rawHeaderValue(headers, 'Message-ID') ?? null,
      from,
      requestedFrom: headerValue(headers, 'From') ?? '',
      deliveryId: headerValue(headers, 'X-Letterhead-Delivery') ?? null,
      subject: headerValue(headers, 'Subject') ?? '',
      recipients,
      size: raw.length,
      ...(overLimit ? { overLimit } : {}),
    }),
    ...(draft ? { draft: { mailbox: account.email, id: draft.id, sent: true } } : {}),
  });
  if (!sent) throw new Error('A sent message has a SENT copy');
  const original = { account, sent, from: from.address, head: sentCopy.head, body };
  if (overLimit) noticeOverLimit(world, original, recipients);
  else {
    world.quotas.countSent(account, { at, recipients });
    if (routes.delayed.length > 0) bounceLater(world, original, routes.delayed);
    if (routes.failed.length > 0) bounceNow(world, original, routes.failed);
  }
  return sent;
}

/** Puts a message from somewhere else into the mailboxes of its recipients, as an SMTP server would: nothing rewritten. */
export function receiveMessage(world: World, raw: Buffer, recipients: readonly string[]): Message[] {
  const { head, body } = splitMessage(raw);
  const headers = parseHeaders(head);
  const mailboxes = new Map<string, string[]>();
  for (const address of recipients) addTo(mailboxes, world.accounts.receiving(address)?.email ?? OUTSIDE, address);
  return world.mail.file(body, deliveredCopies(world, mailboxes, headers, joinHeaders(withoutBcc(headers))));
}

/** Recipients of To, Cc and Bcc, each once. Gmail names the header it cannot read. */
function readRecipients(headers: readonly Header[], most: number): string[] {
  const found = new Set<string>();
  for (const name of ['To', 'Cc', 'Bcc']) {
    const values = headers.filter((header) => header.name.toLowerCase() === name.toLowerCase());
    for (const { address } of values.flatMap(({ value }) => parseAddresses(value))) {
      if (!isAddress(address)) throw new Refusal(invalidArgument(`Invalid ${name} header`));
      found.add(address.toLowerCase());
    }
  }
  if (found.size === 0) throw new Refusal(invalidArgument('Recipient address required'));
  if (found.size > most) throw new Refusal(invalidArgument('Too many recipients'));
  return [...found];
}

/** Where the recipients of a message are. */
interface Routes {
  /** Addresses by the mailbox they reach, the outside world included. */
  mailboxes: Map<string, string[]>;
  failed: string[];
  delayed: string[];
}

/**
 * An account's own addresses reach it; other addresses in its Workspace domain do not exist. Of the addresses elsewhere,
 * `bounce@…` is refused, `delayed@…` keeps Gmail trying, and every other one is in the outside world.
 */
function routeRecipients(world: World, recipients: readonly string[]): Routes {
  const routes: Routes = { mailboxes: new Map(), failed: [], delayed: [] };
  const domains = new Set(world.accounts.all().map(({ hd }) => hd));
  for (const address of recipients) {
    const at = address.lastIndexOf('@');
    const local = address.slice(0, at);
    const mailbox = world.accounts.receiving(address)?.email;
    if (mailbox !== undefined) addTo(routes.mailboxes, mailbox, address);
    else if (local === 'delayed') routes.delayed.push(address);
    else if (local === 'bounce' || domains.has(address.slice(at + 1))) routes.failed.push(address);
    else addTo(routes.mailboxes, OUTSIDE, address);
  }
  return routes;
}

function addTo(mailboxes: Map<string, string[]>, mailbox: string, address: string): void {
  const addresses = mailboxes.get(mailbox);
  if (addresses) addresses.push(address);
  else mailboxes.set(mailbox, [address]);
}

/** One copy per mailbox here, and one for all who live outside. */
function deliveredCopies(
  world: World,
  mailboxes: ReadonlyMap<string, readonly string[]>,
  headers: readonly Header[],
  head: Buffer,
): NewCopy[] {
  return [...mailboxes].map(([mailbox, envelope]) => ({
    mailbox,
    labels: ['INBOX', 'UNREAD'],
    threadId: threadAnswered(world.mail, mailbox, headers),
    head: Buffer.concat([joinHeaders(envelope.map((address) => `Delivered-To: ${address}`)), head]),
    envelope,
  }));
}

function withoutBcc(headers: readonly Header[]): string[] {
  return headers.filter(({ name }) => name.toLowerCase() !== 'bcc').map(({ source }) => source);
}
