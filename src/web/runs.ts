import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { isAnswer } from '../deliveries/answers.ts';
import { budgetOf } from '../deliveries/budget.ts';
import { listDeliveries } from '../deliveries/deliveries.ts';
import { leavesFrom } from '../deliveries/departure.ts';
import { oneWaiting } from '../deliveries/kept.ts';
import { assertWithinCap } from '../deliveries/recipient-cap.ts';
import { readRecipients } from '../deliveries/recipients.ts';
import { type Kept, keptOf, sumKept } from '../deliveries/record-now.ts';
import { controlRun, countWaiting, decideRun, isRunControl } from '../deliveries/runs/control.ts';
import { reportFilters, reportPage } from '../deliveries/runs/report.ts';
import { rescheduleRun } from '../deliveries/runs/reschedule.ts';
import { type ResendResult, type ResendWhich, resend } from '../deliveries/runs/resend.ts';
import { cancelForecast, getRun, listRuns, phaseOf, type RunRecord, unsentOf } from '../deliveries/runs/runs.ts';
import { kindWords } from '../documents/format.ts';
import { findMailbox } from '../mailboxes/mailboxes.ts';
import { senderFor } from '../mailboxes/sender-rules.ts';
import { formatAddress } from '../platform/address.ts';
import type { Database } from '../platform/database.ts';
import { wallTimeOf } from '../platform/zoned-time.ts';
import { atOneMoment, inTenant } from '../tenants/scope.ts';
import { type SendingRules, sendingRulesOf } from '../tenants/sending-rules.ts';
import { capNotice } from './cap-words.ts';
import type { WebContext } from './context.ts';
import { decidedWords } from './decided-words.ts';
import { found, PageError } from './errors.ts';
import { troubleOf } from './health-words.ts';
import { leavesOf } from './leaves.ts';
import { newRunPages } from './new-run.ts';
import { onlyIds, textField, textParam } from './query.ts';
import { keptLines } from './record-now-words.ts';
import { dayFrom, pillOf } from './record-words.ts';
import { type ReleasedWords, tellReleased } from './released-words.ts';
import { fragment, page } from './render.ts';
import { reportHead, reportLine, sendCsv } from './run-csv.ts';
import {
  budgetLines,
  budgetNote,
  cancelWords,
  countWords,
  emailCount,
  heldWords,
  leftOutLines,
  leftOutReason,
  number,
  partWords,
  phaseWords,
  standstillWords,
} from './run-words.ts';
import { hoursWords, readChosenTime, suggestedTime } from './send-time.ts';
import { notify } from './session.ts';
import { tellingOf } from './telling.ts';
import { onlookerOf, param, requireRole, type Viewer, viewerOf } from './viewer.ts';
import { fullMoment, when } from './words.ts';

const words = {
  ...{ leftOutLines, leftOutReason, phaseWords, phaseOf, budgetNote },
  ...{ pillOf, formatAddress, kindWords, partWords, unsentOf, cancelForecast, cancelWords, isAnswer },
};

