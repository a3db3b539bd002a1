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

/**
 * The texts of a form, to show them again as they were typed. A field with fields within it, or one that comes several
 * times, is none: a view could not write it.
 */
export function typedTexts(req: Request): Record<string, string> {
  const fields: [string, unknown][] = Object.entries(req.body ?? {});
  return Object.fromEntries(fields.filter((field): field is [string, string] => typeof field[1] === 'string'));
}

/** Answers 404 where a route's `:id` is no uuid, as for any other id that finds nothing. */
export function onlyIds(router: Router): void {
  router.param('id', (_req, _res, next, id) => next(z.uuid().safeParse(id).success ? undefined : PageError.notFound()));
}
