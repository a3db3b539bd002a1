import type { Request } from 'express';
import { type Answer, Refusal } from '../answers.ts';
import type { World } from '../world.ts';
import { authorizeMail, refuseText } from './access.ts';
import { invalidArgument } from './errors.ts';
import { findMessage, findMessages } from './find.ts';
import { attachmentOf, messageResource, padded } from './message-resource.ts';
import { METHODS } from './methods.ts';
import { queryOf, readFormat, readId } from './request.ts';

/** messages.list: ids only, newest first; `messages` is absent when nothing matches. */
export function listMessages(world: World, req: Request): Answer {
  const caller = authorizeMail(world, req, METHODS.list);
  const { found, nextPageToken, estimate } = findMessages(world, caller, queryOf(req));
  return {
    status: 200,
    body: {
      ...(found.length > 0 ? { messages: found.map(({ id, threadId }) => ({ id, threadId })) } : {}),
      ...(nextPageToken === null ? {} : { nextPageToken }),
      resultSizeEstimate: estimate,
    },
  };
}

/** messages.get in any of its four formats. A token that holds gmail.metadata gets no full and no raw (docs/google.md, A). */
export function getMessage(world: World, req: Request): Answer {
  const caller = authorizeMail(world, req, METHODS.get);
  const query = queryOf(req);
  const format = readFormat(query);
  refuseText(caller, format);
  const message = findMessage(world, caller.account, readId(req));
  return { status: 200, body: messageResource(message, format, query.getAll('metadataHeaders')) };
}

/** messages.attachments.get. */
export function getAttachment(world: World, req: Request): Answer {
  const { account } = authorizeMail(world, req, METHODS.attachment);
  const content = attachmentOf(findMessage(world, account, readId(req)), String(req.params['attachment']));
  if (!content) throw new Refusal(invalidArgument('Invalid attachment token'));
  return { status: 200, body: { size: content.length, data: padded(content) } };
}

/** getProfile. */
export function getProfile(world: World, req: Request): Answer {
  const { account } = authorizeMail(world, req, METHODS.getProfile);
  const { messages, threads } = world.mail.totals(account.email);
  return {
    status: 200,
    body: {
      emailAddress: account.email,
      messagesTotal: messages,
      threadsTotal: threads,
      historyId: String(world.mail.historyIdOf(account.email)),
    },
  };
}
