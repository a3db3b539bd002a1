import type { Request } from 'express';
import type { z } from 'zod';
import { type Answer, Refusal } from '../answers.ts';
import { readBody } from '../body.ts';
import { googleError, invalidArgument, tooLarge } from './errors.ts';
import type { Format } from './message-resource.ts';

/** JSON bodies take small messages only; Google does not document where it stops. */
const JSON_LIMIT = 5 * 1024 * 1024;

/** The query parameters of a call. */
export function queryOf(req: Request): URLSearchParams {
  const at = req.originalUrl.indexOf('?');
  return new URLSearchParams(at === -1 ? '' : req.originalUrl.slice(at + 1));
}

/** The JSON body of a call as `shape` has it; no body is `{}`. Throws Refusal: 413, or 400 for what does not fit. */
export async function readJson<T>(req: Request, shape: z.ZodType<T>): Promise<T> {
  const body = await readBody(req, JSON_LIMIT);
  if (body === 'too large') throw new Refusal(tooLarge(JSON_LIMIT));
  return parseJson(body, shape);
}

/** JSON bytes as `shape` has them. */
export function parseJson<T>(body: Buffer, shape: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = body.length === 0 ? {} : JSON.parse(body.toString('utf8'));
  } catch {
    throw new Refusal(badRequest('Invalid JSON payload received.'));
  }
  const parsed = shape.safeParse(value);
  if (!parsed.success) throw new Refusal(invalidArgument('Invalid JSON payload received.'));
  return parsed.data;
}

/** The bytes of a `raw` field, base64url or base64. Throws Refusal. */
export function decodeRaw(raw: string | undefined | null): Buffer {
  if (!raw) {
    throw new Refusal(
      invalidArgument("'raw' RFC822 payload message string or uploading message via /upload/* URL required"),
    );
  }
  const bytes = Buffer.from(raw, 'base64url');
  // Whole length: nothing was passed over. Looking at each of a million letters is only worth it when something was.
  const letters = raw.length - (raw.endsWith('==') ? 2 : raw.endsWith('=') ? 1 : 0);
  const whole = letters % 4 !== 1 && bytes.length === Math.floor((letters * 3) / 4);
  if (!whole && !/^[\w+/=\s-]*$/.test(raw)) {
    throw new Refusal(invalidArgument("Invalid value at 'message.raw' (TYPE_BYTES), Base64 decoding failed"));
  }
  return bytes;
}

/** `maxResults` of a list: 100 unless told, 500 at most. */
export function readMax(query: URLSearchParams): number {
  return Math.min(Math.max(Number(query.get('maxResults') ?? 100) || 100, 1), 500);
}

/** The place in the mailbox below which the next page begins. Throws Refusal. */
export function readPageToken(query: URLSearchParams): number {
  const token = query.get('pageToken');
  if (token === null) return Number.POSITIVE_INFINITY;
  if (!/^\d+$/.test(token)) throw new Refusal(invalidArgument('Invalid pageToken'));
  return Number(token);
}

/** `format` of a get; `full` unless told. Throws Refusal. */
export function readFormat(query: URLSearchParams): Format {
  const value = query.get('format');
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

/** A message or thread id as it is kept. Throws Refusal for what cannot be one. */
export function readId(req: Request): string {
  const id = String(req.params['id']);
  if (!/^[0-9a-f]{1,16}$/i.test(id)) throw new Refusal(invalidArgument('Invalid id value'));
  return id.toLowerCase();
}

/** A request that could not be read at all. */
export function badRequest(message: string): Answer {
  return googleError({ code: 400, status: 'INVALID_ARGUMENT', reason: 'badRequest', message });
}
