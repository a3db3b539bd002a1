import { randomUUID } from 'node:crypto';
import { type Request, type Response, Router } from 'express';
import { type Budget, budgetOf } from '../deliveries/budget.ts';
import { leavesFrom } from '../deliveries/departure.ts';
import { mergeFields, parseTemplate, TemplateError } from '../deliveries/merge.ts';
import { type Judgement, judge, mostText, readTemplates } from '../deliveries/runs/judge.ts';
import { askRun } from '../deliveries/runs/question.ts';
import { chosenIds, mostRecords, type PlacedRecord, placedRecord } from '../deliveries/runs/records.ts';
import { type StartResult, startRun } from '../deliveries/runs/start.ts';
import { noticedPage, type Overview, overview, type RunQuestion } from '../deliveries/runs/survey.ts';
import { kindWords, pdfName } from '../documents/format.ts';
import type { SenderResolution } from '../mailboxes/sender.ts';
import { formatAddress } from '../platform/address.ts';
import type { Database } from '../platform/database.ts';
import { inTenant } from '../tenants/scope.ts';
import { sendingRulesOf } from '../tenants/sending-rules.ts';
import type { WebContext } from './context.ts';
import { PageError } from './errors.ts';
import { dayFrom } from './record-words.ts';
import { fragment, page } from './render.ts';
import { newRunForm, type RunForm, readRunForm, readSelection, selectionFields } from './run-form.ts';
import { budgetLines, budgetNote, countWords, noticedWords, number } from './run-words.ts';
import { byRecentLists, refusalOf } from './send-as.ts';
import { notify } from './session.ts';
import { requireRole, type Viewer } from './viewer.ts';
import { when } from './words.ts';

interface Problem {
  readonly field: string;
  readonly message: string;
}

const words = {
  countWords,
  number,
  noticedWords,
  budgetNote,
  kindWords,
  mergeFields,
  formatAddress,
  pdfName,
  mostText,
};

/** Writing one message for many records, looking it over, and starting the run. */
export function newRunPages(ctx: WebContext): Router {
  const router = Router();
  const today = ({ tenant }: Viewer) => dayFrom(ctx.clock(), tenant.timeZone);

  router.get('/runs/new', async (req, res) => {
    const viewer = requireRole(res, 'owner', 'admin', 'member');
    await showForm(ctx, res, viewer, newRunForm(readSelection(req.query, today(viewer))), []);
  });

  // The same page as it was filled in, with another record previewed or another part of a list. Nothing is written.
  router.post('/runs/new', async (req, res) => {
    const viewer = requireRole(res, 'owner', 'admin', 'member');
    const form = readRunForm(req.body, today(viewer));
    if (req.get('hx-request')) return showPreview(ctx, res, viewer, form);
    await showForm(ctx, res, viewer, form, []);
  });

  router.post('/runs', async (req, res) => {
    const viewer = requireRole(res, 'owner', 'admin', 'member');
    const { tenantId, memberId } = viewer;
    const form = readRunForm(req.body, today(viewer));
    const { selection, subject, message, again, thoughPaid, key, fingerprint } = form;
    const request = {
      ...{ tenantId, memberId, selection, again, thoughPaid, fingerprint },
      ...{ idempotencyKey: key, text: { subject, message } },
    };
    const result = await byRecentLists(ctx, viewer, () => startRun(ctx, request), refusalOf);
    await answer(ctx, req, res, viewer, form, result);
  });

  return router;
}

async function answer(
  ctx: WebContext,
  req: Request,
  res: Response,
  viewer: Viewer,
  form: RunForm,
  result: StartResult,
): Promise<void> {
  const again = (status: number, problems: readonly Problem[], changed = form) =>
    showForm(ctx, res.status(status), viewer, changed, problems);
  switch (result.kind) {
    case 'started':
      if (result.repeated)
        await notify(req, 'wait', 'This run was started already; nothing was started a second time.');
      return res.redirect(303, `/runs/${result.runId}`);
    case 'refused':
      // The page itself says why nobody can be the sender, and the fix.
      return again(409, []);
    case 'text':
      return again(422, result.problems);
    case 'changed': {
      const message =
        'Something is not as this page showed it: the records, whom they go to, whom they come from, or what is left out. It is shown as it is now; look it over and start again.';
      return again(409, [{ field: 'overview', message }]);
    }
    case 'nothing':
      return again(422, [{ field: 'overview', message: 'None of these records can be sent. Below it says why.' }]);
    case 'too_many':
      throw tooMany(form);
    case 'key_used': {
      const message =
        'This page was used before to start another run. Look at Runs what was sent; start only if this is a second run.';
      return again(409, [{ field: 'overview', message }], { ...form, key: randomUUID() });
    }
    default:
      return result satisfies never;
  }
}

async function showForm(
  ctx: WebContext,
  res: Response,
  viewer: Viewer,
  form: RunForm,
  problems: readonly Problem[],
): Promise<void> {
  const look = () => inTenant(ctx.db, viewer.tenantId, (trx) => lookOver(trx, ctx, viewer, form));
  const seen = await byRecentLists(ctx, viewer, look, ({ resolution }) => resolution);
  if (seen.problems.length > 0 && problems.length === 0 && res.statusCode === 200) res.status(422);
  const { kind } = form.selection;
  await page(res, 'runs/new', {
    title: `Send ${kindWords[kind].plural.toLowerCase()}`,
    section: kind,
    ...words,
    form,
    fields: selectionFields(form.selection),
    noticedPage,
    ...seen,
    problems: problems.length > 0 ? problems : seen.problems,
  });
}

