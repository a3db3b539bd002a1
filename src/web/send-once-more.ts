import type { Request, Response } from 'express';
import type { PageError } from './errors.ts';
import { formBody } from './form-body.ts';
import { type FormOnceMore, keptFields } from './kept-fields.ts';
import { isReading, sameOrigin } from './same-origin.ts';

/** So much is written into the page; what is more than that stays in the browser alone (see `public/unsaved.js`). */
const mostLetters = 300_000;

/**
 * What was typed into a form that is refused for a while: too many of its kind, or the database is away. Such a refusal
 * comes before the body is read, so it is read here: for members, and while the database is away for whoever sends it from
 * one of our own pages, within the bounds of any form.
 *
 * @returns undefined where there is no form, or none that a page can hold
 */
export async function formOnceMore(
  req: Request,
  res: Response,
  { code, retryAfter }: PageError,
  publicUrl: string,
): Promise<FormOnceMore | undefined> {
  const isForNow = code === 'busy' || (code === 'too_many' && retryAfter !== undefined);
  if (!isForNow || isReading(req.method) || req.get('hx-request')) return undefined;
  const action = req.originalUrl;
  if (req.is('multipart/form-data')) return { action, fields: [], hasFiles: true };
  if (code === 'too_many' && res.locals['viewer'] === undefined) return undefined;
  try {
    await passed(sameOrigin(publicUrl), req, res);
    if (req.body === undefined) await passed(formBody(), req, res);
  } catch {
    return undefined;
  }
  const fields = keptFields(req.body);
  const letters = fields.reduce((sum, { name, value }) => sum + name.length + value.length, 0);
  return letters > mostLetters ? undefined : { action, fields, hasFiles: false };
}

/** Lets a request through one more handler. */
function passed(handler: ReturnType<typeof formBody>, req: Request, res: Response): Promise<void> {
  return new Promise((resolve, reject) => {
    handler(req, res, (error?: unknown) => (error ? reject(error) : resolve()));
  });
}
