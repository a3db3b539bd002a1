import { createHash } from 'node:crypto';
import { type Request, Router } from 'express';
import { isDecision } from '../deliveries/decide.ts';
import { decideAndTell } from '../deliveries/decided.ts';
import { type DeliveryRecord, getDelivery } from '../deliveries/delivery.ts';
import { leavesFrom } from '../deliveries/departure.ts';
import { lastMove } from '../deliveries/last-move.ts';
import { readPaper } from '../deliveries/papers.ts';
import { reviseWaitingEmails } from '../deliveries/revise.ts';
import { maySchedule, schedule } from '../deliveries/schedule.ts';
import { unsendable } from '../deliveries/sendable.ts';
import { kindWords } from '../documents/format.ts';
import { headOf } from '../documents/pdf/head.ts';
import { getDocument, lockDocument } from '../documents/store.ts';
import { totalsOf } from '../documents/totals.ts';
import { listSwaps } from '../mailboxes/from-swaps.ts';
import { formatAddress } from '../platform/address.ts';
import { inTurns } from '../platform/turns.ts';
import { wallTimeOf } from '../platform/zoned-time.ts';
import { inTenant } from '../tenants/scope.ts';
import { type SendingRules, sendingRulesOf } from '../tenants/sending-rules.ts';
import { getTenant } from '../tenants/tenants.ts';
import type { WebContext } from './context.ts';
import { decidedWords } from './decided-words.ts';
import { deliveryFiles } from './delivery-files.ts';
import { type Wait, waitOf } from './delivery-wait.ts';
import { askAgain, decisionWords, secondsToUndo, stateSentence } from './delivery-words.ts';
import { found, PageError } from './errors.ts';
import { paperDifferences } from './paper-words.ts';
import { onlyIds, textField, textParam } from './query.ts';
import { type Question, questionAbout } from './question.ts';
import { newPaper } from './record-emails.ts';
import { recordNowWords } from './record-now-words.ts';
import { eventWord } from './record-words.ts';
import { fragment, page } from './render.ts';
import { hoursWords, readChosenTime, suggestedTime } from './send-time.ts';
import { notify } from './session.ts';
import { type Telling, tellingOf } from './telling.ts';
import { onlookerOf, param, requireRole, type Viewer, viewerOf } from './viewer.ts';
import { whoChangedIt } from './who-changed.ts';
import { fullMoment } from './words.ts';