async function showPreview(ctx: WebContext, res: Response, viewer: Viewer, form: RunForm): Promise<void> {
  const preview = await inTenant(ctx.db, viewer.tenantId, (trx) => previewAlone(trx, ctx, viewer, form));
  await fragment(res, 'runs/preview', { ...words, form, preview });
}

/** What the page shows. `overview` is null where a text is wrong: then nobody can say what would be sent. */
interface Seen {
  readonly total: number;
  readonly resolution: SenderResolution;
  readonly overview: Overview | null;
  readonly budget: string[];
  readonly preview: Preview;
  readonly problems: readonly Problem[];
}

async function lookOver(trx: Database, ctx: WebContext, viewer: Viewer, form: RunForm): Promise<Seen> {
  const { tenantId } = viewer;
  const ids = await chosenIds(trx, tenantId, form.selection);
  if (ids.length === 0) throw nothingChosen(form);
  if (ids.length > mostRecords) throw tooMany(form);
  const { question, problems } = await ask(trx, ctx, viewer, form);
  const { resolution } = question;
  const seen = { total: ids.length, resolution, preview: await previewOf(trx, form, question, problems) };
  if (problems.length > 0) return { ...seen, overview: null, budget: [], problems };
  try {
    const over = await overview(trx, question, ids, form.from);
    const leaving = form.again === 'all' ? over.ready : over.ready - over.recent + form.again.length;
    const budget = resolution.ok ? await foretell(trx, ctx, tenantId, resolution.sender.mailboxId, leaving) : undefined;
    const at = (date: Date) => when(date, viewer.tenant.timeZone, question.now);
    const opens = leavesFrom(await sendingRulesOf(trx, tenantId), false, question.now);
    const opening = opens > question.now ? opens : null;
    const lines = budget ? budgetLines(budget, { ofRun: 'of these', at, opening }) : [];
    return { ...seen, overview: over, budget: lines, problems };
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    return { ...seen, overview: null, budget: [], problems: [{ field: 'message', message: error.message }] };
  }
}

function foretell(
  trx: Database,
  { pace, clock }: WebContext,
  tenantId: string,
  mailboxId: string,
  count: number,
): Promise<Budget | undefined> {
  return budgetOf(trx, { pace, now: clock() }, tenantId, mailboxId, count, null);
}

/** With texts that are wrong, everything but the texts is still asked. */
async function ask(
  trx: Database,
  { clock }: WebContext,
  viewer: Viewer,
  form: RunForm,
): Promise<{ question: RunQuestion; problems: readonly Problem[] }> {
  const read = readTemplates(form);
  const nothing = parseTemplate('');
  const templates = read.ok ? read.templates : { subject: nothing, message: nothing };
  const question = await askRun(trx, clock, viewer, form.selection, templates, form.thoughPaid);
  return { question, problems: read.ok ? [] : read.problems };
}

/** One record as it would be sent; `record` null where none fits what was looked for. */
interface Preview {
  readonly record: PlacedRecord | null;
  readonly judgement: Judgement | null;
  readonly resolution: SenderResolution;
  readonly problems: readonly Problem[];
}

async function previewAlone(
  trx: Database,
  ctx: WebContext,
  viewer: Viewer,
  form: RunForm,
): Promise<Preview & { total: number }> {
  const { question, problems } = await ask(trx, ctx, viewer, form);
  const ids = await chosenIds(trx, viewer.tenantId, form.selection);
  return { ...(await previewOf(trx, form, question, problems)), total: ids.length };
}

async function previewOf(
  trx: Database,
  { selection, preview }: RunForm,
  { tenantId, templates, common, now, resolution }: RunQuestion,
  problems: readonly Problem[],
): Promise<Preview> {
  const record = (await placedRecord(trx, tenantId, selection, now, preview)) ?? null;
  if (!record || problems.length > 0) return { record, judgement: null, resolution, problems };
  try {
    return { record, judgement: judge(record, templates, common), resolution, problems };
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    return { record, judgement: null, resolution, problems: [{ field: 'message', message: error.message }] };
  }
}

function nothingChosen({ selection }: RunForm): PageError {
  const { plural } = kindWords[selection.kind];
  const named = selection.ids !== undefined;
  return new PageError(404, 'nothing_chosen', {
    title: named && selection.ids?.length === 0 ? 'Nothing was ticked' : 'None of these is here',
    message: `Tick the ${plural.toLowerCase()} to send in their list, or send all that it shows.`,
    next: { href: `/documents?kind=${selection.kind}`, label: `Back to the ${plural.toLowerCase()}` },
  });
}

function tooMany({ selection }: RunForm): PageError {
  const { plural } = kindWords[selection.kind];
  return new PageError(422, 'too_many', {
    title: 'Too many at once',
    message: `A run takes ${number(mostRecords)} ${plural.toLowerCase()} at most. Search for a part of them, and send that first.`,
    next: { href: `/documents?kind=${selection.kind}`, label: `Back to the ${plural.toLowerCase()}` },
  });
}
