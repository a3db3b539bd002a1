import { Router } from 'express';
import { listDeliveries, listHidden, sendingStatesOf } from '../deliveries/deliveries.ts';
import { listPapers, readPaper } from '../deliveries/papers.ts';
import { mostRecords } from '../deliveries/runs/records.ts';
import { unsendable } from '../deliveries/sendable.ts';
import { listWaitingEmails, sendThoughPaid, stopWaitingEmails } from '../deliveries/waiting-emails.ts';
import { differencesFromOwn, differenceWords } from '../documents/differences.ts';
import type { DocumentContent } from '../documents/document.ts';
import { documentStatuses } from '../documents/document.ts';
import { DocumentError } from '../documents/errors.ts';
import { fileBytes } from '../documents/files.ts';
import {
  formatAmount,
  formatCountry,
  formatNumber,
  formatPercent,
  keyDate,
  kindWords,
  nameOf,
  pdfName,
  titleOf,
  unitName,
  wordsOf,
} from '../documents/format.ts';
import { lastChange } from '../documents/last-change.ts';
import { listDocuments } from '../documents/listing.ts';
import { countMatching } from '../documents/matching.ts';
import { headOf } from '../documents/pdf/head.ts';
import { deleteDraft, setDocumentStatus, wasWritten } from '../documents/status.ts';
import { documentsWithNumber, getDocument } from '../documents/store.ts';
import type { DocumentSummary } from '../documents/summary.ts';
import { totalsOf } from '../documents/totals.ts';
import { inTurns } from '../platform/turns.ts';
import { inTenant } from '../tenants/scope.ts';
import { getTenant } from '../tenants/tenants.ts';
import { capNotice } from './cap-words.ts';
import type { WebContext } from './context.ts';
import { documentEditor } from './document-editor.ts';
import { found, PageError } from './errors.ts';
import { leavesOf } from './leaves.ts';
import { lettersNotice } from './letters-words.ts';
import { paperDifferences, stoppedWords, toWhom } from './paper-words.ts';
import { onlyIds, textParam } from './query.ts';
import { extrasOf } from './record-extras.ts';
import { missingLetters, recordPdf, sendAttachment, sendInline } from './record-pdf.ts';
import {
  dayFrom,
  kindNamed,
  nextStatuses,
  pillOf,
  sendingPill,
  statusesOf,
  statusMatch,
  statusPill,
} from './record-words.ts';
import { page } from './render.ts';
import { notify } from './session.ts';
import { sumMeaning } from './sum-meaning.ts';
import { tellingOf } from './telling.ts';
import { onlookerOf, param, requireRole, viewerOf } from './viewer.ts';
import { whoChangedIt } from './who-changed.ts';

/** The most lines a page shows; a PDF has all of them. */
const linesShown = 200;

