import { type Request, Router } from 'express';
import { sql } from 'kysely';
import { z } from 'zod';
import { checkUp, lastCheckUp } from '../deliveries/check-up.ts';
import { judgeTestEmail, lastTestEmail, sendTestEmail, type TestEmailFacts } from '../deliveries/check-up-email.ts';
import { listDeliveries } from '../deliveries/deliveries.ts';
import { tryWayBack } from '../mailboxes/check-up-questions.ts';
import { checkUpText } from '../mailboxes/check-up-step.ts';
import type { MailboxRecord } from '../mailboxes/mailboxes.ts';
import type { Database } from '../platform/database.ts';
import { version } from '../platform/version.ts';
import { inTenant } from '../tenants/scope.ts';
import { findShown } from './connected-mailbox.ts';
import type { WebContext } from './context.ts';
import { found } from './errors.ts';
import { callbackPaths } from './google-flows.ts';
import { onlyIds } from './query.ts';
import { fragment, page } from './render.ts';
import { notify } from './session.ts';
import { tellingOf } from './telling.ts';
import { param, requireRole, type Viewer, viewerOf } from './viewer.ts';

/**
 * The check-up of a mailbox: run by hand, kept until the next one, shown to whoever may see the mailbox, and to be had
 * as text for a support ticket. A test email has a button of its own, because it sends mail.
 */
export function checkUpPages(ctx: WebContext): Router {
  const router = Router();
  onlyIds(router);
  const address = '/mailboxes/:id/check-up';
  // A double click is one check-up.
  const running = new Map<string, Promise<unknown>>();

  router.get(address, async (req, res) => {
    const viewer = viewerOf(res);
    const mailbox = found(await findShown(ctx, viewer, param(req, 'id')));
    const last = await inTenant(ctx.db, viewer.tenantId, (trx) => lastCheckUp(trx, viewer.tenantId, mailbox.id));
    const { email, step } = await testEmailOf(ctx, viewer, mailbox);
    await page(res, 'settings/check-up', {
      title: `Check-up of ${mailbox.email}`,
      section: 'settings',
      ...{ mailbox, last, email, step, testKey: crypto.randomUUID() },
      ...{ mayRun: viewer.role !== 'viewer', maySend: maySend(viewer, mailbox) },
    });
  });

  router.post(address, async (req, res) => {
    const viewer = requireRole(res, 'owner', 'admin', 'member');
    const mailbox = found(await findShown(ctx, viewer, param(req, 'id')));
    const name = `${viewer.tenantId}/${mailbox.id}`;
    const flight =
      running.get(name) ??
      checkUp(ctx, viewer.tenantId, mailbox.id, {
        wayBack: tryWayBack(ctx.google, ctx.publicUrl, Object.values(callbackPaths), originOf(req)),
        ...{ by: viewer.name, version, locale: viewer.locale },
      }).finally(() => running.delete(name));
    running.set(name, flight);
    found(await flight);
    res.redirect(303, `/mailboxes/${mailbox.id}/check-up`);
  });

  router.get(`${address}/report.txt`, async (req, res) => {
    const viewer = viewerOf(res);
    const mailbox = found(await findShown(ctx, viewer, param(req, 'id')));
    const last = await inTenant(ctx.db, viewer.tenantId, (trx) => lastCheckUp(trx, viewer.tenantId, mailbox.id));
    const { step } = await testEmailOf(ctx, viewer, mailbox);
    const day = (last?.at ?? ctx.clock().toISOString()).slice(0, 10);
    res
      .set({
        'Content-Disposition': `attachment; filename="check-up-${day}.txt"`,
        'Cache-Control': 'private, no-store',
      })
      .type('text/plain')
      .send(last ? checkUpText(last, step) : `${mailbox.email} has not had a check-up yet.\n`);
  });

  router.post(`${address}/test-email`, async (req, res) => {
    const viewer = requireRole(res, 'owner', 'admin', 'member');
    const mailbox = found(await findShown(ctx, viewer, param(req, 'id')));
    // Made with the page, so that a double click is one email.
    const key = z.uuid().safeParse(req.body?.key).data;
    const result = await inTenant(ctx.db, viewer.tenantId, (trx) =>
      sendTestEmail(trx, ctx.clock, viewer, mailbox, key),
    );
    if (result.kind === 'refused')
      await notify(req, 'fail', `Not sent. ${result.resolution.because} ${result.resolution.fix}`);
    res.redirect(303, `/mailboxes/${mailbox.id}/check-up`);
  });

  // The live part of the page; asked every second while the email is under way.
  router.get(`${address}/test-email`, async (req, res) => {
    const viewer = viewerOf(res);
    const mailbox = found(await findShown(ctx, viewer, param(req, 'id')));
    await fragment(res, 'settings/check-up-email', { mailbox, ...(await testEmailOf(ctx, viewer, mailbox)) });
  });

  return router;
}

async function testEmailOf(ctx: WebContext, viewer: Viewer, mailbox: MailboxRecord) {
  const { tenantId } = viewer;
  return inTenant(ctx.db, tenantId, async (trx) => {
    const email = await lastTestEmail(trx, tenantId, mailbox.id);
    if (!email) return { email, step: null };
    return { email, step: judgeTestEmail({ ...email, waits: await waitsOf(trx, ctx, viewer, email.id) }, ctx.clock()) };
  });
}

/** What a test email waits for, as every page says it. */
async function waitsOf(trx: Database, ctx: WebContext, viewer: Viewer, id: string): Promise<TestEmailFacts['waits']> {
  const only = sql<boolean>`deliveries.id = ${id}`;
  const { rows } = await listDeliveries(trx, viewer.tenantId, { memberId: viewer.memberId, seesAll: true }, { only });
  const [delivery] = rows;
  if (!delivery) return null;
  const { waits, headline } = (await tellingOf(trx, ctx, viewer, rows))(delivery);
  if (!headline || (waits?.kind !== 'stays' && waits?.kind !== 'later')) return null;
  return { stays: waits.kind === 'stays', words: [`${headline.title}.`, headline.more].filter(Boolean).join(' ') };
}

function maySend(viewer: Viewer, mailbox: MailboxRecord): boolean {
  return viewer.role !== 'viewer' && mailbox.mayUse && mailbox.state === 'active';
}

/** Where the browser found us, as far as the proxies that we believe tell it. */
function originOf(req: Request): string {
  return `${req.protocol}://${req.get('host')}`;
}
