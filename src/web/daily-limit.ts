import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { budgetOf } from '../deliveries/budget.ts';
import { listQueued } from '../deliveries/release.ts';
import { separatorsOf } from '../documents/locale.ts';
import { dailyLimitOf, highestDailyLimit, setDailyLimit } from '../mailboxes/daily-limit.ts';
import { findMailbox, type MailboxRecord } from '../mailboxes/mailboxes.ts';
import { providerOf } from '../platform/account.ts';
import { inTenant } from '../tenants/scope.ts';
import { countSent, noteFull } from '../tenants/system-queue.ts';
import { limitsOf } from '../transport/transports.ts';
import type { WebContext } from './context.ts';
import { found } from './errors.ts';
import { onlyIds } from './query.ts';
import { tellReleased } from './released-words.ts';
import { page } from './render.ts';
import { budgetNote, number, usedWords } from './run-words.ts';
import { notify } from './session.ts';
import { param, requireRole, viewerOf } from './viewer.ts';

/** How many emails a mailbox may send in 24 hours. */
export function dailyLimitPages(ctx: WebContext): Router {
  const router = Router();
  onlyIds(router);

  router.get('/mailboxes/:id/daily-limit', async (req, res) => {
    const { mailbox, viewer } = await findOwn(ctx, req, res);
    const { tenantId } = viewer;
    const limit = await inTenant(ctx.db, tenantId, (trx) => dailyLimitOf(trx, tenantId, mailbox.id));
    await limitPage(ctx, res, tenantId, mailbox, limit === null ? '' : String(limit));
  });

  router.post('/mailboxes/:id/daily-limit', async (req, res) => {
    const { mailbox, viewer } = await findOwn(ctx, req, res);
    const { tenantId, locale } = viewer;
    const typed = z.string().trim().catch('').parse(req.body?.limit);
    const limit =
      typed === '' ? null : Number(typed.replaceAll(separatorsOf(locale).group, '').replaceAll(/[\s,]/g, ''));
    if (limit !== null && !(Number.isInteger(limit) && limit >= 1 && limit <= highestDailyLimit)) {
      res.status(422);
      const problem = `Write a whole number from 1 to ${number(highestDailyLimit, locale)}, or leave it empty.`;
      return limitPage(ctx, res, tenantId, mailbox, typed, problem);
    }
    const most = limit ?? limitsOf(providerOf(mailbox.account)).dailyLimit(mailbox.email);
    // What the pacer wrote down is of before, and it looks again only where something may leave now. Others may send with
    // the same Google account, and what of theirs counts it counts with its next round.
    const over = (await sentToday(ctx, mailbox.account)) - most;
    const hasRoom = over < 0;
    await noteFull(ctx.system, { account: mailbox.account, over: hasRoom ? null : over }, ctx.clock());
    const { text } = await inTenant(ctx.db, tenantId, async (trx) => {
      await setDailyLimit(trx, tenantId, mailbox.id, limit);
      return tellReleased(trx, { ...ctx, hasRoom }, viewer, await listQueued(trx, tenantId, mailbox.id));
    });
    const saved = `Saved: ${mailbox.email} sends ${number(most, locale)} emails in 24 hours at most. What is over waits.`;
    await notify(req, 'ok', `${saved} ${text}`.trim());
    res.redirect(303, `/mailboxes/${mailbox.id}`);
  });

  return router;
}

async function sentToday({ system, clock }: WebContext, account: string): Promise<number> {
  const counts = await countSent(system, [account], new Date(clock().getTime() - 86_400_000));
  return counts.get(account) ?? 0;
}

/** Of one's own Gmail by oneself, of the company's by an admin. */
async function findOwn(ctx: WebContext, req: Request, res: Response) {
  const viewer = requireRole(res, 'owner', 'admin', 'member');
  const { tenantId, memberId } = viewer;
  const id = param(req, 'id');
  const mailbox = found(await inTenant(ctx.db, tenantId, (trx) => findMailbox(trx, tenantId, memberId, id)));
  if (mailbox.kind === 'shared') requireRole(res, 'owner', 'admin');
  return { mailbox, viewer };
}

async function limitPage(
  { db, pace, clock }: WebContext,
  res: Response,
  tenantId: string,
  mailbox: MailboxRecord,
  value: string,
  problem?: string,
) {
  const budget = found(
    await inTenant(db, tenantId, (trx) => budgetOf(trx, { pace, now: clock() }, tenantId, mailbox.id, 0, null)),
  );
  await page(res, 'mailboxes/daily-limit', {
    title: `Emails a day of ${mailbox.email}`,
    section: 'settings',
    ...{ mailbox, value, budgetNote, used: usedWords(budget.used, budget.limit, viewerOf(res).locale) },
    usual: limitsOf(providerOf(mailbox.account)).dailyLimit(mailbox.email),
    problemOf: () => problem,
  });
}
