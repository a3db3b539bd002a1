import type { Request } from 'express';
import type { Answer } from '../answers.ts';
import type { World } from '../world.ts';
import { authorizeMail, refuseText } from './access.ts';
import { findMessages, findThread } from './find.ts';
import { messageResource, snippetFor } from './message-resource.ts';
import { METHODS } from './methods.ts';
import { queryOf, readFormat, readId } from './request.ts';

/** threads.list: threads with a message that fits, the one with the newest such message first. */
export function listThreads(world: World, req: Request): Answer {
  const caller = authorizeMail(world, req, METHODS.listThreads);
  const { found, nextPageToken, estimate } = findMessages(world, caller, queryOf(req), true);
  const threads = found.map((message) => {
    const newest = world.mail.thread(caller.account.email, message.threadId).at(-1) ?? message;
    return { id: message.threadId, snippet: snippetFor(newest), historyId: String(newest.historyId) };
  });
  return {
    status: 200,
    body: {
      ...(threads.length > 0 ? { threads } : {}),
      ...(nextPageToken === null ? {} : { nextPageToken }),
      resultSizeEstimate: estimate,
    },
  };
}

/** threads.get: its messages oldest first, in full, minimal or metadata. */
export function getThread(world: World, req: Request): Answer {
  const caller = authorizeMail(world, req, METHODS.getThread);
  const query = queryOf(req);
  const format = readFormat(query);
  refuseText(caller, format);
  const id = readId(req);
  const thread = findThread(world, caller.account, id);
  const wanted = query.getAll('metadataHeaders');
  return {
    status: 200,
    body: {
      id,
      historyId: String(Math.max(...thread.map(({ historyId }) => historyId))),
      messages: thread.map((message) => messageResource(message, format, wanted)),
    },
  };
}
