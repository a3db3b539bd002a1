import { randomBytes } from 'node:crypto';
import type { Account, SendAs } from './accounts.ts';
import { Refusal } from './answers.ts';
import { invalidArgument, mailNotEnabled, notFound } from './gmail/errors.ts';
import { type Message, messageHeader, type NewCopy, OUTSIDE } from './mailboxes.ts';
import { type Address, formatAddress, isAddress, parseAddresses } from './mime/addresses.ts';
import { type Header, headerValue, joinHeaders, parseHeaders, rawHeaderValue, splitMessage } from './mime/headers.ts';
import type { Accepted } from './persist.ts';
import type { World } from './world.ts';

/** A message as the API received it. */
export interface Submission {
  account: Account;
  clientId: string;
  via: Accepted['via'];
  raw: Buffer;
  threadId: string | null;
}

const MAX_RECIPIENTS = 500;

/**
 * Sends a message as Gmail does (google.md, B): From is swapped unless the account may use it, Message-ID is replaced,
 * Bcc leaves the delivered copies, X- headers and Date stay, and the SENT copy is listed at once. Answers the SENT
 * copy. Throws Refusal for what Gmail refuses.
 */
export function sendMessage(world: World, submission: Submission): Message {
  const { account, raw } = submission;
  if (!account.mailEnabled) throw new Refusal(mailNotEnabled());
  const { head, body } = splitMessage(raw);
  const headers = parseHeaders(head);
  const recipients = readRecipients(headers);
  const from = chooseFrom(account, rawHeaderValue(headers, 'From') ?? '');
  const messageId = `<CA${randomBytes(30).toString('base64url').slice(0, 40)}@mail.gmail.com>`;
  const written = rewriteHeaders(world, headers, from, messageId);
  const sentHead = joinHeaders(written.map((header) => header.source));
  const deliveredHead = joinHeaders(
    written.filter(({ name }) => name.toLowerCase() !== 'bcc').map(({ source }) => source),
  );

  const threadId = chooseThread(world, account, headers, submission.threadId);
  const [sent] = world.mail.file(
    body,
    copiesFor(world, account, { recipients, from, headers, sentHead, deliveredHead, threadId }),
    {
      accepted: ([copy]) => ({
        at: world.now(),
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
      }),
    },
  );
  if (!sent) throw new Error('A sent message has a SENT copy');
  return sent;
}

/** Puts a message from somewhere else into the mailboxes of its recipients, as an SMTP server would: nothing rewritten. */
export function receiveMessage(world: World, raw: Buffer, recipients: readonly string[]): Message[] {
  const { head, body } = splitMessage(raw);
  const headers = parseHeaders(head);
  const kept = joinHeaders(headers.filter(({ name }) => name.toLowerCase() !== 'bcc').map(({ source }) => source));
  return world.mail.file(body, deliveredCopies(world, recipients, headers, kept, null));
}

/** Recipients of To, Cc and Bcc, each once. Gmail names the header it cannot read. */
function readRecipients(headers: readonly Header[]): string[] {
  const found = new Set<string>();
  for (const name of ['To', 'Cc', 'Bcc']) {
    const values = headers.filter((header) => header.name.toLowerCase() === name.toLowerCase());
    for (const { address } of values.flatMap(({ value }) => parseAddresses(value))) {
      if (!isAddress(address)) throw new Refusal(invalidArgument(`Invalid ${name} header`));
      found.add(address.toLowerCase());
    }
  }
  if (found.size === 0) throw new Refusal(invalidArgument('Recipient address required'));
  if (found.size > MAX_RECIPIENTS) throw new Refusal(invalidArgument('Too many recipients'));
  return [...found];
}

/** The From that Gmail really uses: as asked when the account may, else its default address, without a word (fact 2). */
function chooseFrom(account: Account, requested: string): Address {
  const asked = parseAddresses(requested);
  const [only] = asked;
  const usable = asked.length === 1 && only ? account.sendAs.find((entry) => mayUse(entry, only.address)) : undefined;
  const entry = usable ?? account.sendAs.find((candidate) => candidate.isDefault) ?? account.sendAs[0];
  const address = entry?.email ?? account.email;
  const own = entry?.name || account.name;
  return { address, name: usable && only && only.name !== '' ? only.name : own };
}

/** Pending is refused; accepted and a missing status are both good (fact 11). */
function mayUse(entry: SendAs, address: string): boolean {
  return entry.status !== 'pending' && entry.email === address.toLowerCase();
}

