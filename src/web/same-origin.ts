import type { RequestHandler } from 'express';
import { PageError } from './errors.ts';

const reading = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Whether a request of this method changes nothing. */
export function isReading(method: string): boolean {
  return reading.has(method);
}

/**
 * Refuses writes that do not come from our own pages. Every browser that can carry our cookie says where
 * a request comes from (Sec-Fetch-Site, or at least Origin); whoever says nothing is refused too.
 */
export function sameOrigin(publicUrl: string): RequestHandler {
  return (req, _res, next) => {
    if (isReading(req.method)) return next();
    const site = req.get('sec-fetch-site');
    const ours = site === undefined ? req.get('origin') === publicUrl : site === 'same-origin';
    if (ours) return next();
    next(
      new PageError(403, 'other_origin', {
        title: 'This did not come from Letterhead',
        message:
          'Something outside Letterhead tried to change your data, and was stopped. If it was you, open the page here and try again.',
      }),
    );
  };
}
