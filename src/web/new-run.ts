import { randomUUID } from 'node:crypto';
import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { mergeFields } from '../deliveries/merge.ts';
import type { RunRequest } from '../deliveries/runs/asked.ts';
import { mostText } from '../deliveries/runs/judge.ts';
import { noticedPage } from '../deliveries/runs/overview.ts';
import { getRun } from '../deliveries/runs/runs.ts';
import { type StartResult, startRun } from '../deliveries/runs/start.ts';
import { kindWords, pdfName } from '../documents/format.ts';
import { formatAddress } from '../platform/address.ts';
import { changedParts } from '../platform/marks.ts';
import { inTenant } from '../tenants/scope.ts';
import { type SendingRules, sendingRulesOf } from '../tenants/sending-rules.ts';
import type { WebContext } from './context.ts';
import { textParam } from './query.ts';
import { dayFrom } from './record-words.ts';
import { fragment, page } from './render.ts';
import { newRunForm, type RunForm, readRunForm, readSelection, runFields, selectionFields } from './run-form.ts';
import { leavesWords } from './run-leaves.ts';
import { type Problem, previewAlone, review, type Seen, tooMany } from './run-review.ts';
import { type SampleResult, sendSample } from './run-sample.ts';
import { budgetNote, changedWords, countWords, noticedWords } from './run-words.ts';
import { byRecentLists, refusalOf } from './send-as.ts';
import { hoursWords, readChosenTime, suggestedTime } from './send-time.ts';
import { notify } from './session.ts';
import { refusedForNow } from './too-many.ts';
import { onlookerOf, requireRole, type Viewer } from './viewer.ts';
import { fullMoment, when } from './words.ts';

const words = {
  ...{ noticedWords, budgetNote, kindWords },
  ...{ mergeFields, formatAddress, pdfName, mostText },
};

/** Writing one message for many records, looking it over, and starting the run. */
export function newRunPages(ctx: WebContext): Router {
  const router = Router();
  const writer = (res: Response) => requireRole(res, 'owner', 'admin', 'member');
  const today = ({ tenant }: Viewer) => dayFrom(ctx.clock(), tenant.timeZone);
  const posted = (req: Request, viewer: Viewer) => readRunForm(req.body, today(viewer));

  router.get('/runs/new', async (req, res) => {
    const viewer = writer(res);
    const { tenantId } = viewer;
    const from = z.uuid().safeParse(textParam(req, 'from')).data;
    const { earlier, rules } = await inTenant(ctx.db, tenantId, async (trx) => ({
      earlier: from ? await getRun(trx, tenantId, onlookerOf(viewer), from) : undefined,
      rules: await sendingRulesOf(trx, tenantId),
    }));
    const fresh = { selection: readSelection(req.query, today(viewer)), again: [], thoughPaid: false };
    const asked = earlier?.asked ? { ...earlier.asked, text: earlier } : fresh;
    await showForm(ctx, res, viewer, newRunForm({ ...asked, sendAt: suggestedTime(rules, ctx.clock()) }), []);
  });

  // The same page as it was filled in, with another record previewed or another part of a list. Nothing is written.
  router.post('/runs/new', async (req, res) => {
    const viewer = writer(res);
    const form = posted(req, viewer);
    if (req.get('hx-request')) return showPreview(ctx, res, viewer, form);
    await showForm(ctx, res, viewer, form, []);
  });

  // Whether what the page showed still holds: asked now and then while it is looked at.
  router.post('/runs/new/stale', async (req, res) => {
    const viewer = writer(res);
    const form = posted(req, viewer);
    const seen = await inTenant(ctx.db, viewer.tenantId, (trx) => review(trx, ctx, viewer, form));
    const changed = whatChanged(form, seen).filter((part) => part !== 'paid');
    if (changed.length === 0) return void res.status(204).end();
    await fragment(res, 'layout/stale', {
      lines: changedWords(changed, seen.resolution),
      form: 'run',
      action: '/runs/new',
    });
  });

  router.post('/runs/sample', async (req, res) => {
    const viewer = writer(res);
    const form = posted(req, viewer);
    const sample = await sendSample(ctx, viewer, form);
    const problems =
      'problem' in sample ? [{ field: 'preview', message: `Nothing was sent to you. ${sample.problem}` }] : [];
    await showForm(ctx, res, viewer, { ...form, sampleKey: randomUUID() }, problems, sample);
  });

  // Says once more from whom, to how many and when, before anything leaves.
  router.post('/runs/confirmation', async (req, res) => {
    const viewer = writer(res);
    const form = posted(req, viewer);
    const seen = await reviewByRecentLists(ctx, viewer, form);
    const { overview, resolution, rules } = seen;
    const time = chosenTime(form, rules, ctx.clock(), viewer);
    if ('message' in time) return showForm(ctx, res.status(422), viewer, form, [badTime(time)]);
    if (!resolution.ok || !overview) return showForm(ctx, res.status(409), viewer, form, []);
    if (overview.fingerprint !== form.fingerprint)
      return showForm(ctx, res.status(409), viewer, form, [asItIsNow(form, seen)]);
    if (overview.sending === 0) return showForm(ctx, res.status(422), viewer, form, [nothing]);
    // The page itself says when there is room for so many.
    if (seen.cap) return showForm(ctx, res.status(422), viewer, form, []);
    await page(res, 'runs/confirm', {
      title: `Send ${countWords(overview.sending, form.selection.kind, viewer.locale)}`,
      section: form.selection.kind,
      ...words,
      ...{ form, overview, fields: runFields(form), sender: resolution.sender, resolution },
      ...{ budget: seen.budget, isLater: time.at !== null },
      leaves: leavesWords(
        {
          chosen: time.at && fullMoment(time.at, rules.timeZone, viewer.locale),
          ...{ resolution, opening: seen.opening, budget: seen.room, undoSeconds: rules.undoSeconds },
        },
        (date) => when(date, rules.timeZone, ctx.clock(), viewer.locale),
        viewer.locale,
      ),
    });
  });

  router.post('/runs', async (req, res) => {
    const viewer = writer(res);
    const { tenantId, memberId } = viewer;
    const form = posted(req, viewer);
    const { selection, subject, message, again, thoughPaid, key, fingerprint, anyTime } = form;
    const rules = await inTenant(ctx.db, tenantId, (trx) => sendingRulesOf(trx, tenantId));
    const time = chosenTime(form, rules, ctx.clock(), viewer);
    if ('message' in time) return showForm(ctx, res.status(422), viewer, form, [badTime(time)]);
    const request: RunRequest = {
      ...{ tenantId, memberId, selection, again, thoughPaid, fingerprint },
      ...{ idempotencyKey: key, text: { subject, message }, sendAt: time.at, anyTime },
    };
    let result: StartResult;
    try {
      result = await byRecentLists(ctx, viewer, () => startRun(ctx, request), refusalOf);
    } catch (error) {
      return showForm(ctx, res, viewer, form, [{ field: 'overview', ...refusedForNow(res, error, viewer.locale) }]);
    }
    await answer(ctx, req, res, viewer, form, result);
  });

  return router;
}