/** Invoices, credit notes, quotes and purchase orders: their lists, pages, forms and PDFs. Behind the sign-in. */
export function documentPages(ctx: WebContext): Router {
  const router = Router();
  onlyIds(router);

  router.get('/documents', async (req, res) => {
    const viewer = viewerOf(res);
    const kind = kindNamed(req.query['kind']);
    const search = textParam(req, 'q');
    const today = dayFrom(ctx.clock(), viewer.tenant.timeZone);
    const statuses = statusesOf(kind);
    const status = statuses.find(({ value }) => value === req.query['status']);
    const after = textParam(req, 'after');
    const { list, sending, leaves, count, cap } = await inTenant(ctx.db, viewer.tenantId, async (trx) => {
      const match = { kind, ...statusMatch(status?.value, today), search: search || undefined };
      const list = await listDocuments(trx, viewer.tenantId, { ...match, after });
      const ids = list.rows.map((row) => row.id);
      const sending = await sendingStatesOf(trx, viewer.tenantId, onlookerOf(viewer), ids);
      return {
        ...{ list, sending, leaves: await leavesOf(trx, ctx, viewer, [...sending.values()].flat()) },
        count: await countMatching(trx, viewer.tenantId, match, mostRecords),
        cap: await capNotice(trx, ctx, viewer, 1),
      };
    });
    await page(res, 'documents/list', {
      title: kindWords[kind].plural,
      section: kind,
      kind,
      words: kindWords[kind],
      rows: list.rows,
      next: list.next,
      after,
      search,
      status,
      statuses,
      count,
      cap,
      mostRecords,
      ...{ sending, leaves },
      sendingPill,
      statusPill: (row: DocumentSummary) => statusPill(row, today),
      mayWrite: viewer.role !== 'viewer',
      locale: viewer.locale,
      scripts: ['letterhead/select.js'],
    });
  });

  router.use(documentEditor(ctx));

  router.get('/documents/:id', async (req, res) => {
    const viewer = viewerOf(res);
    const id = param(req, 'id');
    const { record, sent, telling, hidden, twins, ...papers } = await inTenant(ctx.db, viewer.tenantId, async (trx) => {
      const record = found(await getDocument(trx, viewer.tenantId, id));
      const twins = await documentsWithNumber(trx, viewer.tenantId, record.kind, record.number);
      const papers = await listPapers(trx, viewer.tenantId, onlookerOf(viewer), id);
      const last = papers.find(({ state }) => state === 'sent');
      const waiting = await listWaitingEmails(trx, viewer.tenantId, onlookerOf(viewer), id);
      const sent = await listDeliveries(trx, viewer.tenantId, onlookerOf(viewer), { documentId: id });
      return {
        papers: new Map(papers.map((paper) => [paper.deliveryId, paper])),
        waits: waiting.filter(({ isUnsent }) => isUnsent).length,
        inDoubt: waiting.filter(({ isUnsent }) => !isUnsent).length,
        outdated: last && !last.isAsNow ? last : undefined,
        lastPaper: last && !last.isAsNow ? await readPaper(trx, viewer.tenantId, last.deliveryId) : undefined,
        tenant: await getTenant(trx, viewer.tenantId),
        ...{ record, sent, telling: await tellingOf(trx, ctx, viewer, sent.rows) },
        hidden: await listHidden(trx, viewer.tenantId, onlookerOf(viewer), id),
        twins: twins.filter((other) => other.id !== id),
      };
    });
    const letters = await missingLetters(ctx, papers.tenant, record);
    const locale = viewer.locale;
    // What the customer has, and what the record says by now; the company's head is told on the email's own page.
    const changed = papers.lastPaper
      ? await inTurns(paperDifferences({ ...papers.lastPaper, head: null }, record.content, headOf(papers.tenant)))
      : [];
    const totals = await inTurns(totalsOf(record.content));
    await page(res, 'documents/show', {
      title: titleOf(record),
      section: record.kind,
      words: wordsOf(record),
      ...sumMeaning(record, { payable: record.payable, taxInclusive: totals.taxInclusive }, record.currency, locale),
      differences: await inTurns(differencesFromOwn(record.content)),
      differenceWords,
      record,
      content: record.content,
      lines: record.content.lines.slice(0, linesShown),
      totals,
      dates: datesOf(record.content),
      keyDate: keyDate(record.content, record.payable),
      twins,
      ...{
        papers: papers.papers,
        outdated: papers.outdated,
        changed,
        waits: papers.waits,
        inDoubt: papers.inDoubt,
        toWhom,
      },
      unprintable: lettersNotice(letters, headOf(papers.tenant), id),
      deliveries: sent.rows,
      hidden,
      moreDeliveries: sent.next !== undefined,
      ...{ pillOf, telling },
      status: statusPill(record, dayFrom(ctx.clock(), viewer.tenant.timeZone)),
      nextStatuses: nextStatuses(record, sent.rows.length + hidden.length > 0),
      mayWrite: viewer.role !== 'viewer',
      isToSend: record.status === 'open' || record.status === 'accepted',
      locale,
      amount: (value: string) => formatAmount(value, record.currency, locale),
      number: (value: string) => formatNumber(value, locale),
      percent: (value: string) => formatPercent(value, locale),
      country: (code: string) => formatCountry(code, locale),
      unitName,
      ...(await extrasOf(res, record)),
    });
  });

  router.get('/documents/:id/pdf', async (req, res) => {
    const viewer = viewerOf(res);
    const { record, tenant } = await inTenant(ctx.db, viewer.tenantId, async (trx) => ({
      record: found(await getDocument(trx, viewer.tenantId, param(req, 'id'))),
      tenant: await getTenant(trx, viewer.tenantId),
    }));
    const pdf = await recordPdf(ctx, tenant, record);
    sendInline(res, 'application/pdf', pdfName(record, tenant.name), pdf);
  });

  // What was embedded in the file that the record came from. Never shown by the browser: anybody may have put it there.
  router.get('/documents/:id/files/:place', async (req, res) => {
    const viewer = viewerOf(res);
    const place = Number(param(req, 'place'));
    const { file, bytes } = await inTenant(ctx.db, viewer.tenantId, async (trx) => {
      const record = found(await getDocument(trx, viewer.tenantId, param(req, 'id')));
      const file = found(Number.isInteger(place) ? record.content.files?.[place] : undefined);
      return { file, bytes: found(await fileBytes(trx, viewer.tenantId, record.id, place)) };
    });
    sendAttachment(res, file.name, bytes);
  });

  router.post('/documents/:id/status', async (req, res) => {
    const viewer = requireRole(res, 'owner', 'admin', 'member');
    const id = param(req, 'id');
    const wanted = documentStatuses.find((status) => status === req.body?.status);
    const done = await inTenant(ctx.db, viewer.tenantId, async (trx) => {
      const record = found(await getDocument(trx, viewer.tenantId, id));
      if (record.status === wanted) return null;
      const hasEmails = await wasWritten(trx, viewer.tenantId, id);
      if (!wanted || !nextStatuses(record, hasEmails).some((move) => move.status === wanted)) {
        throw new PageError(409, 'status_move', {
          title: 'That status does not fit any more',
          message: `This record is ${statusPill(record, '').word.toLowerCase()} now. ${whoChangedIt(await lastChange(trx, viewer.tenantId, id), viewer, ctx.clock())} Open it again to see what can be done with it.`,
          next: { href: `/documents/${id}`, label: 'Open the record' },
        });
      }
      const moved = await setDocumentStatus(trx, viewer.tenantId, id, wanted, ctx.clock(), viewer.memberId);
      // Whoever says that it is over says that it does not go out; of what is paid they may say otherwise.
      const goesOn = unsendable(wanted, req.body?.emails === 'send') === null;
      const why = `The ${wordsOf(moved).lower} was marked as ${statusPill(moved, '').word.toLowerCase()}`;
      const by = { memberId: viewer.memberId, why };
      const stopped = goesOn ? undefined : await stopWaitingEmails(ctx, trx, viewer.tenantId, id, by);
      if (goesOn && wanted === 'paid') await sendThoughPaid(trx, viewer.tenantId, id);
      return { moved, wasDraft: record.status === 'draft', stopped };
    });
    if (done) {
      const { stopped = 0, tooLate = 0 } = done.stopped ?? {};
      const words =
        `${statusNotice(done.moved, done.wasDraft)} ${stoppedWords(stopped, tooLate, viewer.locale)}`.trim();
      await notify(req, tooLate > 0 ? 'wait' : 'ok', words);
    }
    res.redirect(303, `/documents/${id}`);
  });

  router.post('/documents/:id/deletion', async (req, res) => {
    const viewer = requireRole(res, 'owner', 'admin', 'member');
    const id = param(req, 'id');
    const record = found(await inTenant(ctx.db, viewer.tenantId, (trx) => getDocument(trx, viewer.tenantId, id)));
    try {
      await inTenant(ctx.db, viewer.tenantId, (trx) => deleteDraft(trx, viewer.tenantId, id));
    } catch (error) {
      if (!(error instanceof DocumentError) || error.code !== 'not_a_draft') throw error;
      await notify(req, 'fail', `Not deleted. ${error.message}`);
      return res.redirect(303, `/documents/${id}`);
    }
    await notify(req, 'ok', `The draft for ${record.partyName} is deleted.`);
    res.redirect(303, `/documents?kind=${record.kind}`);
  });

  return router;
}

function statusNotice(record: DocumentSummary, wasDraft: boolean): string {
  if (wasDraft && record.status === 'open') return `It is ${nameOf(record)} now, and can be sent.`;
  return `Marked as ${statusPill(record, '').word.toLowerCase()}.`;
}

function datesOf(content: DocumentContent): { label: string; date: string }[] {
  const dates = [
    { label: 'Date', date: content.issueDate },
    { label: 'Due', date: content.dueDate },
    { label: 'Valid until', date: content.validUntil },
    { label: 'Delivery', date: content.deliveryDate },
  ];
  return dates.flatMap(({ label, date }) => (date === undefined ? [] : [{ label, date }]));
}
