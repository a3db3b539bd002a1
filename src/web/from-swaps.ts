import { randomUUID } from 'node:crypto';
import { type Request, type Response, Router } from 'express';
import { goOnFrom, tryFrom, type WentOn } from '../deliveries/from-changed.ts';
import { listSwaps, settledSwap } from '../mailboxes/from-swaps.ts';
import { inTenant } from '../tenants/scope.ts';
import { findConnected } from './connected-mailbox.ts';
import type { WebContext } from './context.ts';
import { found } from './errors.ts';
import { onlyIds, textField } from './query.ts';
import { type ReleasedWords, tellReleased } from './released-words.ts';
import { number } from './run-words.ts';
import { tryToReadAliases } from './send-as.ts';
import { notify } from './session.ts';
import { param, requireRole, type Viewer, viewerOf } from './viewer.ts';
import { when } from './words.ts';

/** What becomes of an address that Gmail did not keep on the From line: a test email shows it, or somebody says go on. */
export function fromSwapPages(ctx: WebContext): Router {
  const router = Router();
  onlyIds(router);

  router.post('/mailboxes/:id/from-test', async (req, res) => {
    const { viewer, mailbox, swap, settled } = await heldAddress(ctx, req, res);
    const { tenantId } = viewer;
    if (!swap) return afterAll(req, res, mailbox.id, settled);
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
    const { viewer, mailbox, swap, settled } = await heldAddress(ctx, req, res);
    const { tenantId, memberId } = viewer;
    if (!swap) return afterAll(req, res, mailbox.id, settled);
    // What they saw in Gmail may be newer than our list of its addresses.
    if (mailbox.capabilities.includes('aliases')) await tryToReadAliases(ctx, tenantId, mailbox.id);
    const by = { memberId, mayLook: mailbox.capabilities.includes('tracking') };
    const [tone, words] = await inTenant(ctx.db, tenantId, async (trx) => {
      const went = await goOnFrom(trx, ctx.clock, tenantId, { ...swap, mailboxEmail: mailbox.email }, by);
      return wentWords(went, swap.email, viewer, (ids) => tellReleased(trx, ctx, viewer, ids));
    });
    await notify(req, tone, words);
    res.redirect(303, `/mailboxes/${mailbox.id}`);
  });

  return router;
}

/** What came of “go on”. */
async function wentWords(
  went: WentOn,
  email: string,
  { locale }: Viewer,
  tell: (ids: readonly string[]) => Promise<ReleasedWords>,
): Promise<readonly ['ok' | 'wait' | 'fail', string]> {
  switch (went.kind) {
    case 'not_held':
      return ['wait', `${email} was not held any more.`];
    case 'refused':
      return ['fail', `${email} is not used again. ${went.words}`];
    case 'used': {
      const { tone, text } = await tell(went.released);
      return [tone, `${email} is used again. ${text}`.trim()];
    }
    case 'tried': {
      const { tone, text } = await tell([went.first]);
      const { others } = went;
      const follow =
        others === 0
          ? `When Gmail has kept ${email}, it is used again.`
          : `${others === 1 ? 'The other follows' : `The other ${number(others, locale)} follow`} when Gmail has kept ${email}.`;
      return [tone, `${text} ${follow}`];
    }
    default:
      return went satisfies never;
  }
}

/** Another was first: says who, and when. */
async function afterAll(req: Request, res: Response, mailboxId: string, settled: string): Promise<void> {
  await notify(req, 'wait', settled);
  res.redirect(303, `/mailboxes/${mailboxId}`);
}

/** The address that the form names, for whoever may decide about its mailbox; or what became of it meanwhile. */
async function heldAddress(ctx: WebContext, req: Request, res: Response) {
  const viewer = viewerOf(res);
  const mailbox = found(await findConnected(ctx, viewer, param(req, 'id')));
  if (mailbox.kind === 'shared') requireRole(res, 'owner', 'admin');
  else requireRole(res, 'owner', 'admin', 'member');
  const { tenantId, tenant, locale } = viewer;
  const email = textField(req, 'email');
  const { swap, settled } = await inTenant(ctx.db, tenantId, async (trx) => ({
    swap: (await listSwaps(trx, tenantId, [mailbox.id])).find((each) => each.email === email),
    settled: await settledSwap(trx, tenantId, { mailboxId: mailbox.id, email }),
  }));
  if (swap) return { viewer, mailbox, swap, settled: '' };
  const { at, by } = found(settled);
  const who = by ? `${by} looked, and let it be used again` : 'An email showed that Gmail keeps it';
  const words = `${email} is not held any more. ${who}: ${when(at, tenant.timeZone, ctx.clock(), locale)}.`;
  return { viewer, mailbox, swap: undefined, settled: words };
}
