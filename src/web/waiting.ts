import { Router } from 'express';
import { z } from 'zod';
import { listDeliveries } from '../deliveries/deliveries.ts';
import { lastMove } from '../deliveries/last-move.ts';
import { countWaiting, decideWaiting } from '../deliveries/release.ts';
import type { MailboxRecord } from '../mailboxes/mailboxes.ts';
import { inTenant } from '../tenants/scope.ts';
import { releaseHoursOf, setReleaseHours } from '../tenants/tenants.ts';
import { findShown } from './connected-mailbox.ts';
import { hours } from './connected-words.ts';
import type { WebContext } from './context.ts';
import { decidedWords } from './decided-words.ts';
import { found, PageError } from './errors.ts';
import { troubleOf } from './health-words.ts';
import { onlyIds, textParam } from './query.ts';
import { page } from './render.ts';
import { notify } from './session.ts';
import { tellingOf } from './telling.ts';
import { onlookerOf, param, requireRole, type Viewer, viewerOf } from './viewer.ts';
import { whoChangedIt } from './who-changed.ts';

/** What waits for a mailbox: too old to go out by itself, or because it is not connected; and how old is too old. */
export function waitingPages(ctx: WebContext): Router {
  const router = Router();
  onlyIds(router);

  router.get('/mailboxes/:id/waiting', async (req, res) => {
    const viewer = viewerOf(res);
    const { tenantId, role } = viewer;
    const id = param(req, 'id');
    const after = textParam(req, 'after');
    const mailbox = found(await findShown(ctx, viewer, id));
    const shown = await inTenant(ctx.db, tenantId, async (trx) => {
      const list = await listDeliveries(trx, tenantId, onlookerOf(viewer), { waitingFor: id, after });
      return {
        list,
        telling: await tellingOf(trx, ctx, viewer, list.rows),
        waiting: (await countWaiting(trx, tenantId, id)).forMailbox,
        limit: hours(await releaseHoursOf(trx, tenantId)),
      };
    });
    await page(res, 'mailboxes/waiting', {
      title: `Waiting for ${mailbox.email}`,
      section: 'settings',
      ...{
        ...shown,
        mailbox,
        rows: shown.list.rows,
        heldUntil: ctx.clock().toISOString(),
        mayDecide: role !== 'viewer',
      },
      first: after && `/mailboxes/${id}/waiting`,
      more: shown.list.next && `/mailboxes/${id}/waiting?after=${shown.list.next}`,
    });
  });

  router.post('/mailboxes/:id/waiting', async (req, res) => {
    const viewer = requireRole(res, 'owner', 'admin', 'member');
    const { tenantId, memberId } = viewer;
    const id = param(req, 'id');
    const mailbox = found(await findShown(ctx, viewer, id));
    const form = decisionSchema.safeParse(req.body);
    if (!form.success) throw PageError.notFound();
    const { decision: kind, deliveryId, heldUntil } = form.data;
    if (kind === 'send_now' && mailbox.state !== 'active') {
      await notify(req, 'fail', cannotSend(mailbox));
      return res.redirect(303, `/mailboxes/${id}/waiting`);
    }
    const decision = { kind, deliveryId: deliveryId ?? null, heldUntil, memberId };
    const { decided, left } = await inTenant(ctx.db, tenantId, async (trx) => ({
      decided: await decideWaiting(trx, ctx, tenantId, id, decision),
      left: (await countWaiting(trx, tenantId, id)).forMailbox,
    }));
    const words = { viewer, now: ctx.clock() };
    if (decided.asked === 0) await notify(req, 'wait', await movedOn(ctx, viewer, deliveryId));
    else await notify(req, ...decidedWords(kind === 'send_now' ? 'send_now' : 'cancel', decided, words));
    res.redirect(303, left > 0 ? `/mailboxes/${id}/waiting` : `/mailboxes/${id}`);
  });

  router.post('/settings/email/release-hours', async (req, res) => {
    const { tenantId } = requireRole(res, 'owner', 'admin');
    const form = hoursSchema.safeParse(req.body);
    if (!form.success) {
      throw new PageError(422, 'release_hours', {
        title: 'Not saved',
        message: 'Write a whole number of hours from 0 to 720 (30 days).',
        next: { href: '/settings/email#release', label: 'Back to the email settings' },
      });
    }
    await inTenant(ctx.db, tenantId, (trx) => setReleaseHours(trx, tenantId, form.data.hours));
    await notify(req, 'ok', 'Saved.');
    res.redirect(303, '/settings/email');
  });

  return router;
}

/** Somebody else was first, or Letterhead was. */
async function movedOn(ctx: WebContext, viewer: Viewer, deliveryId: string | undefined): Promise<string> {
  const said = 'It has moved on meanwhile, so there was nothing to decide any more.';
  if (!deliveryId) return said;
  const move = await inTenant(ctx.db, viewer.tenantId, (trx) => lastMove(trx, viewer.tenantId, deliveryId));
  return move ? `${said} ${whoChangedIt(move, viewer, ctx.clock())}` : said;
}

function cannotSend(mailbox: MailboxRecord): string {
  const { email, state } = mailbox;
  const trouble = troubleOf(mailbox);
  if (state === 'paused') return `Nothing was sent. ${email} is paused: resume it first.`;
  if (trouble && state === 'needs_reconnect')
    return `Nothing was sent. ${trouble.title}. ${trouble.what} ${trouble.fix}`;
  return `Nothing was sent. ${email} must be connected to Gmail first.`;
}

const decisionSchema = z.object({
  decision: z.enum(['send_now', 'discard']),
  deliveryId: z.uuid().optional(),
  heldUntil: z.iso.datetime().transform((text) => new Date(text)),
});

const hoursSchema = z.object({ hours: z.string().trim().regex(/^\d+$/).transform(Number).pipe(z.number().max(720)) });
