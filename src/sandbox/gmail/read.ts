import type { Request } from 'express';
import type { Account } from '../accounts.ts';
import { type Answer, Refusal } from '../answers.ts';
import type { Message } from '../mailboxes.ts';
import type { World } from '../world.ts';
import { authorize, METADATA_SCOPE, METHODS } from './access.ts';
import { forbidden, invalidArgument, mailNotEnabled, notFound } from './errors.ts';
import { attachmentOf, type Format, messageResource, padded } from './message-resource.ts';
import { matchesQuery } from './query.ts';

/** messages.list: ids only, newest first, labels ANDed; `messages` is absent when nothing matches. */
export function listMessages(world: World, req: Request): Answer {
  const { account, scopes } = authorize(world, req, METHODS.list);
  requireMail(account);
  const query = new URL(req.originalUrl, world.url).searchParams;
  const q = query.get('q') ?? '';
  if (q !== '' && scopes.has(METADATA_SCOPE)) {
    throw new Refusal(forbidden('forbidden', "Metadata scope does not support 'q' parameter"));
  }
  const labels = query.getAll('labelIds');
  const max = Math.min(Math.max(Number(query.get('maxResults') ?? 100) || 100, 1), 500);
  const hidden =
    query.get('includeSpamTrash') === 'true' ? [] : ['SPAM', 'TRASH'].filter((label) => !labels.includes(label));
  const matching = world.mail
    .all(account.email)
    .reverse()
    .filter(
      (message) =>
        labels.every((label) => message.labels.includes(label)) &&
        !message.labels.some((label) => hidden.includes(label)) &&
        matchesQuery(message, q, world.now()),
    );
  const start = pageStart(matching, query.get('pageToken'));
  const page = matching.slice(start, start + max);
  const last = page.at(-1);
  return {
    status: 200,
    body: {
      ...(page.length > 0 ? { messages: page.map(({ id, threadId }) => ({ id, threadId })) } : {}),
      ...(last && start + max < matching.length ? { nextPageToken: String(last.historyId) } : {}),
      resultSizeEstimate: matching.length,
    },
  };
}

/** messages.get in any of its four formats. A token that holds gmail.metadata gets no full and no raw (google.md, A). */
export function getMessage(world: World, req: Request): Answer {
  const { account, scopes } = authorize(world, req, METHODS.get);
  const query = new URL(req.originalUrl, world.url).searchParams;
  const format = readFormat(query.get('format'));
  if (scopes.has(METADATA_SCOPE) && (format === 'full' || format === 'raw')) {
    throw new Refusal(forbidden('forbidden', `Metadata scope doesn't allow format ${format.toUpperCase()}`));
  }
  const message = findMessage(world, account, req);
  return { status: 200, body: messageResource(message, format, query.getAll('metadataHeaders')) };
}

/** messages.attachments.get. */
export function getAttachment(world: World, req: Request): Answer {
  const { account } = authorize(world, req, METHODS.attachment);
  const content = attachmentOf(findMessage(world, account, req), String(req.params['attachment']));
  if (!content) throw new Refusal(invalidArgument('Invalid attachment token'));
  return { status: 200, body: { size: content.length, data: padded(content) } };
}

/** getProfile. */
export function getProfile(world: World, req: Request): Answer {
  const { account } = authorize(world, req, METHODS.getProfile);
  requireMail(account);
  const messages = world.mail.all(account.email);
  return {
    status: 200,
    body: {
      emailAddress: account.email,
      messagesTotal: messages.length,
      threadsTotal: new Set(messages.map((message) => message.threadId)).size,
      historyId: String(world.mail.historyIdOf(account.email)),
    },
  };
}

function requireMail(account: Account): void {
  if (!account.mailEnabled) throw new Refusal(mailNotEnabled());
}

function findMessage(world: World, account: Account, req: Request): Message {
  requireMail(account);
  const id = String(req.params['id']);
  if (!/^[0-9a-f]{1,16}$/i.test(id)) throw new Refusal(invalidArgument('Invalid id value'));
  const message = world.mail.get(account.email, id.toLowerCase());
  if (!message) throw new Refusal(notFound());
  return message;
}

function readFormat(value: string | null): Format {
  const format = (value ?? 'full').toLowerCase();
  switch (format) {
    case 'minimal':
    case 'full':
    case 'raw':
    case 'metadata':
      return format;
    default:
      throw new Refusal(invalidArgument(`Invalid value at 'format': "${value}"`));
  }
}

/** Pages go on below the last message seen, so that new mail between two pages shifts nothing. */
function pageStart(messages: readonly Message[], token: string | null): number {
  if (token === null) return 0;
  if (!/^\d+$/.test(token)) throw new Refusal(invalidArgument('Invalid pageToken'));
  const start = messages.findIndex((message) => message.historyId < Number(token));
  return start === -1 ? messages.length : start;
}