/** Runs: their list, one run with its progress and report, and what a person decides about all of it at once. */
export function runPages(ctx: WebContext): Router {
  const router = Router();
  router.use(newRunPages(ctx));
  onlyIds(router);

  router.get('/runs', async (req, res) => {
    const viewer = viewerOf(res);
    const after = textParam(req, 'after');
    const list = await inTenant(ctx.db, viewer.tenantId, (trx) =>
      listRuns(trx, viewer.tenantId, onlookerOf(viewer), { after }),
    );
    const mayStart = viewer.role !== 'viewer';
    await page(res, 'runs/list', {
      title: 'Runs',
      section: 'runs',
      ...words,
      ...list,
      mayStart,
      isFirst: after === '',
    });
  });

  router.get('/runs/:id', async (req, res) => {
    const seen = await readRun(ctx, viewerOf(res), req);
    const title = countWords(seen.run.counts.total, seen.run.kind, viewerOf(res).locale);
    const scripts = ['letterhead/countdown.js'];
    await page(res, 'runs/show', { title, section: 'runs', scripts, ...words, ...seen });
  });

  // The live part of the page, progress and rows together; asked every few seconds while something moves.
  router.get('/runs/:id/progress', async (req, res) => {
    await fragment(res, 'runs/live', { ...words, ...(await readRun(ctx, viewerOf(res), req)) });
  });

  router.get('/runs/:id/report.csv', async (req, res) => {
    const viewer = viewerOf(res);
    const { timeZone } = viewer.tenant;
    const run = await findRun(ctx, viewer, req);
    const day = dayFrom(run.createdAt, timeZone);
    const name = `run-${day}-${kindWords[run.kind].plural.toLowerCase().replaceAll(' ', '-')}.csv`;
    await sendCsv(res, name, reportText(ctx, viewer, run.id));
  });

  router.post('/runs/:id/control', async (req, res) => {
    const { viewer, run } = await findToDecide(ctx, req, res);
    const control: unknown = req.body?.control;
    if (!isRunControl(control)) throw PageError.notFound();
    const order = { tenantId: viewer.tenantId, memberId: viewer.memberId, runId: run.id };
    const { moved, told, waiting } = await inTenant(ctx.db, viewer.tenantId, async (trx) => {
      const moved = await controlRun(trx, ctx.clock, order, control);
      const lets = (control === 'resume' || control === 'send_now') && moved !== undefined;
      return {
        ...{ moved, told: lets ? await tellReleased(trx, ctx, viewer, moved) : null },
        waiting: control === 'pause' ? await countWaiting(trx, order) : 0,
      };
    });
    if (control === 'cancel' && req.body?.undo === 'yes' && moved?.length === run.counts.total) {
      await notify(req, 'ok', 'Undone: nothing was sent. Change what you like, and send it when it is right.');
      return res.redirect(303, `/runs/new?from=${run.id}`);
    }
    if (moved === undefined) await notify(req, ...movedOn);
    else if (control === 'resume' || control === 'send_now') {
      const words = [control === 'resume' && 'Resumed.', told?.text || 'Nothing waited for it.'];
      await notify(req, told?.tone ?? 'ok', words.filter(Boolean).join(' '));
    } else await notify(req, ...stopped(control, control === 'pause' ? waiting : moved.length, viewer.locale));
    res.redirect(303, `/runs/${run.id}`);
  });

  router.post('/runs/:id/schedule', async (req, res) => {
    const { viewer, run } = await findToDecide(ctx, req, res);
    const { tenantId, memberId } = viewer;
    const anyTime = req.body?.anyTime === 'yes';
    const rules = await inTenant(ctx.db, tenantId, (trx) => sendingRulesOf(trx, tenantId));
    const chosen = readChosenTime(textField(req, 'sendAt'), rules, {
      anyTime,
      now: ctx.clock(),
      locale: viewer.locale,
    });
    if ('message' in chosen) {
      await notify(req, 'fail', `Not changed. ${chosen.message}`);
      return res.redirect(303, `/runs/${run.id}`);
    }
    const time = { sendAt: chosen.at, timeZone: rules.timeZone, anyTime };
    const order = { tenantId, memberId, runId: run.id };
    const moved = await inTenant(ctx.db, tenantId, (trx) => rescheduleRun(trx, ctx.clock, order, time));
    const done = `${emailCount(moved, viewer.locale)} will leave on ${fullMoment(chosen.at, rules.timeZone, viewer.locale)}.`;
    await notify(req, ...(moved === 0 ? movedOn : (['ok', done] as const)));
    res.redirect(303, `/runs/${run.id}`);
  });

  router.post('/runs/:id/decision', async (req, res) => {
    const { viewer, run } = await findToDecide(ctx, req, res);
    const asked = decisionSchema.safeParse(req.body).data;
    if (!asked) throw PageError.notFound();
    const { decision, until } = asked;
    const order = { tenantId: viewer.tenantId, memberId: viewer.memberId, runId: run.id };
    const decided = await inTenant(ctx.db, viewer.tenantId, (trx) => decideRun(trx, ctx, order, decision, until));
    if (decided.moved === 0) await notify(req, ...movedOn);
    else await notify(req, ...decidedWords(decision, decided, { viewer, now: ctx.clock() }));
    res.redirect(303, `/runs/${run.id}`);
  });

  router.post('/runs/:id/resends', async (req, res) => {
    const { viewer, run } = await findToDecide(ctx, req, res);
    const order = { tenantId: viewer.tenantId, memberId: viewer.memberId, runId: run.id };
    const which = readResend(req.body);
    if (which === null) throw PageError.notFound();
    if (typeof which === 'object' && 'problem' in which) {
      await notify(req, 'fail', `Nothing was sent. ${which.problem}`);
      return res.redirect(303, `/runs/${run.id}?show=failed`);
    }
    const { result, sent } = await inTenant(ctx.db, viewer.tenantId, async (trx) => {
      const result = await resend(trx, ctx.clock, order, which);
      await assertWithinCap(trx, viewer.tenantId, ctx.recipientsPerDay, ctx.clock());
      return { result, sent: result.kind === 'sent_again' ? await tellReleased(trx, ctx, viewer, result.ids) : null };
    });
    await notify(req, ...resent(result, sent, viewer.locale));
    res.redirect(303, `/runs/${run.id}`);
  });

  return router;
}

