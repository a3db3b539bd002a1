import type { RequestHandler } from 'express';
import { PageError } from './errors.ts';

const nul = '\u0000';

/**
 * Refuses U+0000 in what a form says and in a path. No person types it, PostgreSQL refuses it in any text, and taking it
 * out in silence would send mail to another address than the one that was written.
 */
export const noNulls: RequestHandler = (req, _res, next) => {
  if (!holdsNul(req.body, 0) && !req.path.includes('%00')) return next();
  next(
    new PageError(400, 'nul', {
      title: 'This could not be understood',
      message: 'It holds a character that no text can have (U+0000). Go back, take it out, and try again.',
    }),
  );
};

function holdsNul(value: unknown, depth: number): boolean {
  if (typeof value === 'string') return value.includes(nul);
  if (typeof value !== 'object' || value === null || depth > 40) return false;
  return Object.entries(value).some(([name, each]) => name.includes(nul) || holdsNul(each, depth + 1));
}
