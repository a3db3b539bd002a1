import { randomUUID } from 'node:crypto';
import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { createDelivery, type SendResult } from '../deliveries/create.ts';
import { decide, decisionsFor, isDecision } from '../deliveries/decide.ts';
import { listDeliveries, listHidden } from '../deliveries/deliveries.ts';
import { type DeliveryRecord, getAttachment, getDelivery } from '../deliveries/delivery.ts';
import { freezePdf } from '../deliveries/freeze.ts';
import { formatAddress } from '../deliveries/recipients.ts';
import { freeFromRun } from '../deliveries/runs/control.ts';
import { kindWords, pdfName } from '../documents/format.ts';
import { type DocumentRecord, getDocument } from '../documents/store.ts';
import { senderFor } from '../mailboxes/sender-rules.ts';
import { inTenant } from '../tenants/scope.ts';
import { getTenant } from '../tenants/tenants.ts';
import type { WebContext } from './context.ts';
import { askAgain, decisionWords, nextStep, stateSentence } from './delivery-words.ts';
import { found, PageError } from './errors.ts';
import { onlyIds, textParam } from './query.ts';
import { pdfTrouble, recordPdf, sendInline } from './record-pdf.ts';
import { deliveryWords } from './record-words.ts';
import { fragment, page } from './render.ts';
import { filledIn, readSendForm, type SendForm, testEmail } from './send-form.ts';
import { notify } from './session.ts';
import { onlookerOf, param, requireRole, type Viewer, viewerOf } from './viewer.ts';

const words = {
  deliveryWords,
  decisionWords,
  decisionsFor,
  nextStep,
  stateSentence,
  askAgain,
  formatAddress,
  kindWords,
};

/** Sending a record, Activity, one delivery with its timeline, and what a person decides about it. */
export function deliveryPages(ctx: WebContext): Router {
  const router = Router();
  onlyIds(router);

  router.get('/documents/:id/deliveries/new', async (req, res) => {
    const viewer = requireRole(res, 'owner', 'admin', 'member');
    const record = await findRecord(ctx, viewer, req);
    const tenant = await inTenant(ctx.db, viewer.tenantId, (trx) => getTenant(trx, viewer.tenantId));
    await sendPage(ctx, res, record, filledIn(record, tenant, viewer.name, randomUUID()), []);
  });

  router.post('/documents/:id/deliveries', async (req, res) => {
    const viewer = requireRole(res, 'owner', 'admin', 'member');
    const record = await findRecord(ctx, viewer, req);
    const { form, email, problems } = readSendForm(req.body);
    if (!email) {
      res.status(422);
      return sendPage(ctx, res, record, form, problems);
    }
    if (form.version !== record.version) return showChanged(ctx, res, record, form);

    const { tenantId, memberId } = viewer;
    const tenant = await inTenant(ctx.db, tenantId, (trx) => getTenant(trx, tenantId));
    const document = { record, fileName: pdfName(record), pdf: await recordPdf(ctx, tenant, record) };
    const result = await inTenant(ctx.db, tenantId, (trx) =>
      createDelivery(trx, ctx.clock, { tenantId, memberId, ...email, document }),
    );
    await answer(ctx, req, res, record, form, result);
  });

  router.post('/settings/email/test-deliveries', async (req, res) => {
    const viewer = requireRole(res, 'owner', 'admin', 'member');
    const { tenantId, memberId } = viewer;
    // Made with the page, so that a double click is one email.
    const key = z.uuid().safeParse(req.body?.key).data ?? randomUUID();
    const email = testEmail(viewer, key);
    const result = await inTenant(ctx.db, tenantId, (trx) =>
      createDelivery(trx, ctx.clock, { tenantId, memberId, ...email, document: null }),
    );
    if (result.kind === 'refused') {
      await notify(req, 'fail', `Not sent. ${result.resolution.because} ${result.resolution.fix}`);
      return res.redirect(303, '/settings/email');
    }
    if (result.kind !== 'created') throw PageError.notFound();
    res.redirect(303, `/deliveries/${result.deliveryId}`);
  });

  router.get('/activity', async (req, res) => {
    const viewer = viewerOf(res);
    const { tenantId } = viewer;
    const attention = req.query['show'] === 'attention';
    const after = textParam(req, 'after');
    const list = await inTenant(ctx.db, tenantId, (trx) =>
      listDeliveries(trx, tenantId, onlookerOf(viewer), { attention, after }),
    );
    await page(res, 'deliveries/activity', {
      title: 'Activity',
      section: 'activity',
      ...words,
      ...list,
      onlyAttention: attention,
      isFirst: after === '',
    });
  });

  router.get('/deliveries/:id', async (req, res) => {
    const viewer = viewerOf(res);
    const delivery = await findDelivery(ctx, viewer, req);
    await page(res, 'deliveries/delivery', {
      title: delivery.subject,
      section: 'activity',
      ...words,
      delivery,
      mayDecide: mayDecide(viewer, delivery),
    });
  });

  // The live part of the page; asked every second while the delivery moves.
  router.get('/deliveries/:id/progress', async (req, res) => {
    const viewer = viewerOf(res);
    const delivery = await findDelivery(ctx, viewer, req);
    await fragment(res, 'deliveries/progress', { ...words, delivery, mayDecide: mayDecide(viewer, delivery) });
  });

  router.get('/deliveries/:id/attachments/:name', async (req, res) => {
    const viewer = viewerOf(res);
    const { tenantId } = viewer;
    const id = param(req, 'id');
    const name = param(req, 'name');
    const delivery = await findDelivery(ctx, viewer, req);
    // Whoever looks before it is sent sees, and freezes, the very bytes that will be.
    if (delivery.pdfToMake === name) await freezeToLook(ctx, tenantId, id);
    const file = found(
      await inTenant(ctx.db, tenantId, (trx) => getAttachment(trx, tenantId, onlookerOf(viewer), id, name)),
    );
    sendInline(res, file.mediaType, file.fileName, file.bytes);
  });

  router.post('/deliveries/:id/decision', async (req, res) => {
    const viewer = requireRole(res, 'owner', 'admin', 'member');
    const { tenantId, memberId } = viewer;
    const id = param(req, 'id');
    const decision: unknown = req.body?.decision;
    const delivery = await findDelivery(ctx, viewer, req);
    if (!mayDecide(viewer, delivery)) throw notYours();
    if (!isDecision(decision)) throw PageError.notFound();
    const moved = await inTenant(ctx.db, tenantId, async (trx) => {
      const ids = await decide(ctx, trx, tenantId, [id], decision, memberId);
      if (decision === 'send_now' || decision === 'send_again') await freeFromRun(trx, tenantId, ids);
      return ids;
    });
    if (moved.length === 0)
      await notify(req, 'wait', 'It has moved on meanwhile, so there was nothing to decide any more.');
    res.redirect(303, `/deliveries/${id}`);
  });

  return router;
}

