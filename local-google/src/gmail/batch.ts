import { randomBytes } from 'node:crypto';
import type { NextFunction, Request, Response } from 'express';
import { readBody } from '../body.ts';
import { rawHeaderValue, splitMessage } from '../mime/headers.ts';
import { type Part, parseMessage } from '../mime/parts.ts';
import type { World } from '../world.ts';
import { badRequest } from './request.ts';

const LIMIT = 40 * 1024 * 1024;

/** How many calls one batch may carry (Google's documentation of batching). */
const MOST = 100;

/**
 * `/batch/gmail/v1`: several calls in one multipart/mixed request, answered in the same form. Each is a call like any
 * other, with its own quota units: a batch of n counts n (docs/google.md, D).
 */
export function serveBatch(world: World) {
  return async (req: Request, res: Response, next: NextFunction): Promise<void> => {
    try {
      const body = await readBody(req, LIMIT);
      const head = Buffer.from(`Content-Type: ${req.headers['content-type'] ?? ''}\r\n\r\n`, 'latin1');
      const { parts } = body === 'too large' ? { parts: [] } : parseMessage(Buffer.concat([head, body]));
      if (parts.length === 0 || parts.length > MOST) {
        const { status, body: refusal } = badRequest('Failed to parse batch request, or the batch is too large.');
        res.status(status).json(refusal);
        return;
      }
      const answers = await Promise.all(parts.map((part) => call(world, part, req.headers.authorization)));
      const boundary = `batch_${randomBytes(12).toString('hex')}`;
      res.status(200).set('Content-Type', `multipart/mixed; boundary=${boundary}`);
      res.end(`${answers.map((answer) => `--${boundary}\r\n${answer}\r\n`).join('')}--${boundary}--\r\n`);
    } catch (error) {
      next(error);
    }
  };
}

/** One part, `application/http`: its call is made here, on this computer, and its answer written down. */
async function call(world: World, part: Part, authorization: string | undefined): Promise<string> {
  const lineEnd = part.content.indexOf('\n');
  const [method = '', target = ''] = part.content.toString('latin1', 0, lineEnd).trim().split(' ');
  const { head, body } = splitMessage(part.content.subarray(lineEnd + 1));
  const { headers } = parseMessage(head);
  const path = URL.canParse(target) ? new URL(target).pathname + new URL(target).search : target;
  const bearer = rawHeaderValue(headers, 'Authorization') ?? authorization;
  const contentType = rawHeaderValue(headers, 'Content-Type') ?? 'application/json';
  const hasBody = method !== 'GET' && method !== 'DELETE';
  const response = await fetch(`${world.url}${path.startsWith('/gmail/') ? path : '/gmail/unknown'}`, {
    method,
    headers: { 'content-type': contentType, ...(bearer === undefined ? {} : { authorization: bearer }) },
    ...(hasBody ? { body: new Uint8Array(body) } : {}),
    signal: world.closing,
  });
  const contentId = (rawHeaderValue(part.headers, 'Content-ID') ?? '').replace('<', '<response-');
  return [
    'Content-Type: application/http',
    ...(contentId === '' ? [] : [`Content-ID: ${contentId}`]),
    '',
    `HTTP/1.1 ${response.status} ${response.statusText}`,
    'Content-Type: application/json; charset=UTF-8',
    '',
    await response.text(),
  ].join('\r\n');
}
