import type { RequestHandler } from 'express';
import { PageError } from './errors.ts';

/**
 * Refuses U+0000 in a path, as {@link holdsNul} says it of a form. No person types it, PostgreSQL refuses it in any text, and
 * taking it out in silence would send mail to another address than the one that was written.
 */
export const noNulls: RequestHandler = (req, _res, next) => {
  next(req.path.includes('%00') ? holdsNul() : undefined);
};

/** What is said of a request that holds it. */
export function holdsNul(): PageError {
  return new PageError(400, 'nul', {
    title: 'This could not be understood',
    message: 'It holds a character that no text can have (U+0000). Go back, take it out, and try again.',
  });
}
