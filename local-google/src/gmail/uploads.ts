import type { Request } from 'express';
import { type Answer, Refusal } from '../answers.ts';
import { readBody } from '../body.ts';
import { parseParameters, rawHeaderValue } from '../mime/headers.ts';
import { parseMessage } from '../mime/parts.ts';
import type { Accepted } from '../persist.ts';
import { tooLarge } from './errors.ts';
import { badRequest } from './request.ts';

/** The declared maximum of an uploaded message, bytes (the Gmail discovery document). */
export const UPLOAD_LIMIT = 36_700_160;

/** A message that came by upload, and the JSON beside it (empty: none). */
export interface Upload {
  via: Accepted['via'];
  metadata: Buffer;
  media: Buffer;
}

/** What a method does with a complete upload. */
export type Finish = (upload: Upload) => Answer;

/** `uploadType` of a call. */
export function uploadTypeOf(req: Request): string | null {
  return new URL(req.originalUrl, 'http://local').searchParams.get('uploadType');
}

/** Reads an upload that comes in one request: the message itself (`media`), or JSON and message (`multipart`). */
export async function readUpload(req: Request): Promise<Upload> {
  const uploadType = uploadTypeOf(req);
  const body = await readBody(req, UPLOAD_LIMIT);
  if (body === 'too large') throw new Refusal(tooLarge(UPLOAD_LIMIT));
  const contentType = req.headers['content-type'] ?? '';
  if (uploadType === 'media') {
    checkMediaType(contentType);
    return { via: 'media', metadata: Buffer.alloc(0), media: body };
  }
  if (uploadType === 'multipart') return { via: 'multipart', ...splitMultipart(contentType, body) };
  throw new Refusal(badRequest(`Unsupported uploadType: ${uploadType ?? 'none'}`));
}

/** Throws Refusal for anything but a mail message. */
export function checkMediaType(contentType: string): void {
  const { value } = parseParameters(contentType);
  if (value !== 'message/rfc822') {
    throw new Refusal(badRequest(`Media type '${value}' is not supported. Valid media types: [message/rfc822]`));
  }
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