/** One delivery with its timeline, and what a person decides about it. */
export function deliveryPages(ctx: WebContext): Router {
  const router = Router();
  onlyIds(router);

  router.get('/deliveries/:id', async (req, res) => {
    const viewer = viewerOf(res);
    const found = await findDelivery(ctx, viewer, req);
    const { delivery } = found;
    const paper = await paperOf(ctx, viewer, delivery);
    await page(res, 'deliveries/delivery', {
      title: delivery.subject,
      section: 'activity',
      scripts: ['letterhead/countdown.js'],
      ...{ paper, mayRevise: paper !== undefined && delivery.isUnsent && mayDecide(viewer, delivery) },
      ...{ formatAddress, kindWords, ...progressOf(ctx, viewer, found) },
    });
  });

  // The live part of the page; asked every second while the delivery moves.
  router.get('/deliveries/:id/progress', async (req, res) => {
    const viewer = viewerOf(res);
    const progress = progressOf(ctx, viewer, await findDelivery(ctx, viewer, req));
    // Nothing is put in place of the same: a button may be under somebody's finger.
    if (textParam(req, 'seen') === progress.mark) return void res.status(204).end();
    await fragment(res, 'deliveries/progress', progress);
  });

  router.use(deliveryFiles(ctx));

  /** Somebody else was first, or Letterhead was. */
  async function movedOn(req: Request, viewer: Viewer, id: string, consequence: string): Promise<void> {
    const move = await inTenant(ctx.db, viewer.tenantId, (trx) => lastMove(trx, viewer.tenantId, id));
    const who = whoChangedIt(move, viewer, ctx.clock());
    await notify(req, 'wait', `It has moved on meanwhile, ${consequence}. ${who}`);
  }

  router.post('/deliveries/:id/decision', async (req, res) => {
    const viewer = requireRole(res, 'owner', 'admin', 'member');
    const { tenantId, memberId } = viewer;
    const decision: unknown = req.body?.decision;
    const { delivery } = await findDelivery(ctx, viewer, req);
    if (!mayDecide(viewer, delivery)) throw notYours();
    if (!isDecision(decision)) throw PageError.notFound();
    const { id, documentId } = delivery;
    const decided = await inTenant(ctx.db, tenantId, (trx) =>
      decideAndTell(ctx, trx, tenantId, [id], decision, memberId, {
        thoughPaid: req.body?.thoughPaid === 'yes',
        asItWas: req.body?.version === 'old',
      }),
    );
    const { moved, hindered, kept } = decided;
    const [tone, words] = decidedWords(decision, decided, { viewer, now: ctx.clock() });
    if (moved === 0 && hindered.length === 0 && kept.length === 0)
      await movedOn(req, viewer, id, 'so there was nothing to decide any more');
    // Where it simply leaves, the page itself shows it leave.
    else if (tone === 'wait') await notify(req, tone, words);
    // Undone within its moment, or cancelled to be sent otherwise.
    const again = delivery.heldReason === 'undo' || req.body?.next === 'send_anew';
    if (moved > 0 && again && decision === 'cancel' && documentId) {
      const words = delivery.heldReason === 'undo' ? 'Undone: nothing was sent.' : 'Cancelled: nothing was sent.';
      await notify(req, 'ok', `${words} Change what you like, and send it when it is right.`);
      return res.redirect(303, `/documents/${documentId}/deliveries/new?from=${id}`);
    }
    res.redirect(303, `/deliveries/${id}`);
  });

  router.post('/deliveries/:id/schedule', async (req, res) => {
    const viewer = requireRole(res, 'owner', 'admin', 'member');
    const { tenantId, memberId } = viewer;
    const { delivery, rules } = await findDelivery(ctx, viewer, req);
    if (!mayDecide(viewer, delivery)) throw notYours();
    const { id } = delivery;
    const anyTime = req.body?.anyTime === 'yes';
    const chosen = readChosenTime(textField(req, 'sendAt'), rules, {
      anyTime,
      now: ctx.clock(),
      locale: viewer.locale,
    });
    if ('message' in chosen) {
      await notify(req, 'fail', `Not changed. ${chosen.message}`);
      return res.redirect(303, `/deliveries/${id}`);
    }
    const { timeZone } = rules;
    const choice = { sendAt: chosen.at, timeZone, anyTime, memberId };
    const done = await inTenant(ctx.db, tenantId, (trx) => schedule(ctx, trx, tenantId, id, choice));
    if (done) await notify(req, 'ok', `It leaves on ${fullMoment(chosen.at, timeZone, viewer.locale)}.`);
    else await movedOn(req, viewer, id, 'so its time could not be changed any more');
    res.redirect(303, `/deliveries/${id}`);
  });

  // The record as it is now, instead of as it was when the email was written.
  router.post('/deliveries/:id/version', async (req, res) => {
    const viewer = requireRole(res, 'owner', 'admin', 'member');
    const { tenantId } = viewer;
    const { delivery } = await findDelivery(ctx, viewer, req);
    if (!mayDecide(viewer, delivery)) throw notYours();
    const { id, documentId } = delivery;
    const { record, paper } = await inTenant(ctx.db, tenantId, async (trx) => ({
      record: found(await getDocument(trx, tenantId, documentId ?? '')),
      paper: found(await readPaper(trx, tenantId, id)),
    }));
    const because = unsendable(record.status, true);
    if (because) {
      await notify(
        req,
        'fail',
        `Not changed. The record is ${because === 'draft' ? 'a draft' : because} now, so it is not sent.`,
      );
      return res.redirect(303, `/deliveries/${id}`);
    }
    const before = { ...record, content: paper.content, payable: (await inTurns(totalsOf(paper.content))).payable };
    const version = await newPaper(ctx, tenantId, record, record.content);
    if ('field' in version) {
      await notify(req, 'fail', version.message);
      return res.redirect(303, `/deliveries/${id}`);
    }
    const { ids } = await inTenant(ctx.db, tenantId, async (trx) => {
      const current = await lockDocument(trx, tenantId, record.id);
      if (current?.version !== record.version) return { ids: [] };
      return reviseWaitingEmails(ctx, trx, tenantId, onlookerOf(viewer), [id], { ...version, before, record });
    });
    const [next] = ids;
    if (next !== undefined) await notify(req, 'ok', 'It leaves with the record as it is now.');
    else await movedOn(req, viewer, id, 'so its paper could not be changed any more');
    res.redirect(303, `/deliveries/${next ?? id}`);
  });

  return router;
}

/** What its paper shows, and what of that is different now. */
async function paperOf(ctx: WebContext, viewer: Viewer, { id, documentId }: DeliveryRecord) {
  if (documentId === null) return undefined;
  const { tenantId } = viewer;
  return inTenant(ctx.db, tenantId, async (trx) => {
    const paper = await readPaper(trx, tenantId, id);
    const record = await getDocument(trx, tenantId, documentId);
    if (!paper || !record) return undefined;
    const head = headOf(await getTenant(trx, tenantId));
    const changes = await inTurns(paperDifferences(paper, record.content, head));
    return { frozenAt: paper.frozenAt, changes, isSendable: unsendable(record.status, true) === null };
  });
}

