import type { Request } from 'express';
import { z } from 'zod';
import { type Answer, Refusal } from '../answers.ts';
import { createDraft, type Draft, discardDraft, findDraft, sendDraft, updateDraft } from '../drafts.ts';
import type { World } from '../world.ts';
import { authorizeMail, type Caller, refuseText } from './access.ts';
import { invalidArgument } from './errors.ts';
import { findMessages } from './find.ts';
import { messageResource } from './message-resource.ts';
import { METHODS, type Method } from './methods.ts';
import { decodeRaw, parseJson, queryOf, readFormat, readJson } from './request.ts';
import type { ResumableUploads } from './resumable.ts';
import { type Finish, readUpload, uploadTypeOf } from './uploads.ts';

const draftBody = z.object({
  id: z.string().nullish(),
  message: z.object({ raw: z.string().nullish(), threadId: z.string().nullish() }).nullish(),
});

type DraftBody = z.output<typeof draftBody>;

/** What a method does with a draft as it came: `raw` null where the body had no message. */
type Act = (caller: Caller, body: DraftBody, raw: Buffer | null) => Answer;

/** drafts.create. */
export function createDraftMethod(world: World, req: Request, uploads: ResumableUploads): Promise<Answer> {
  return receive(world, req, uploads, METHODS.createDraft, ({ account }, body, raw) =>
    draftAnswer(createDraft(world, account, required(raw), body.message?.threadId ?? null)),
  );
}

/** drafts.update: the draft's id stays, its message is a new one. */
export function updateDraftMethod(world: World, req: Request, uploads: ResumableUploads): Promise<Answer> {
  const id = String(req.params['id']);
  return receive(world, req, uploads, METHODS.updateDraft, ({ account }, _body, raw) =>
    draftAnswer(updateDraft(world, account, id, required(raw))),
  );
}

/** drafts.send: the draft goes, its message comes back with a new id and SENT. */
export function sendDraftMethod(world: World, req: Request, uploads: ResumableUploads): Promise<Answer> {
  return receive(world, req, uploads, METHODS.sendDraft, (caller, body, raw) => {
    if (!body.id) throw new Refusal(invalidArgument('Missing draft id'));
    const { id, threadId, labels } = sendDraft(world, caller, body.id, raw);
    return { status: 200, body: { id, threadId, labelIds: labels } };
  });
}

/** drafts.get, in the formats of messages.get. */
export function getDraftMethod(world: World, req: Request): Answer {
  const caller = authorizeMail(world, req, METHODS.getDraft);
  const format = readFormat(queryOf(req));
  refuseText(caller, format);
  const id = String(req.params['id']);
  const message = findDraft(world, caller.account, id);
  return { status: 200, body: { id, message: messageResource(message, format, []) } };
}

/** drafts.list, newest first. */
export function listDraftsMethod(world: World, req: Request): Answer {
  const caller = authorizeMail(world, req, METHODS.listDrafts);
  const query = queryOf(req);
  query.append('labelIds', 'DRAFT');
  const { found, nextPageToken, estimate } = findMessages(world, caller, query);
  const ids = new Map([...world.mail.drafts(caller.account.email)].map(([id, message]) => [message, id]));
  const drafts = found.flatMap((message) => {
    const id = ids.get(message);
    return id === undefined ? [] : [{ id, message: { id: message.id, threadId: message.threadId } }];
  });
  return {
    status: 200,
    body: {
      ...(drafts.length > 0 ? { drafts } : {}),
      ...(nextPageToken === null ? {} : { nextPageToken }),
      resultSizeEstimate: estimate,
    },
  };
}

/** drafts.delete: at once and for good. */
export function removeDraftMethod(world: World, req: Request): Answer {
  const { account } = authorizeMail(world, req, METHODS.removeDraft);
  discardDraft(world, account, String(req.params['id']));
  return { status: 204, body: undefined };
}

/** A draft in JSON, or by any way of uploading. */
async function receive(
  world: World,
  req: Request,
  uploads: ResumableUploads,
  method: Method,
  act: Act,
): Promise<Answer> {
  const caller = authorizeMail(world, req, method);
  if (!req.path.startsWith('/upload/')) {
    const body = await readJson(req, draftBody);
    return act(caller, body, body.message?.raw ? decodeRaw(body.message.raw) : null);
  }
  const finish: Finish = ({ metadata, media }) => act(caller, parseJson(metadata, draftBody), media);
  if (uploadTypeOf(req) === 'resumable') return uploads.begin(req, caller.account.email, finish);
  return finish(await readUpload(req));
}

function required(raw: Buffer | null): Buffer {
  return raw ?? decodeRaw(null);
}

function draftAnswer({ id, message }: Draft): Answer {
  const { id: messageId, threadId, labels } = message;
  return { status: 200, body: { id, message: { id: messageId, threadId, labelIds: labels } } };
}
