import { Router } from 'express';
import { latestDeliveriesOf, listDeliveries, listHidden } from '../deliveries/deliveries.ts';
import { mostRecords } from '../deliveries/runs/records.ts';
import type { DocumentContent } from '../documents/document.ts';
import { documentStatuses } from '../documents/document.ts';
import {
  extraText,
  formatAmount,
  formatCountry,
  formatNumber,
  formatPercent,
  keyDate,
  kindWords,
  pdfName,
  unitName,
} from '../documents/format.ts';
import { countMatching } from '../documents/matching.ts';
import { documentsWithNumber, getDocument, listDocuments, setDocumentStatus } from '../documents/store.ts';
import { computeTotals } from '../documents/totals.ts';
import { inTenant } from '../tenants/scope.ts';
import { getTenant, localeOf } from '../tenants/tenants.ts';
import type { WebContext } from './context.ts';
import { documentEditor } from './document-editor.ts';
import { found, PageError } from './errors.ts';
import { onlyIds, textParam } from './query.ts';
import { recordPdf, sendInline } from './record-pdf.ts';
import { deliveryWords, kindNamed, nextStatuses, pillOf, statusesOf, statusWords } from './record-words.ts';
import { page } from './render.ts';
import { notify } from './session.ts';
import { onlookerOf, param, requireRole, viewerOf } from './viewer.ts';

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
    const status = documentStatuses.find((each) => each === req.query['status']);
    const after = textParam(req, 'after');
    const { list, latest, count } = await inTenant(ctx.db, viewer.tenantId, async (trx) => {
      const match = { kind, status, search: search || undefined };
      const list = await listDocuments(trx, viewer.tenantId, { ...match, after });
      const ids = list.rows.map((row) => row.id);
      return {
        list,
        latest: await latestDeliveriesOf(trx, viewer.tenantId, onlookerOf(viewer), ids),
        count: await countMatching(trx, viewer.tenantId, match, mostRecords),
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
      statuses: statusesOf(kind),
      count,
      mostRecords,
      latest,
      deliveryWords,
      statusWords,
      mayWrite: viewer.role !== 'viewer',
      locale: localeOf(viewer.tenant),
      scripts: ['letterhead/select.js'],
    });
  });

  router.use(documentEditor(ctx));

  router.get('/documents/:id', async (req, res) => {
    const viewer = viewerOf(res);
    const id = param(req, 'id');
    const { record, sent, hidden, twins } = await inTenant(ctx.db, viewer.tenantId, async (trx) => {
      const record = found(await getDocument(trx, viewer.tenantId, id));
      const twins = await documentsWithNumber(trx, viewer.tenantId, record.kind, record.number);
      return {
        record,
        sent: await listDeliveries(trx, viewer.tenantId, onlookerOf(viewer), { documentId: id }),
        hidden: await listHidden(trx, viewer.tenantId, onlookerOf(viewer), id),
        twins: twins.filter((other) => other.id !== id),
      };
    });
    const locale = localeOf(viewer.tenant);
    await page(res, 'documents/show', {
      title: `${kindWords[record.kind].title} ${record.number}`,
      section: record.kind,
      words: kindWords[record.kind],
      record,
      content: record.content,
      lines: record.content.lines.slice(0, linesShown),
      totals: computeTotals(record.content),
      dates: datesOf(record.content),
      keyDate: keyDate(record.content),
      twins,
      deliveries: sent.rows,
      hidden,
      moreDeliveries: sent.next !== undefined,
      deliveryWords,
      pillOf,
      statusWords,
      nextStatuses: nextStatuses(record.kind, record.status),
      mayWrite: viewer.role !== 'viewer',
      isToSend: record.status === 'open' || record.status === 'accepted',
      locale,
      amount: (value: string) => formatAmount(value, record.currency, locale),
      number: (value: string) => formatNumber(value, locale),
      percent: (value: string) => formatPercent(value, locale),
      country: (code: string) => formatCountry(code, locale),
      unitName,
      extraText,
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

  router.post('/documents/:id/status', async (req, res) => {
    const viewer = requireRole(res, 'owner', 'admin', 'member');
    const id = param(req, 'id');
    const wanted = documentStatuses.find((status) => status === req.body?.status);
    await inTenant(ctx.db, viewer.tenantId, async (trx) => {
      const record = found(await getDocument(trx, viewer.tenantId, id));
      if (record.status === wanted) return;
      if (!wanted || !nextStatuses(record.kind, record.status).some((move) => move.status === wanted)) {
        throw new PageError(409, 'status_move', {
          title: 'That status does not fit any more',
          message: `This record is ${statusWords[record.status].toLowerCase()} now; somebody may have changed it meanwhile. Open it again to see what can be done with it.`,
          next: { href: `/documents/${id}`, label: 'Open the record' },
        });
      }
      await setDocumentStatus(trx, viewer.tenantId, id, wanted);
    });
    if (wanted) await notify(req, 'ok', `It is ${statusWords[wanted].toLowerCase()} now.`);
    res.redirect(303, `/documents/${id}`);
  });

  return router;
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
