import { randomUUID } from 'node:crypto';
import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { attachableFiles } from '../deliveries/attached-files.ts';
import { createDelivery, type SendRequest, type SendResult } from '../deliveries/create.ts';
import { getDelivery } from '../deliveries/delivery.ts';
import { leavesFrom } from '../deliveries/departure.ts';
import { listEarlier } from '../deliveries/earlier.ts';
import { assertWithinCap } from '../deliveries/recipient-cap.ts';
import { readRecipients } from '../deliveries/recipients.ts';
import { unsendable } from '../deliveries/sendable.ts';
import { keyDate, kindWords, nameOf, pdfName } from '../documents/format.ts';
import { getParty } from '../documents/parties.ts';
import { paidWord } from '../documents/payment.ts';
import { headOf } from '../documents/pdf/head.ts';
import { type DocumentRecord, getDocument } from '../documents/store.ts';
import { senderFor } from '../mailboxes/sender-rules.ts';
import { inTenant } from '../tenants/scope.ts';
import { sendingRulesOf } from '../tenants/sending-rules.ts';
import { getTenant, type Tenant } from '../tenants/tenants.ts';
import { mostAttachedBytes } from '../transport/attachments.ts';
import { notAttachableWords } from './attached-words.ts';
import { capNotice } from './cap-words.ts';
import type { WebContext } from './context.ts';
import { waitOfNext } from './delivery-wait.ts';
import { found, PageError } from './errors.ts';
import { leavesOf } from './leaves.ts';
import { lettersNotice } from './letters-words.ts';
import { countSingleEmail } from './limits.ts';
import { onlyIds, textParam } from './query.ts';
import { missingLetters, pdfSize, recordPdf } from './record-pdf.ts';
import { pillOf } from './record-words.ts';
import { fragment, page } from './render.ts';
import { byRecentLists, refusalOf } from './send-as.ts';
import { type FormEmail, filledIn, readSendForm, type SendForm, takenUp, testEmail } from './send-form.ts';
import { behindSend, changesBehind } from './send-marks.ts';
import { hoursWords, suggestedTime } from './send-time.ts';
import { notify } from './session.ts';
import { refusedForNow } from './too-many.ts';
import { onlookerOf, param, requireRole, type Viewer, viewerOf } from './viewer.ts';
import { fullMoment } from './words.ts';