async function findRecord(ctx: WebContext, { tenantId }: Viewer, req: Request): Promise<DocumentRecord> {
  const id = param(req, 'id');
  return found(await inTenant(ctx.db, tenantId, (trx) => getDocument(trx, tenantId, id)));
}

async function findDelivery(ctx: WebContext, viewer: Viewer, req: Request) {
  const id = param(req, 'id');
  const { tenantId } = viewer;
  return found(await inTenant(ctx.db, tenantId, (trx) => getDelivery(trx, tenantId, onlookerOf(viewer), id)));
}

async function freezeToLook(ctx: WebContext, tenantId: string, deliveryId: string): Promise<void> {
  try {
    await freezePdf(ctx, tenantId, deliveryId);
  } catch (cause) {
    throw pdfTrouble(cause, { href: `/deliveries/${deliveryId}`, label: 'Back to the email' });
  }
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

async function sendPage(
  ctx: WebContext,
  res: Response,
  record: DocumentRecord,
  form: SendForm,
  problems: readonly { field: string; message: string }[],
) {
  const viewer = viewerOf(res);
  const { tenantId, memberId } = viewer;
  const onlooker = onlookerOf(viewer);
  const { resolution, earlier, hidden } = await inTenant(ctx.db, tenantId, async (trx) => ({
    ...(await senderFor(trx, tenantId, memberId, record.kind)),
    earlier: (await listDeliveries(trx, tenantId, onlooker, { documentId: record.id })).rows.filter(isRecent),
    hidden: (await listHidden(trx, tenantId, onlooker, record.id)).filter(isRecent),
  }));
  const title = `Send ${record.number}`;
  await page(res, 'deliveries/new', {
    title,
    section: record.kind,
    ...words,
    record,
    form,
    problems,
    resolution,
    earlier,
    hidden,
    fileName: pdfName(record),
  });
}

/** Queued or sent within a day: worth a second look before sending once more. */
function isRecent({ createdAt, state }: { createdAt: Date; state: string }): boolean {
  return Date.now() - createdAt.getTime() < 86_400_000 && state !== 'failed' && state !== 'cancelled';
}

async function answer(
  ctx: WebContext,
  req: Request,
  res: Response,
  record: DocumentRecord,
  form: SendForm,
  result: SendResult,
) {
  switch (result.kind) {
    case 'created':
      if (result.repeated)
        await notify(req, 'wait', 'This email was on its way already; it was not sent a second time.');
      return res.redirect(303, `/deliveries/${result.deliveryId}`);
    case 'refused':
      // The page itself shows why nobody can be the sender, and the fix.
      return sendPage(ctx, res.status(409), record, form, []);
    case 'document_changed':
      return showChanged(ctx, res, record, form);
    case 'key_used': {
      const message =
        'This form was sent before with other content. Check below what was sent; press Send again only if this is a second email.';
      return sendPage(ctx, res.status(409), record, { ...form, key: randomUUID() }, [{ field: 'subject', message }]);
    }
    default:
      return result satisfies never;
  }
}

async function showChanged(ctx: WebContext, res: Response, record: DocumentRecord, form: SendForm) {
  const message =
    'The record was changed since you opened this page. The preview shows it as it is now; check it and press Send again.';
  await sendPage(ctx, res.status(409), record, { ...form, version: record.version }, [{ field: 'document', message }]);
}
