import type { Request, Router } from 'express';
import { z } from 'zod';
import { PageError } from './errors.ts';

/** A text from the address's query, cut where nobody types more; `''` where it is missing. */
export function textParam(req: Request, name: string): string {
  const value = req.query[name];
  // PostgreSQL refuses U+0000 in any text.
  return typeof value === 'string' ? value.replaceAll('\u0000', '').slice(0, 500) : '';
}

/**
 * A text of a form; `''` where it is missing, comes several times or has fields within it. `String()` of one that has fields
 * within throws: forms are read as objects without a prototype.
 */
export function textField(req: Request, name: string): string {
  const body: unknown = req.body;
  const value: unknown =
    typeof body === 'object' && body !== null && Object.hasOwn(body, name) ? Reflect.get(body, name) : '';
  return typeof value === 'string' ? value : '';
}

/** Answers 404 where a route's `:id` is no uuid, as for any other id that finds nothing. */
export function onlyIds(router: Router): void {
  router.param('id', (_req, _res, next, id) => next(z.uuid().safeParse(id).success ? undefined : PageError.notFound()));
}
