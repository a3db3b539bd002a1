import type { Request } from 'express';
import { z } from 'zod';
import type { Answer } from '../answers.ts';
import { sendMessage } from '../delivery.ts';
import type { World } from '../world.ts';
import { authorizeMail, type Caller } from './access.ts';
import { METHODS } from './methods.ts';
import { decodeRaw, parseJson, readJson } from './request.ts';
import type { ResumableUploads } from './resumable.ts';
import { type Finish, readUpload, type Upload, uploadTypeOf } from './uploads.ts';

const messageBody = z.object({ raw: z.string().nullish(), threadId: z.string().nullish() });

/** messages.send with `{raw, threadId?}` in JSON. */
export async function sendJson(world: World, req: Request): Promise<Answer> {
  const caller = authorizeMail(world, req, METHODS.send);
  const { raw, threadId } = await readJson(req, messageBody);
  return sent(world, caller, { via: 'json', media: decodeRaw(raw) }, threadId);
}

/** messages.send by upload: the message itself, JSON and message, or over several requests. */
export async function sendUpload(world: World, req: Request, uploads: ResumableUploads): Promise<Answer> {
  const caller = authorizeMail(world, req, METHODS.send);
  const finish: Finish = (upload) => sent(world, caller, upload, parseJson(upload.metadata, messageBody).threadId);
  if (uploadTypeOf(req) === 'resumable') return uploads.begin(req, caller.account.email, finish);
  return finish(await readUpload(req));
}

function sent(
  world: World,
  { account, clientId }: Caller,
  { via, media }: Pick<Upload, 'via' | 'media'>,
  threadId: string | null | undefined,
): Answer {
  const message = sendMessage(world, { account, clientId, via, raw: media, threadId: threadId ?? null });
  return { status: 200, body: { id: message.id, threadId: message.threadId, labelIds: message.labels } };
}