function rewriteHeaders(world: World, headers: readonly Header[], from: Address, messageId: string): Header[] {
  const make = (name: string, value: string): Header => ({ name, value, source: `${name}: ${value}` });
  const date = new Date(world.now()).toUTCString().replace('GMT', '+0000');
  const replaced = new Set<string>();
  const written = headers.flatMap((header) => {
    const name = header.name.toLowerCase();
    if (name !== 'from' && name !== 'message-id') return [header];
    if (replaced.has(name)) return [];
    replaced.add(name);
    return [name === 'from' ? make('From', formatAddress(from)) : make('Message-ID', messageId)];
  });
  const missing = [
    ...(replaced.has('from') ? [] : [make('From', formatAddress(from))]),
    ...(rawHeaderValue(headers, 'Date') === undefined ? [make('Date', date)] : []),
    ...(replaced.has('message-id') ? [] : [make('Message-ID', messageId)]),
  ];
  const received = make('Received', `from 000000000000 named unknown by gmailapi.google.com with HTTPREST; ${date}`);
  return [received, ...missing, ...written];
}

/**
 * The thread of a sent message. A named thread must exist, and is only joined when References (or In-Reply-To) and
 * Subject fit as well; else a new thread begins (google.md, Threads).
 */
function chooseThread(world: World, account: Account, headers: readonly Header[], named: string | null): string | null {
  if (named === null) return null;
  if (!/^[0-9a-f]{1,16}$/i.test(named)) throw new Refusal(invalidArgument('Invalid thread_id value'));
  const thread = world.mail.thread(account.email, named.toLowerCase());
  if (thread.length === 0) throw new Refusal(notFound());
  return thread.some((message) => isReplyTo(headers, message)) ? named.toLowerCase() : null;
}

function isReplyTo(headers: readonly Header[], message: Message): boolean {
  return (
    message.messageId !== '' &&
    answeredIds(headers).includes(message.messageId) &&
    bareSubject(headerValue(headers, 'Subject')) === bareSubject(messageHeader(message, 'Subject'))
  );
}

function answeredIds(headers: readonly Header[]): string {
  return `${rawHeaderValue(headers, 'References') ?? ''} ${rawHeaderValue(headers, 'In-Reply-To') ?? ''}`;
}

function bareSubject(subject: string | undefined): string {
  return (subject ?? '')
    .replace(/^(?:\s*(?:re|fwd?|aw|wg)\s*:)+/i, '')
    .trim()
    .toLowerCase();
}

function copiesFor(
  world: World,
  account: Account,
  mail: {
    recipients: readonly string[];
    from: Address;
    headers: readonly Header[];
    sentHead: Buffer;
    deliveredHead: Buffer;
    threadId: string | null;
  },
): NewCopy[] {
  const { recipients, from, headers, sentHead, deliveredHead, threadId } = mail;
  const toSelf = recipients.some((address) => world.accounts.receiving(address) === account);
  const sent: NewCopy = {
    mailbox: account.email,
    labels: toSelf ? ['UNREAD', 'SENT', 'INBOX'] : ['SENT'],
    threadId,
    head: sentHead,
    envelope: recipients,
  };
  const head = Buffer.concat([joinHeaders([`Return-Path: <${from.address}>`]), deliveredHead]);
  return [sent, ...deliveredCopies(world, recipients, headers, head, account)];
}

/** One copy per mailbox here, and one for all who live outside; `sender` already holds its own. */
function deliveredCopies(
  world: World,
  recipients: readonly string[],
  headers: readonly Header[],
  head: Buffer,
  sender: Account | null,
): NewCopy[] {
  const byMailbox = new Map<string, string[]>();
  for (const address of recipients) {
    const mailbox = world.accounts.receiving(address)?.email ?? OUTSIDE;
    byMailbox.set(mailbox, [...(byMailbox.get(mailbox) ?? []), address]);
  }
  if (sender) byMailbox.delete(sender.email);
  const answers = answeredIds(headers).match(/<[^<>]+>/g) ?? [];
  return [...byMailbox].map(([mailbox, envelope]) => {
    const answered =
      answers
        .map((id) => world.mail.byMessageId(mailbox, id))
        .findLast((message) => message && isReplyTo(headers, message))?.threadId ?? null;
    const delivered = Buffer.concat([joinHeaders(envelope.map((address) => `Delivered-To: ${address}`)), head]);
    return { mailbox, labels: ['INBOX', 'UNREAD'], threadId: answered, head: delivered, envelope };
  });
}
