import type { RequestHandler } from 'express';
import multer from 'multer';
import { PageError } from './errors.ts';
import { boundedMemory, isTooLarge } from './upload.ts';

/** More than any key file of a service account has. */
const mostBytes = 20_000;

/** Takes a form with one file `keyFile`, or its text in `keyText`; both stay in memory. */
export function keyFileUpload(): RequestHandler {
  const upload = multer({
    storage: boundedMemory(mostBytes),
    limits: { files: 1, fields: 5, parts: 6, fieldSize: mostBytes },
  }).single('keyFile');
  return (req, res, next) => {
    upload(req, res, (error: unknown) => next(error instanceof Error ? broken() : error));
  };
}

/** What {@link keyFileUpload} took: the file's text, else what was pasted; `''` where there is neither. */
export function keyTextOf(req: Parameters<RequestHandler>[0]): string {
  const { file } = req;
  if (file && file.size > 0) return isTooLarge(file) ? ' '.repeat(mostBytes) : file.buffer.toString('utf8');
  const pasted: unknown = req.body?.keyText;
  return typeof pasted === 'string' ? pasted.trim() : '';
}

// Without the cause: what it was about is a secret.
function broken(): PageError {
  const next = { href: '/settings/email/workspace', label: 'Back to Google Workspace' };
  const message = 'Nothing was stored. Choose the key file again; it is a small one, with an ending .json.';
  return new PageError(400, 'upload', { title: 'The file did not arrive', message, next });
}
