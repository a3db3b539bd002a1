import { randomUUID } from 'node:crypto';
import { type Request, type Response, Router } from 'express';
import { goOnFrom, tryFrom } from '../deliveries/from-changed.ts';
import { listSwaps } from '../mailboxes/from-swaps.ts';
import { inTenant } from '../tenants/scope.ts';
import { findConnected } from './connected-mailbox.ts';
import type { WebContext } from './context.ts';
import { found } from './errors.ts';
import { onlyIds } from './query.ts';
import { tellReleased } from './released-words.ts';
import { tryToReadAliases } from './send-as.ts';
import { notify } from './session.ts';
import { param, requireRole, viewerOf } from './viewer.ts';

/** What becomes of an address that Gmail did not keep on the From line: a test email shows it, or somebody says go on. */
export function fromSwapPages(ctx: WebContext): Router {
  const router = Router();
  onlyIds(router);

  router.post('/mailboxes/:id/from-test', async (req, res) => {
    const { viewer, mailbox, swap } = await heldAddress(ctx, req, res);
    const { tenantId } = viewer;
    if (mailbox.capabilities.includes('aliases')) await tryToReadAliases(ctx, tenantId, mailbox.id);
    const result = await inTenant(ctx.db, tenantId, (trx) =>
      tryFrom(trx, ctx.clock, viewer, mailbox, swap.email, randomUUID()),
    );
    if (result.kind === 'refused') {
      const { because, fix } = result.resolution;
      await notify(req, 'fail', `${because} ${fix}`);
    } else {
      const seen = mailbox.capabilities.includes('tracking')
        ? `Where Gmail keeps ${swap.email}, what waits goes out by itself.`
        : 'Letterhead may not look whom it comes from: open it in Gmail and see.';
      await notify(req, 'ok', `A test email is on its way to ${mailbox.email}. ${seen}`);
    }
    res.redirect(303, `/mailboxes/${mailbox.id}`);
  });

  router.post('/mailboxes/:id/from-go-on', async (req, res) => {
    const { viewer, mailbox, swap } = await heldAddress(ctx, req, res);
    const { tenantId, memberId } = viewer;
    const moved = await inTenant(ctx.db, tenantId, (trx) =>
      goOnFrom(trx, ctx.clock, tenantId, { ...swap, mailboxEmail: mailbox.email }, memberId),
    );
    const { tone, text } = await tellReleased(ctx, viewer, moved ?? []);
    await notify(req, tone, `${swap.email} is used again. ${text}`.trim());
    res.redirect(303, `/mailboxes/${mailbox.id}`);
  });

  return router;
}

/** The address that the form names, for whoever may decide about its mailbox. */
async function heldAddress(ctx: WebContext, req: Request, res: Response) {
  const viewer = viewerOf(res);
  const mailbox = found(await findConnected(ctx, viewer, param(req, 'id')));
  if (mailbox.kind === 'shared') requireRole(res, 'owner', 'admin');
  else requireRole(res, 'owner', 'admin', 'member');
  const swaps = await inTenant(ctx.db, viewer.tenantId, (trx) => listSwaps(trx, viewer.tenantId, [mailbox.id]));
  const email: unknown = req.body?.email;
  return { viewer, mailbox, swap: found(swaps.find((swap) => swap.email === email)) };
}