function reviewByRecentLists(ctx: WebContext, viewer: Viewer, form: RunForm): Promise<Seen> {
  const look = () => inTenant(ctx.db, viewer.tenantId, (trx) => review(trx, ctx, viewer, form));
  return byRecentLists(ctx, viewer, look, ({ resolution }) => resolution);
}

/** The moment that somebody chose; null for now. */
function chosenTime(form: RunForm, rules: SendingRules, now: Date, { locale }: Viewer) {
  return form.when === 'later'
    ? readChosenTime(form.sendAt, rules, { anyTime: form.anyTime, now, locale })
    : { at: null };
}

function badTime({ message }: { readonly message: string }): Problem {
  return { field: 'sendAt', message };
}

/** Which parts of the page are not as it showed them. A text that is wrong, or a sender that is refused, is said by itself. */
function whatChanged({ fingerprint }: RunForm, { overview, resolution }: Seen): string[] {
  if (!overview || fingerprint === '') return [];
  return changedParts(fingerprint, overview.fingerprint).filter((part) => part !== 'sender' || resolution.ok);
}

function asItIsNow(form: RunForm, seen: Seen): Problem {
  const why = changedWords(whatChanged(form, seen), seen.resolution);
  const message = [...why, 'This page shows it as it is now: check it, and press the button again.'].join(' ');
  return { field: 'overview', message };
}

const nothing: Problem = { field: 'overview', message: 'None of these would be sent. Below it says why.' };

async function answer(
  ctx: WebContext,
  req: Request,
  res: Response,
  viewer: Viewer,
  form: RunForm,
  result: StartResult,
): Promise<void> {
  const again = (status: number, problems: readonly Problem[], shown = form) =>
    showForm(ctx, res.status(status), viewer, shown, problems);
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
    case 'changed':
      return again(409, [asItIsNow(form, await reviewByRecentLists(ctx, viewer, form))]);
    case 'nothing':
      return again(422, [nothing]);
    case 'too_many':
      throw tooMany(form, viewer.locale);
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
  sample?: SampleResult,
): Promise<void> {
  const seen = await reviewByRecentLists(ctx, viewer, form);
  if (seen.problems.length > 0 && problems.length === 0 && res.statusCode === 200) res.status(422);
  const { kind } = form.selection;
  const { hours, timeZone } = seen.rules;
  await page(res, 'runs/new', {
    title: `Send ${kindWords[kind].plural.toLowerCase()}`,
    section: kind,
    scripts: ['letterhead/stale.js'],
    ...words,
    form,
    fields: selectionFields(form.selection),
    noticedPage,
    sample: sample && 'deliveryId' in sample ? sample : null,
    ...{ hours: hours && hoursWords(hours), timeZone },
    ...seen,
    problems: problems.length > 0 ? problems : seen.problems,
  });
}

async function showPreview(ctx: WebContext, res: Response, viewer: Viewer, form: RunForm): Promise<void> {
  const preview = await inTenant(ctx.db, viewer.tenantId, (trx) => previewAlone(trx, ctx, viewer, form));
  await fragment(res, 'runs/preview', { ...words, form, preview });
}
