import type { Request, Router } from 'express';
import { z } from 'zod';
import { PageError } from './errors.ts';

/** A text from the address's query, cut where nobody types more; `''` where it is missing. */
export function textParam(req: Request, name: string): string {
  const value = req.query[name];
  // PostgreSQL refuses U+0000 in any text.
  return typeof value === 'string' ? value.replaceAll('\u0000', '').slice(0, 500) : '';
}

/** Answers 404 where a route's `:id` is no uuid, as for any other id that finds nothing. */
export function onlyIds(router: Router): void {
  router.param('id', (_req, _res, next, id) => next(z.uuid().safeParse(id).success ? undefined : PageError.notFound()));
}
