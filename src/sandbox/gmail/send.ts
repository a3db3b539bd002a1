import type { Request } from 'express';
import { z } from 'zod';
import { type Answer, Refusal } from '../answers.ts';
import { readBody } from '../body.ts';
import { sendMessage } from '../delivery.ts';
import { parseParameters, rawHeaderValue } from '../mime/headers.ts';
import { parseMessage } from '../mime/parts.ts';
import type { Accepted } from '../persist.ts';
import type { World } from '../world.ts';
import { authorize, METHODS } from './access.ts';
import { googleError, invalidArgument, tooLarge } from './errors.ts';

/** The JSON endpoint takes small messages only; Google does not document where it stops. */
const JSON_LIMIT = 5 * 1024 * 1024;

/** The declared maximum of the upload endpoint (the Gmail discovery document). */
const UPLOAD_LIMIT = 36_700_160;

const jsonBody = z.object({ raw: z.string().optional(), threadId: z.string().nullish() });

const RAW_REQUIRED = "'raw' RFC822 payload message string or uploading message via /upload/* URL required";

/** messages.send with `{raw, threadId?}` in JSON. */
export async function sendJson(world: World, req: Request): Promise<Answer> {
  const caller = authorize(world, req, METHODS.send);
  const body = await readBody(req, JSON_LIMIT);
  if (body === 'too large') throw new Refusal(tooLarge(JSON_LIMIT));
  const { raw, threadId } = parseJson(body);
  if (!raw) throw new Refusal(invalidArgument(RAW_REQUIRED));
  if (!/^[\w+/=\s-]*$/.test(raw)) {
    throw new Refusal(invalidArgument("Invalid value at 'message.raw' (TYPE_BYTES), Base64 decoding failed"));
  }
  return sent(world, caller, 'json', Buffer.from(raw, 'base64url'), threadId ?? null);
}

/** messages.send by upload: the message itself (`uploadType=media`), or JSON and message (`multipart`). */
export async function sendUpload(world: World, req: Request): Promise<Answer> {
  const caller = authorize(world, req, METHODS.send);
  const uploadType = new URL(req.originalUrl, 'http://local').searchParams.get('uploadType');
  const body = await readBody(req, UPLOAD_LIMIT);
  if (body === 'too large') throw new Refusal(tooLarge(UPLOAD_LIMIT));
  const contentType = req.headers['content-type'] ?? '';
  if (uploadType === 'media') {
    checkMediaType(contentType);
    return sent(world, caller, 'media', body, null);
  }
  if (uploadType === 'multipart') {
    const { metadata, media } = splitMultipart(contentType, body);
    return sent(world, caller, 'multipart', media, parseJson(metadata).threadId ?? null);
  }
  throw new Refusal(badRequest(`Unsupported uploadType: ${uploadType ?? 'none'}`));
}

function sent(
  world: World,
  caller: ReturnType<typeof authorize>,
  via: Accepted['via'],
  raw: Buffer,
  threadId: string | null,
): Answer {
  const message = sendMessage(world, { account: caller.account, clientId: caller.clientId, via, raw, threadId });
  return { status: 200, body: { id: message.id, threadId: message.threadId, labelIds: message.labels } };
}

function parseJson(body: Buffer): z.infer<typeof jsonBody> {
  let value: unknown;
  try {
    value = body.length === 0 ? {} : JSON.parse(body.toString('utf8'));
  } catch {
    throw new Refusal(badRequest('Invalid JSON payload received.'));
  }
  const parsed = jsonBody.safeParse(value);
  if (!parsed.success) throw new Refusal(invalidArgument('Invalid JSON payload received.'));
  return parsed.data;
}

/** The two parts of a multipart/related upload: metadata first, then the message, which is kept byte for byte. */
function splitMultipart(contentType: string, body: Buffer): { metadata: Buffer; media: Buffer } {
  const head = Buffer.from(`Content-Type: ${contentType}\r\n\r\n`, 'latin1');
  const { parts } = parseMessage(Buffer.concat([head, body]));
  const [metadata, media] = parts;
  if (!metadata || !media) throw new Refusal(badRequest('Missing end boundary in multipart body.'));
  checkMediaType(rawHeaderValue(media.headers, 'Content-Type') ?? '');
  return { metadata: metadata.content, media: media.content };
}

function checkMediaType(contentType: string): void {
  const { value } = parseParameters(contentType);
  if (value !== 'message/rfc822') {
    throw new Refusal(badRequest(`Media type '${value}' is not supported. Valid media types: [message/rfc822]`));
  }
}

function badRequest(message: string): Answer {
  return googleError({ code: 400, status: 'INVALID_ARGUMENT', reason: 'badRequest', message });
}
