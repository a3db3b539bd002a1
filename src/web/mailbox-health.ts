import { type Request, type Response, Router } from 'express';
import { releaseMailbox } from '../deliveries/release.ts';
import { pauseMailbox, resumeMailbox } from '../mailboxes/health.ts';
import { listMailboxEvents } from '../mailboxes/mailbox-events.ts';
import type { MailboxRecord } from '../mailboxes/mailboxes.ts';
import { recheckMailbox } from '../mailboxes/recheck.ts';
import type { Database } from '../platform/database.ts';
import { KeyRingError } from '../platform/key-ring.ts';
import { inTenant } from '../tenants/scope.ts';
import { findShown } from './connected-mailbox.ts';
import { tooOldWords } from './connected-words.ts';
import type { WebContext } from './context.ts';
import { found } from './errors.ts';
import { historyWords } from './health-words.ts';
import { ownPath } from './own-path.ts';
import { onlyIds, textParam } from './query.ts';
import { type ReleasedWords, tellReleased } from './released-words.ts';
import { page } from './render.ts';
import { notify } from './session.ts';
import { param, requireRole, type Viewer, viewerOf } from './viewer.ts';
import { when } from './words.ts';

/** Pausing and resuming a mailbox, looking whether it works after all, and the history of all of them. */
export function mailboxHealthPages(ctx: WebContext): Router {
  const router = Router();
  onlyIds(router);

  router.post('/mailboxes/:id/pause', async (req, res) => {
    const { viewer, mailbox } = await toManage(ctx, req, res);
    const paused = await inTenant(ctx.db, viewer.tenantId, (trx) =>
      pauseMailbox(trx, viewer.tenantId, mailbox.id, { memberId: viewer.memberId, at: ctx.clock() }),
    );
    const who = mailbox.kind === 'personal' ? 'you resume' : 'somebody resumes';
    if (paused) await notify(req, 'ok', `${mailbox.email} is paused. What is sent from it waits until ${who} it.`);
    else
      await notify(
        req,
        'wait',
        `${mailbox.email} ${mailbox.state === 'disconnected' ? 'is not connected' : 'was paused already'}. ${await lastEvent(ctx, viewer, mailbox)}`.trim(),
      );
    res.redirect(303, `/mailboxes/${mailbox.id}`);
  });

  router.post('/mailboxes/:id/resumption', async (req, res) => {
    const { viewer, mailbox } = await toManage(ctx, req, res);
    const { tenantId, memberId } = viewer;
    const { state, told } = await inTenant(ctx.db, tenantId, async (trx) => {
      const state = await resumeMailbox(trx, tenantId, mailbox.id, { memberId, at: ctx.clock() });
      return { state, told: await release(trx, ctx, viewer, mailbox) };
    });
    if (state === 'active') await notify(req, told.tone, `${mailbox.email} is resumed. ${told.text}`.trim());
    else if (state === 'needs_reconnect')
      await notify(req, 'fail', `${mailbox.email} is resumed, but its connection ended meanwhile: see below.`);
    else
      await notify(
        req,
        'wait',
        `${mailbox.email} was not paused any more. ${await lastEvent(ctx, viewer, mailbox)}`.trim(),
      );
    const back = ownPath(req.body?.back);
    res.redirect(303, back === '/' ? `/mailboxes/${mailbox.id}` : back);
  });

  router.post('/mailboxes/:id/recheck', async (req, res) => {
    const { viewer, mailbox } = await toManage(ctx, req, res);
    const { tenantId } = viewer;
    const outcome = mailbox.state === 'needs_reconnect' ? await recheck(ctx, tenantId, mailbox.id) : 'works';
    const told =
      outcome === 'works' ? await inTenant(ctx.db, tenantId, (trx) => release(trx, ctx, viewer, mailbox)) : null;
    if (told) await notify(req, told.tone, `${mailbox.email} works again. ${told.text}`.trim());
    else if (outcome === 'not_now')
      await notify(req, 'wait', 'Google could not be asked just now. Try again in a minute.');
    else await notify(req, 'fail', `${mailbox.email} does not work yet. What to do is said below.`);
    res.redirect(303, `/mailboxes/${mailbox.id}`);
  });

  router.get('/activity/mailboxes', async (req, res) => {
    const viewer = viewerOf(res);
    const { tenantId, memberId } = viewer;
    const before = textParam(req, 'before');
    const mailboxId = textParam(req, 'mailbox');
    const mailbox = mailboxId ? found(await findShown(ctx, viewer, mailboxId)) : null;
    const { rows, next } = await inTenant(ctx.db, tenantId, (trx) =>
      listMailboxEvents(trx, tenantId, memberId, { mailboxId: mailbox?.id, before }),
    );
    const address = (more: string) => `/activity/mailboxes?${mailbox ? `mailbox=${mailbox.id}&` : ''}${more}`;
    await page(res, 'mailboxes/history', {
      title: mailbox ? `History of ${mailbox.email}` : 'Gmail accounts',
      section: 'activity',
      ...{ rows, mailbox, historyWords },
      first: before && address(''),
      more: next && address(`before=${next}`),
    });
  });

  return router;
}

/** The mailbox of the address, for whoever may decide about it: an admin the shared ones, everybody who sends their own. */
async function toManage(
  ctx: WebContext,
  req: Request,
  res: Response,
): Promise<{ viewer: Viewer; mailbox: MailboxRecord }> {
  const viewer = viewerOf(res);
  const mailbox = found(await findShown(ctx, viewer, param(req, 'id')));
  if (mailbox.kind === 'shared') requireRole(res, 'owner', 'admin');
  else requireRole(res, 'owner', 'admin', 'member');
  return { viewer, mailbox };
}

async function recheck(ctx: WebContext, tenantId: string, mailboxId: string) {
  try {
    return await recheckMailbox(ctx, tenantId, mailboxId, 'gmail');
  } catch (error) {
    // The operator's keys are not in order: nothing that anybody at the company could mend.
    if (error instanceof KeyRingError) return 'not_now' as const;
    throw error;
  }
}

/** What befell it last, and who did it when: `Resumed by Dana: 20:03.` Empty where nobody did it. */
async function lastEvent({ db, clock }: WebContext, viewer: Viewer, { id }: MailboxRecord): Promise<string> {
  const { tenantId, memberId, tenant, locale } = viewer;
  const { rows } = await inTenant(db, tenantId, (trx) =>
    listMailboxEvents(trx, tenantId, memberId, { mailboxId: id, limit: 1 }),
  );
  const [last] = rows;
  if (!last?.memberName) return '';
  return `${historyWords(last).title} by ${last.memberName}: ${when(last.at, tenant.timeZone, clock(), locale)}.`;
}

/** Lets go what waited for it, and says what becomes of that. */
async function release(trx: Database, ctx: WebContext, viewer: Viewer, { id }: MailboxRecord): Promise<ReleasedWords> {
  const released = await releaseMailbox(trx, ctx.clock, viewer.tenantId, id);
  const { tone, text } = await tellReleased(trx, ctx, viewer, released.released);
  return { tone, text: [text, tooOldWords(released, viewer.locale)].filter(Boolean).join(' ') };
}