/** Sending a record, and a test email to oneself. */
export function sendPages(ctx: WebContext): Router {
  const router = Router();
  onlyIds(router);

  router.get('/documents/:id/deliveries/new', async (req, res) => {
    const viewer = requireRole(res, 'owner', 'admin', 'member');
    const { tenantId } = viewer;
    const record = await findRecord(ctx, viewer, req);
    const from = z.uuid().safeParse(textParam(req, 'from')).data;
    const { tenant, contact, rules, earlier, behind } = await inTenant(ctx.db, tenantId, async (trx) => ({
      behind: await behindSend(trx, viewer, record, ctx.clock()),
      tenant: await getTenant(trx, tenantId),
      contact: await getParty(trx, tenantId, record.partyId),
      rules: await sendingRulesOf(trx, tenantId),
      earlier: from && (await getDelivery(trx, tenantId, onlookerOf(viewer), from)),
    }));
    const fresh = {
      ...filledIn(record, contact, tenant, viewer.name, randomUUID()),
      preview: behind.marks,
      sendAt: suggestedTime(rules, ctx.clock()),
    };
    const form = earlier && earlier.documentId === record.id ? takenUp(fresh, earlier) : fresh;
    await sendPage(ctx, res, record, form, []);
  });

  // The same page as it was filled in, with everything behind it as it is now. Nothing is written.
  router.post('/documents/:id/deliveries/new', async (req, res) => {
    const viewer = requireRole(res, 'owner', 'admin', 'member');
    const record = await findRecord(ctx, viewer, req);
    const { behind, rules } = await inTenant(ctx.db, viewer.tenantId, async (trx) => ({
      behind: await behindSend(trx, viewer, record, ctx.clock()),
      rules: await sendingRulesOf(trx, viewer.tenantId),
    }));
    const { form } = readSendForm(req.body, rules, { now: ctx.clock(), locale: viewer.locale });
    await sendPage(ctx, res, record, { ...form, version: record.version, preview: behind.marks }, []);
  });

  // Whether what the page showed still holds: asked now and then while it is looked at.
  router.get('/documents/:id/deliveries/new/stale', async (req, res) => {
    const viewer = requireRole(res, 'owner', 'admin', 'member');
    const record = await findRecord(ctx, viewer, req);
    const now = ctx.clock();
    const changes = await inTenant(ctx.db, viewer.tenantId, async (trx) => {
      const behind = await behindSend(trx, viewer, record, now);
      return changesBehind(trx, viewer, record, textParam(req, 'seen'), behind, now);
    });
    if (changes.length === 0) return void res.status(204).end();
    const action = `/documents/${record.id}/deliveries/new`;
    await fragment(res, 'layout/stale', { lines: changes.map(({ words }) => words), form: 'send', action });
  });

  router.post('/documents/:id/deliveries', async (req, res) => {
    const viewer = requireRole(res, 'owner', 'admin', 'member');
    const { tenantId } = viewer;
    const record = await findRecord(ctx, viewer, req);
    const now = ctx.clock();
    const { tenant, rules, behind } = await inTenant(ctx.db, tenantId, async (trx) => ({
      tenant: await getTenant(trx, tenantId),
      rules: await sendingRulesOf(trx, tenantId),
      behind: await behindSend(trx, viewer, record, now),
    }));
    const { form, email, problems } = readSendForm(req.body, rules, { now: ctx.clock(), locale: viewer.locale });
    if (!email) {
      res.status(422);
      return sendPage(ctx, res, record, form, problems);
    }
    // What is sent is what was shown; a program that posts without the page has seen none.
    const shown = form.preview === '' ? behind.marks : form.preview;
    const changes = await inTenant(ctx.db, tenantId, (trx) => changesBehind(trx, viewer, record, shown, behind, now));
    const unseen = changes.filter(({ part }) => part !== 'sent');
    if (unseen.length > 0 || form.version !== record.version) {
      const asNow = { ...form, version: record.version, preview: behind.marks };
      return showChanged(
        ctx,
        res,
        record,
        asNow,
        unseen.map(({ words }) => words),
      );
    }
    // No email with empty boxes in the place of a name.
    if ((await missingLetters(ctx, tenant, record)).length > 0) return sendPage(ctx, res.status(422), record, form, []);
    let result: SendResult;
    try {
      result = await sendRecord(ctx, viewer, tenant, record, email);
    } catch (error) {
      const { message } = refusedForNow(res, error, viewer.locale);
      return sendPage(ctx, res, record, form, [{ field: 'to', message }]);
    }
    await answer(ctx, req, res, record, form, result);
  });

  router.post('/settings/email/test-deliveries', async (req, res) => {
    const viewer = requireRole(res, 'owner', 'admin', 'member');
    const { tenantId, memberId } = viewer;
    // Made with the page, so that a double click is one email.
    const key = z.uuid().safeParse(req.body?.key).data ?? randomUUID();
    const result = await create(ctx, viewer, { tenantId, memberId, ...testEmail(viewer, key), document: null });
    if (result.kind === 'refused') {
      await notify(req, 'fail', `Not sent. ${result.resolution.because} ${result.resolution.fix}`);
      return res.redirect(303, '/settings/email');
    }
    if (result.kind !== 'created') throw PageError.notFound();
    res.redirect(303, `/deliveries/${result.deliveryId}`);
  });

  return router;
}

async function sendRecord(
  ctx: WebContext,
  viewer: Viewer,
  tenant: Tenant,
  record: DocumentRecord,
  { files, ...email }: FormEmail,
): Promise<SendResult> {
  const { tenantId, memberId } = viewer;
  const { to, cc, bcc } = email.recipients;
  const addresses = [...to, ...cc, ...bcc].map((recipient) => recipient.email);
  await countSingleEmail(ctx.limits, tenantId, addresses);
  const document = {
    ...{ files, record, fileName: pdfName(record, tenant.name), head: headOf(tenant) },
    pdf: await recordPdf(ctx, tenant, record),
  };
  return create(ctx, viewer, { tenantId, memberId, ...email, document });
}

function create(ctx: WebContext, viewer: Viewer, request: SendRequest): Promise<SendResult> {
  const act = () =>
    inTenant(ctx.db, viewer.tenantId, async (trx) => {
      const result = await createDelivery(trx, ctx.clock, request);
      if (result.kind === 'created' && !result.repeated)
        await assertWithinCap(trx, viewer.tenantId, ctx.recipientsPerDay, ctx.clock());
      return result;
    });
  return byRecentLists(ctx, viewer, act, refusalOf);
}