/** About all that nobody knows of, or that was just answered; `until` when the page was made. */
const decisionSchema = z.object({
  decision: z.enum(['send_again', 'mark_as_sent', 'take_back']),
  until: z.iso.datetime().transform((text) => new Date(text)),
});

async function findRun(ctx: WebContext, viewer: Viewer, req: Request): Promise<RunRecord> {
  const { tenantId } = viewer;
  return found(await inTenant(ctx.db, tenantId, (trx) => getRun(trx, tenantId, onlookerOf(viewer), param(req, 'id'))));
}

async function findToDecide(
  ctx: WebContext,
  req: Request,
  res: Response,
): Promise<{ readonly viewer: Viewer; readonly run: RunRecord }> {
  const viewer = requireRole(res, 'owner', 'admin', 'member');
  const run = await findRun(ctx, viewer, req);
  if (run.mayDecide) return { viewer, run };
  throw new PageError(403, 'not_yours', {
    title: 'Not yours to decide',
    message:
      'This run goes through the Gmail of somebody else. Whoever started it, or an owner or admin of your company, can decide about it.',
    next: { href: `/runs/${run.id}`, label: 'Back to the run' },
  });
}

/** A run's page: its progress and a page of its rows, as they stand at one moment. */
async function readRun(ctx: WebContext, viewer: Viewer, req: Request) {
  const { tenantId } = viewer;
  const id = param(req, 'id');
  const after = textParam(req, 'after');
  const show = reportFilters.find((filter) => filter === req.query['show']);
  return atOneMoment(ctx.db, tenantId, async (trx) => {
    const report = await reportPage(trx, tenantId, onlookerOf(viewer), id, { show, after });
    return {
      ...(await readProgress(trx, ctx, viewer, id)),
      ...{ report, rowLeaves: await leavesOf(trx, ctx, viewer, report.rows) },
      ...{ show, after, reportFilters, isFirst: after === '' },
    };
  });
}

/** What keeps what of a run waits for its turn or its time, where only a person ends that: it is the same for all of them. */
async function keptRun(trx: Database, ctx: WebContext, viewer: Viewer, runId: string) {
  const { rows } = await listDeliveries(trx, viewer.tenantId, onlookerOf(viewer), {
    only: oneWaiting(runId),
    limit: 1,
  });
  const [delivery] = rows;
  if (!delivery) return null;
  const { waits, headline, mends } = (await tellingOf(trx, ctx, viewer, rows))(delivery);
  return waits?.kind === 'stays' && waits.why !== 'run_paused' && headline ? { headline, mends } : null;
}

/** Everything that is said of a run above its rows. */
async function readProgress(trx: Database, ctx: WebContext, viewer: Viewer, runId: string) {
  const { tenantId, memberId } = viewer;
  const now = ctx.clock();
  const run = found(await getRun(trx, tenantId, onlookerOf(viewer), runId));
  const { waiting, failed, heldBy } = run.counts;
  const leaving = waiting + (heldBy.find(({ reason }) => reason === 'outside_hours')?.count ?? 0);
  const mayDecide = viewer.role !== 'viewer' && run.mayDecide;
  const ahead = { runId, startedAt: run.createdAt };
  const budget =
    leaving > 0 ? await budgetOf(trx, { pace: ctx.pace, now }, tenantId, run.mailboxId, leaving, ahead) : undefined;
  const at = (date: Date) => when(date, viewer.tenant.timeZone, now, viewer.locale);
  const rules = await sendingRulesOf(trx, tenantId);
  const opens = leavesFrom(rules, run.anyTime, now);
  const opening = opens > now ? opens : null;
  const { standsStill = null } = budget ?? {};
  const mailbox = await findMailbox(trx, tenantId, memberId, run.mailboxId);
  const trouble = mailbox?.state === 'needs_reconnect' ? troubleOf(mailbox) : null;
  const ended = trouble && { mailboxId: run.mailboxId, trouble };
  const kept = await keptRun(trx, ctx, viewer, runId);
  const stands = (kept !== null || opening !== null || standsStill !== null) && run.counts.sending === 0;
  return {
    run,
    asOf: now,
    heldWords: (reason: string) => heldWords(reason, ended, kept !== null),
    kept,
    mayDecide,
    ...keptBack(await keptOfRun(trx, tenantId, run)),
    phase: stands && phaseOf(run) === 'running' ? 'waiting' : phaseOf(run),
    opening,
    standstill:
      kept || opening || !standsStill ? null : `${standstillWords(standsStill)}. It goes on ${at(standsStill.until)}.`,
    budget: budget && !kept ? budgetLines(budget, { ofRun: 'of this run', at, opening, locale: viewer.locale }) : [],
    ...timeOf(run, rules, now, viewer.locale),
    cap: failed > 0 && mayDecide ? await capNotice(trx, ctx, viewer, failed) : null,
    // Whom it would come from when somebody sends the failed ones again: the rule is asked anew.
    resender: failed > 0 && mayDecide ? (await senderFor(trx, tenantId, memberId, run.kind)).resolution : null,
  };
}

