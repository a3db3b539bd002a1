import { type RequestHandler, Router } from 'express';
import multer from 'multer';
import { type Difference, differencesFromOwn, differenceWords } from '../documents/differences.ts';
import { wordsOf } from '../documents/format.ts';
import { type ImportOutcome, importFile, questionWords } from '../documents/import-document.ts';
import { importNotices } from '../documents/import-notices.ts';
import { keepQuestion, takeQuestion } from '../documents/import-questions.ts';
import { inTurns } from '../platform/turns.ts';
import { inTenant } from '../tenants/scope.ts';
import type { WebContext } from './context.ts';
import { PageError } from './errors.ts';
import { onlyIds } from './query.ts';
import { page } from './render.ts';
import { boundedMemory, isTooLarge } from './upload.ts';
import { param, requireRole, type Viewer } from './viewer.ts';

const mostFiles = 20;
const mostBytes = 5 * 1024 * 1024;

/** What became of one file; `questionId` is to answer by, where it asks. */
type Outcome = ImportOutcome & { readonly fileName: string; readonly questionId?: string };

/** Bringing in records from UBL files. Behind the sign-in. */
export function importPages(ctx: WebContext): Router {
  const router = Router();
  onlyIds(router);

  router.get('/imports', async (_req, res) => {
    const viewer = requireRole(res, 'owner', 'admin', 'member');
    await page(res, 'imports/page', await locals(viewer, []));
  });

  router.post('/imports', mayImport, files(), async (req, res) => {
    const viewer = requireRole(res, 'owner', 'admin', 'member');
    const outcomes: Outcome[] = [];
    for (const file of Array.isArray(req.files) ? req.files : []) {
      outcomes.push(await importUpload(viewer, file));
    }
    if (outcomes.length === 0 || outcomes.every(({ result }) => result === 'refused' || result === 'asks'))
      res.status(422);
    await page(res, 'imports/page', { ...(await locals(viewer, outcomes)), nothingChosen: outcomes.length === 0 });
  });

  // “Import anyway”, beside what was asked about a file: it was kept, and need not be chosen again.
  router.post('/imports/questions/:id', async (req, res) => {
    const viewer = requireRole(res, 'owner', 'admin', 'member');
    const { tenantId, memberId } = viewer;
    const file = await inTenant(ctx.db, tenantId, (trx) => takeQuestion(trx, tenantId, memberId, param(req, 'id')));
    if (!file) {
      throw new PageError(404, 'import_question', {
        title: 'This file does not wait any more',
        message:
          'It was imported meanwhile, or waited for more than a day. Choose it again, if it is not among your records.',
        next: { href: '/imports', label: 'Back to the import' },
      });
    }
    const outcome = await importFile(ctx, tenantId, memberId, file, { anyway: true, at: ctx.clock() });
    if (outcome.result === 'refused') res.status(422);
    await page(res, 'imports/page', await locals(viewer, [{ ...outcome, fileName: file.name }]));
  });

  /** Each file stands for itself: one that is broken leaves the others alone, and leaves nothing behind. */
  async function importUpload(viewer: Viewer, upload: Express.Multer.File): Promise<Outcome> {
    const { tenantId, memberId } = viewer;
    const file = { bytes: upload.buffer, name: upload.originalname.replaceAll('\u0000', '') };
    const fileName = file.name;
    if (isTooLarge(upload)) {
      return {
        fileName,
        result: 'refused',
        message:
          'It is larger than 5 MB. Records of that size are not read; ask for the file without the documents embedded in it.',
      };
    }
    const at = ctx.clock();
    const outcome = await importFile(ctx, tenantId, memberId, file, { anyway: false, at });
    if (outcome.result !== 'asks') return { ...outcome, fileName };
    const questionId = await inTenant(ctx.db, tenantId, (trx) => keepQuestion(trx, tenantId, memberId, file, at));
    return { ...outcome, fileName, questionId };
  }

  return router;
}

async function locals(viewer: Viewer, outcomes: readonly Outcome[]) {
  const differences = new Map<Outcome, readonly Difference[]>();
  for (const outcome of outcomes) {
    if (outcome.result !== 'imported') continue;
    differences.set(outcome, await inTurns(differencesFromOwn(outcome.record.content)));
  }
  return {
    title: 'Import',
    section: 'none' as const,
    outcomes,
    wordsOf,
    questionWords,
    differencesOf: (outcome: Outcome) => differences.get(outcome) ?? [],
    differenceWords,
    importNotices,
    mostFiles,
    locale: viewer.locale,
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
