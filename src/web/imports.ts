import { type RequestHandler, Router } from 'express';
import multer from 'multer';
import { DocumentError } from '../documents/errors.ts';
import { kindWords } from '../documents/format.ts';
import { importDocument } from '../documents/import-document.ts';
import type { DocumentRecord } from '../documents/store.ts';
import { ImportError } from '../documents/ubl/import-error.ts';
import { inTenant } from '../tenants/scope.ts';
import { localeOf } from '../tenants/tenants.ts';
import type { WebContext } from './context.ts';
import { PageError } from './errors.ts';
import { page } from './render.ts';
import { boundedMemory, isTooLarge } from './upload.ts';
import { requireRole, type Viewer } from './viewer.ts';

const mostFiles = 20;
const mostBytes = 5 * 1024 * 1024;

/** What became of one file. */
type Outcome =
  | { readonly fileName: string; readonly result: 'imported'; readonly record: DocumentRecord }
  | {
      readonly fileName: string;
      readonly result: 'known';
      readonly message: string;
      readonly documentId: string | undefined;
    }
  | { readonly fileName: string; readonly result: 'refused'; readonly message: string };

/** Bringing in records from UBL files. Behind the sign-in. */
export function importPages(ctx: WebContext): Router {
  const router = Router();

  router.get('/imports', async (_req, res) => {
    const viewer = requireRole(res, 'owner', 'admin', 'member');
    await page(res, 'imports/page', locals(viewer, []));
  });

  router.post('/imports', mayImport, files(), async (req, res) => {
    const viewer = requireRole(res, 'owner', 'admin', 'member');
    const outcomes: Outcome[] = [];
    for (const file of Array.isArray(req.files) ? req.files : []) {
      outcomes.push(await importFile(viewer, file));
    }
    if (outcomes.length === 0) res.status(422);
    else if (outcomes.every((outcome) => outcome.result === 'refused')) res.status(422);
    await page(res, 'imports/page', { ...locals(viewer, outcomes), nothingChosen: outcomes.length === 0 });
  });

  /** Each file stands for itself: one that is broken leaves the others alone, and leaves nothing behind. */
  async function importFile(viewer: Viewer, file: Express.Multer.File): Promise<Outcome> {
    const fileName = file.originalname.replaceAll('\u0000', '');
    if (isTooLarge(file)) {
      return {
        fileName,
        result: 'refused',
        message:
          'It is larger than 5 MB. Records of that size are not read; ask for the file without the documents embedded in it.',
      };
    }
    try {
      const record = await inTenant(ctx.db, viewer.tenantId, (trx) =>
        importDocument(trx, viewer.tenantId, viewer.memberId, file.buffer, fileName, ctx.clock()),
      );
      return { fileName, result: 'imported', record };
    } catch (error) {
      if (error instanceof ImportError) return { fileName, result: 'refused', message: error.message };
      if (error instanceof DocumentError && error.code === 'already_imported') {
        return { fileName, result: 'known', message: error.message, documentId: error.documentId };
      }
      throw error;
    }
  }

  return router;
}

function locals(viewer: Viewer, outcomes: readonly Outcome[]) {
  return {
    title: 'Import',
    section: 'none' as const,
    outcomes,
    kindWords,
    mostFiles,
    locale: localeOf(viewer.tenant),
    nothingChosen: false,
  };
}

/** Before any byte of the files is read. */
const mayImport: RequestHandler = (_req, res, next) => {
  requireRole(res, 'owner', 'admin', 'member');
  next();
};

function files(): RequestHandler {
  const upload = multer({
    storage: boundedMemory(mostBytes),
    limits: { files: mostFiles, fields: 10, parts: mostFiles + 10 },
    defParamCharset: 'utf8',
  }).array('files', mostFiles);
  return (req, res, next) => {
    // Multer's own errors and those of the parser below it: all of them say that the request is broken.
    upload(req, res, (error: unknown) => next(error instanceof Error ? uploadTrouble(error) : error));
  };
}

function uploadTrouble(cause: Error): PageError {
  const code = cause instanceof multer.MulterError ? cause.code : '';
  const many = code === 'LIMIT_FILE_COUNT' || code === 'LIMIT_UNEXPECTED_FILE' || code === 'LIMIT_PART_COUNT';
  return new PageError(
    many ? 413 : 400,
    'upload',
    {
      title: many ? 'Too many files at once' : 'The files did not arrive',
      message: many
        ? `Nothing was imported. Choose at most ${mostFiles} files at a time; the rest can follow.`
        : 'Nothing was imported. Choose the files again.',
      next: { href: '/imports', label: 'Back to the import' },
    },
    { cause },
  );
}