/** A delivery, and everything that its page says besides. */
interface Shown {
  readonly delivery: DeliveryRecord;
  readonly rules: SendingRules;
  readonly wait: Wait | null;
  readonly told: Telling;
  readonly question: Question | null;
  /** Gmail swapped its address, and nobody has looked since. */
  readonly isSwapOpen: boolean;
}

async function findDelivery(ctx: WebContext, viewer: Viewer, req: Request): Promise<Shown> {
  const id = param(req, 'id');
  const { tenantId } = viewer;
  return inTenant(ctx.db, tenantId, async (trx) => {
    const delivery = found(await getDelivery(trx, tenantId, onlookerOf(viewer), id));
    const rules = await sendingRulesOf(trx, tenantId);
    const at = (date: Date) => fullMoment(date, rules.timeZone, viewer.locale);
    const told = (await tellingOf(trx, ctx, viewer, [delivery]))(delivery);
    const question = told.mend === 'answer' ? await questionAbout(trx, ctx, viewer, delivery) : null;
    const swaps = delivery.fromChangedAt ? await listSwaps(trx, tenantId, [delivery.mailboxId]) : [];
    return {
      isSwapOpen: swaps.some(({ email }) => email === delivery.fromEmail.toLowerCase()),
      delivery,
      rules,
      told,
      question,
      wait: await waitOf(trx, ctx, tenantId, delivery, { at, locale: viewer.locale }),
    };
  });
}

/** Everything that the live part of a delivery's page shows. */
function progressOf(ctx: WebContext, viewer: Viewer, { delivery, rules, wait, told, question, isSwapOpen }: Shown) {
  const now = ctx.clock();
  const { timeZone, hours } = rules;
  const at = (date: Date) => fullMoment(date, timeZone, viewer.locale);
  const opens = leavesFrom(rules, delivery.anyTime, now);
  const opening = opens > now ? opens : null;
  const may = mayDecide(viewer, delivery);
  const scheduled = delivery.heldReason === 'scheduled' && delivery.notBefore;
  // What somebody has to end comes before whatever ends with time.
  const stays = told.waits?.kind === 'stays';
  const said = opening === null && wait && !stays ? wait.sentence : null;
  // Of what is about to leave, or has left, the state says everything; of the rest the reason comes first.
  const isPlain = said !== null || told.trouble === null || told.trouble === 'other_from';
  return {
    ...{ delivery, isSwapOpen, eventWord, timeZone, question, mayDecide: may, pill: told.pill },
    headline: isPlain ? null : told.headline,
    // Whom it came from stands below.
    sentence: said ?? stateSentence({ ...delivery, markedBy: whoMarked(delivery) }, { now, at, opening }),
    note: stays ? null : (wait?.note ?? null),
    seconds: stays ? null : secondsToUndo(delivery, now),
    again: wait ? '5s' : askAgain(delivery, now),
    // What a decision below does needs no other button.
    mends: isPlain || told.mend === 'answer' || told.mend === 'send_now' ? null : told.mends,
    lead: told.mend === 'send_now' ? 'send_now' : null,
    decisions: (may ? told.decisions : []).map((decision) => ({
      ...{ decision, label: decisionWords(decision, delivery, told.record) },
    })),
    record: told.record,
    became: told.record && recordNowWords(told.record, at),
    maySchedule: may && maySchedule(delivery),
    sendAt: scheduled ? wallTimeOf(scheduled, timeZone) : suggestedTime(rules, now),
    hours: hours && hoursWords(hours),
    mark: createHash('sha256')
      .update(JSON.stringify([delivery, opening, wait, told, question, isSwapOpen]))
      .digest('base64url')
      .slice(0, 22),
  };
}

/** Who found it in Gmail and said so, where Gmail itself never told. */
function whoMarked({ state, providerMessageId, events }: DeliveryRecord): string | null {
  if (state !== 'sent' || providerMessageId !== null) return null;
  return events.find((event) => event.state === 'sent' && event.memberName !== null)?.memberName ?? null;
}

function mayDecide(viewer: Viewer, delivery: DeliveryRecord): boolean {
  return viewer.role !== 'viewer' && delivery.mayDecide;
}

/** Seen, but sent through a Gmail that is not theirs to use. */
function notYours(): PageError {
  return new PageError(403, 'not_yours', {
    title: 'Not yours to decide',
    message:
      'This email goes through the Gmail of somebody else. Whoever sent it, or an owner or admin of your company, can decide about it.',
    next: { href: '/activity', label: 'Back to Activity' },
  });
}