/** How many would get it, as it is typed; one where that cannot be read yet. */
function recipientCount({ to, cc, bcc }: SendForm): number {
  const { recipients } = readRecipients({ to, cc, bcc });
  return Math.max(1, recipients.to.length + recipients.cc.length + recipients.bcc.length);
}

async function findRecord(ctx: WebContext, { tenantId }: Viewer, req: Request): Promise<DocumentRecord> {
  const id = param(req, 'id');
  return found(await inTenant(ctx.db, tenantId, (trx) => getDocument(trx, tenantId, id)));
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
  const now = ctx.clock();
  const read = () =>
    inTenant(ctx.db, tenantId, async (trx) => {
      const { resolution } = await senderFor(trx, tenantId, memberId, record.kind);
      const rules = await sendingRulesOf(trx, tenantId);
      const at = (date: Date) => fullMoment(date, rules.timeZone, viewer.locale);
      const earlier = await listEarlier(trx, tenantId, onlookerOf(viewer), record.id, now);
      return {
        ...{ resolution, rules, tenant: await getTenant(trx, tenantId) },
        ...{ earlier, leaves: await leavesOf(trx, ctx, viewer, earlier.seen) },
        cap: await capNotice(trx, ctx, viewer, recipientCount(form)),
        wait: resolution.ok
          ? await waitOfNext(trx, ctx, tenantId, resolution.sender.mailboxId, { at, locale: viewer.locale })
          : null,
      };
    });
  const { resolution, earlier, leaves, rules, tenant, wait, cap } = await byRecentLists(
    ctx,
    viewer,
    read,
    ({ resolution }) => resolution,
  );
  const letters = await missingLetters(ctx, tenant, record);
  const { hours, timeZone } = rules;
  const opening = leavesFrom(rules, false, now);
  const fileName = pdfName(record, tenant.name);
  const files = attachableFiles(record.content, fileName);
  await page(res, 'deliveries/new', {
    title: `Send ${nameOf(record)}`,
    section: record.kind,
    scripts: ['letterhead/stale.js', ...(files.length > 0 ? ['letterhead/attached.js'] : [])],
    ...{ fileName, files, mostAttachedBytes },
    // Made once more only where somebody weighs what goes along with it.
    pdfBytes: files.length > 0 && letters.length === 0 ? await pdfSize(ctx, tenant, record) : null,
    ...{ cap, record, form, problems, resolution, wait, timeZone, pillOf, kindWords, nameOf },
    keyDate: keyDate(record.content, record.payable),
    // Whether it may be sent at all: what paid needs is a tick.
    unsendable: unsendable(record.status, false),
    paidWord: paidWord(record, record.payable),
    unprintable: lettersNotice(letters, headOf(tenant), record.id),
    ...{ leaves, earlier: earlier.seen, hidden: earlier.hidden, earlierIds: earlier.ids },
    hours: hours && hoursWords(hours),
    waitsUntil: opening > now ? fullMoment(opening, timeZone, viewer.locale) : null,
  });
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
    case 'not_sendable':
      // So does it why the record cannot be sent, or what to tick.
      return sendPage(ctx, res.status(409), record, form, result.because === 'paid' ? [paidProblem(record)] : []);
    case 'not_attachable': {
      const message = notAttachableWords(result.because, viewerOf(res).locale);
      return sendPage(ctx, res.status(422), record, form, [{ field: 'files', message }]);
    }
    case 'document_changed':
      return showChanged(ctx, res, record, form, []);
    case 'sent_before': {
      const message =
        'It was sent already, or is on its way. Look at the list; tick the box under it only if it is to go out once more.';
      return sendPage(ctx, res.status(409), record, form, [{ field: 'again', message }]);
    }
    case 'key_used': {
      const message =
        'This form was sent before with other content. Check below what was sent; press Send again only if this is a second email.';
      return sendPage(ctx, res.status(409), record, { ...form, key: randomUUID() }, [{ field: 'subject', message }]);
    }
    default:
      return result satisfies never;
  }
}

function paidProblem(record: DocumentRecord) {
  return {
    field: 'thoughPaid',
    message: `It is ${paidWord(record, record.payable)}. Tick the box under that only if it is to go out all the same.`,
  };
}

async function showChanged(
  ctx: WebContext,
  res: Response,
  record: DocumentRecord,
  form: SendForm,
  why: readonly string[],
) {
  const message = [
    ...(why.length > 0 ? why : ['The record was changed since you opened this page.']),
    'This page shows it as it is now: check it, and press Send again.',
  ].join(' ');
  await sendPage(ctx, res.status(409), record, form, [{ field: 'document', message }]);
}