function keptBack(kept: readonly Kept[]) {
  return { keptLines: keptLines(kept), keptCount: kept.reduce((sum, { count }) => sum + count, 0) };
}

/** Of what nobody knows of a run: what is not sent again by one button for all. */
async function keptOfRun(trx: Database, tenantId: string, { id: runId, counts }: RunRecord): Promise<Kept[]> {
  if (counts.unconfirmed === 0) return [];
  const rows = await trx
    .selectFrom('deliveries')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('run_id', '=', runId)
    .where('state', '=', 'unconfirmed')
    .where('replaced_by', 'is', null)
    .execute();
  const kept = await keptOf(
    trx,
    tenantId,
    rows.map(({ id }) => id),
  );
  return sumKept([...kept.values()]);
}

/** What the page says, and its form suggests, of a run that waits for nothing but its time. */
function timeOf({ leavesAt }: RunRecord, rules: SendingRules, now: Date, locale: string) {
  const { hours, timeZone } = rules;
  return {
    ...{ timeZone, hours: hours && hoursWords(hours) },
    sendAt: leavesAt ? wallTimeOf(leavesAt, timeZone) : suggestedTime(rules, now),
    leaves: leavesAt && fullMoment(leavesAt, timeZone, locale),
    seconds: leavesAt ? Math.max(0, Math.ceil((leavesAt.getTime() - now.getTime()) / 1_000)) : 0,
  };
}

async function* reportText(ctx: WebContext, viewer: Viewer, runId: string): AsyncGenerator<string> {
  const { tenantId } = viewer;
  const { timeZone } = viewer.tenant;
  yield reportHead(timeZone);
  let after: string | undefined;
  do {
    const request = { all: true, limit: 200, after };
    const rows = await inTenant(ctx.db, tenantId, (trx) =>
      reportPage(trx, tenantId, onlookerOf(viewer), runId, request),
    );
    yield rows.rows.map((row) => reportLine(row, timeZone)).join('');
    after = rows.next;
  } while (after);
}

type Notice = readonly ['ok' | 'wait' | 'fail', string];

const movedOn: Notice = ['wait', 'It has moved on meanwhile, so there was nothing to decide any more.'];

/** @param count of a pause how many wait, whatever they wait for besides; of an end how many do not leave */
function stopped(control: 'pause' | 'cancel', count: number, locale: string): Notice {
  const emails = emailCount(count, locale);
  if (control === 'pause') {
    const wait = `${emails} ${count === 1 ? 'waits' : 'wait'} until it is resumed.`;
    return ['wait', `Paused. ${wait} What was on its way to Gmail at this moment still arrives.`];
  }
  const stay = `${emails} ${count === 1 ? 'does' : 'do'} not leave.`;
  return ['ok', `Cancelled. ${stay} What was on its way at this moment still arrives.`];
}

function resentWords(left: number, sent: ReleasedWords | null, locale: string): Notice {
  const why = 'cannot be sent any more: drafts, cancelled or paid by now. Open the record to send it all the same.';
  const rest =
    left === 0
      ? ''
      : left === 1
        ? ` 1 was left alone: its record ${why}`
        : ` ${number(left, locale)} were left alone: their records ${why}`;
  if (!sent?.text) return left === 0 ? movedOn : ['fail', `Nothing was sent.${rest}`];
  return [left === 0 ? sent.tone : 'wait', `Sent again. ${sent.text}${rest}`];
}

function readResend(body: unknown): ResendWhich | { readonly problem: string } | null {
  const form = z.union([z.object({ which: z.literal('failed') }), oneSchema]).safeParse(body).data;
  if (!form) return null;
  if ('which' in form) return 'failed';
  const { recipients, problems } = readRecipients({ to: form.to, cc: '', bcc: '' });
  const [problem] = problems;
  return problem ? { problem: problem.message } : { deliveryId: form.delivery, to: recipients.to };
}

const oneSchema = z.object({ delivery: z.uuid(), to: z.string().max(10_000) });

function resent(result: ResendResult, sent: ReleasedWords | null, locale: string): Notice {
  switch (result.kind) {
    case 'sent_again':
      return resentWords(result.left, sent, locale);
    case 'refused':
      return ['fail', `Nothing was sent. ${result.resolution.because} ${result.resolution.fix}`];
    case 'nothing':
      return ['fail', 'This run was cancelled. Correct and send its failed ones one by one.'];
    default:
      return result satisfies never;
  }
}
