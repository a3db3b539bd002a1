import { Router } from 'express';
import { countByWhy, countOnTheWay, hasSent } from '../deliveries/attention.ts';
import { listDeliveries } from '../deliveries/deliveries.ts';
import { wordsOf } from '../documents/format.ts';
import { countDocuments, latestDocuments } from '../documents/listing.ts';
import type { DocumentSummary } from '../documents/summary.ts';
import { readDefaults } from '../mailboxes/default-sender.ts';
import { listSwaps } from '../mailboxes/from-swaps.ts';
import type { TroubledMailbox } from '../mailboxes/mailbox-events.ts';
import { hasSharedMailbox, listMailboxes } from '../mailboxes/mailboxes.ts';
import { stillNamed } from '../mailboxes/named-rules.ts';
import { listRules } from '../mailboxes/sender-rules.ts';
import { inTenant } from '../tenants/scope.ts';
import { sawCompanyChanges, unseenCompanyChanges } from '../tenants/unseen-changes.ts';
import { changeWords } from './change-words.ts';
import type { WebContext } from './context.ts';
import { PageError } from './errors.ts';
import { heldUpNotices } from './held-up.ts';
import { homeCounts, stillNamedWords } from './home-words.ts';
import { textField } from './query.ts';
import { dayFrom, statusPill } from './record-words.ts';
import { page } from './render.ts';
import { tellingOf } from './telling.ts';
import { onlookerOf, requireRole, viewerOf } from './viewer.ts';
import { atMoment } from './words.ts';

/** The start page: what to do next, and what happened last. Behind the sign-in. */
export function homePages(ctx: WebContext): Router {
  const router = Router();

  router.get('/', async (_req, res) => {
    const viewer = viewerOf(res);
    const { tenantId } = viewer;
    const seen = await inTenant(ctx.db, tenantId, async (trx) => {
      const mailboxes = await listMailboxes(trx, tenantId, viewer.memberId);
      const ids = mailboxes.map(({ id }) => id);
      const onlooker = onlookerOf(viewer);
      const deliveries = await listDeliveries(trx, tenantId, onlooker);
      const { ownDefaultId } = await readDefaults(trx, tenantId, viewer.memberId);
      return {
        mailboxes,
        swaps: await listSwaps(trx, tenantId, ids),
        hasShared: await hasSharedMailbox(trx, tenantId),
        counts: await countDocuments(trx, tenantId),
        records: await latestDocuments(trx, tenantId, 6),
        ...{ deliveries, telling: await tellingOf(trx, ctx, viewer, deliveries.rows.slice(0, 6)) },
        heldUp: await heldUpNotices(trx, ctx, viewer),
        needs: homeCounts(
          await countByWhy(trx, tenantId, onlooker),
          await countOnTheWay(trx, tenantId, onlooker),
          viewer.locale,
        ),
        named: stillNamed(mailboxes, await listRules(trx, tenantId), ownDefaultId),
        hasSent: await hasSent(trx, tenantId),
        unseen: await unseenCompanyChanges(trx, tenantId, viewer.memberId),
      };
    });
    const at = (date: Date) => atMoment(date, viewer.tenant.timeZone, ctx.clock(), viewer.locale);
    const today = dayFrom(ctx.clock(), viewer.tenant.timeZone);
    const troubled: readonly TroubledMailbox[] = res.locals['troubled'] ?? [];
    const told = new Set(troubled.map(({ id }) => id));
    const records = Object.values(seen.counts).reduce((sum, count) => sum + count, 0);
    await page(res, 'home/page', {
      title: 'Home',
      section: 'home',
      steps: {
        connected: seen.hasShared || seen.mailboxes.some((mailbox) => mailbox.state !== 'disconnected'),
        written: records > 0,
        sent: seen.deliveries.rows.some((delivery) => delivery.purpose === 'document'),
      },
      // Whoever can mend it is told by the banner.
      ended: seen.mailboxes
        .filter(({ id, state }) => state === 'needs_reconnect' && !told.has(id))
        .map((mailbox) => ({ ...mailbox, stateReason: mailbox.stateReason ?? 'revoked' })),
      ...{ swaps: seen.swaps, heldUp: seen.heldUp, needs: seen.needs, telling: seen.telling, hasSent: seen.hasSent },
      named: seen.named.map((each) => ({ mailboxId: each.mailboxId, words: stillNamedWords(each, at) })),
      unseen: seen.unseen.map((line) => ({ ...line, words: changeWords(line, viewer.locale), at: at(line.at) })),
      records: seen.records,
      deliveries: seen.deliveries.rows.slice(0, 6),
      wordsOf,
      statusPill: (row: DocumentSummary) => statusPill(row, today),
      locale: viewer.locale,
      firstName: viewer.name.split(' ')[0] ?? '',
      mayWrite: viewer.role !== 'viewer',
      mayConnect: viewer.role === 'owner' || viewer.role === 'admin',
    });
  });

  // Up to the last one that the page showed: what was changed meanwhile is shown next.
  router.post('/company-changes/seen', async (req, res) => {
    const { tenantId, memberId } = requireRole(res, 'owner');
    const upTo = textField(req, 'upTo');
    if (!/^\d{1,18}$/.test(upTo)) throw PageError.notFound();
    await inTenant(ctx.db, tenantId, (trx) => sawCompanyChanges(trx, tenantId, memberId, upTo));
    res.redirect(303, '/');
  });

  return router;
}
