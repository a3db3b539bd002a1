import type { NextFunction, Request, Response } from 'express';

const LOOPBACK_HOST = /^(?:127(?:\.\d{1,3}){3}|localhost|\[::1\])(?::\d+)?$/i;

/**
 * Keeps web pages from elsewhere out. The Host must be loopback (a page cannot rebind its own name to us), and a form
 * or script of another site may not write: apps only ever link here, and call the APIs without a browser.
 */
export function localCallersOnly() {
  return (req: Request, res: Response, next: NextFunction): void => {
    const site = req.headers['sec-fetch-site'];
    const writes = req.method !== 'GET' && req.method !== 'HEAD' && req.method !== 'OPTIONS';
    const foreign = writes && site !== undefined && site !== 'same-origin' && site !== 'none';
    if (!LOOPBACK_HOST.test(req.headers.host ?? '') || foreign) {
      res.status(403).type('text').send('Local Google answers only callers on this computer.\n');
      return;
    }
    next();
  };
}
