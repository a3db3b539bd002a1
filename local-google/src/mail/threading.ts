import { Refusal } from '../answers.ts';
import { invalidArgument, notFound } from '../gmail/errors.ts';
import type { Mailboxes } from '../mailboxes.ts';
import { type Header, headerValue, rawHeaderValue } from '../mime/headers.ts';
import { type Message, messageHeader } from './message.ts';

/**
 * The thread that a message joins: the one that is named, if References (or In-Reply-To) and Subject fit as well; else
 * null, and a new one begins (docs/google.md, Threads). Throws Refusal: 400 for what is no thread id, 404 for a thread that
 * this mailbox does not have.
 */
export function chooseThread(
  mail: Mailboxes,
  mailbox: string,
  headers: readonly Header[],
  named: string | null,
): string | null {
  if (named === null) return null;
  if (!/^[0-9a-f]{1,16}$/i.test(named)) throw new Refusal(invalidArgument('Invalid thread_id value'));
  const threadId = named.toLowerCase();
  const thread = mail.thread(mailbox, threadId);
  if (thread.length === 0) throw new Refusal(notFound());
  return thread.some((message) => isReplyTo(headers, message)) ? threadId : null;
}

/** The thread of a mailbox that an arriving message answers; null when it answers none. */
export function threadAnswered(mail: Mailboxes, mailbox: string, headers: readonly Header[]): string | null {
  const ids = answeredIds(headers).match(/<[^<>]+>/g) ?? [];
  const answered = ids.map((id) => mail.byMessageId(mailbox, id));
  return answered.findLast((message) => message && isReplyTo(headers, message))?.threadId ?? null;
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
