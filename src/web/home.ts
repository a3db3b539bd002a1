import { Router } from 'express';
import { listDeliveries } from '../deliveries/deliveries.ts';
import { wordsOf } from '../documents/format.ts';
import { countDocuments, latestDocuments } from '../documents/listing.ts';
import type { DocumentSummary } from '../documents/summary.ts';
import { listSwaps } from '../mailboxes/from-swaps.ts';
import type { TroubledMailbox } from '../mailboxes/mailbox-events.ts';
import { hasSharedMailbox, listMailboxes } from '../mailboxes/mailboxes.ts';
import { inTenant } from '../tenants/scope.ts';
import { localeOf } from '../tenants/tenants.ts';
import type { WebContext } from './context.ts';
import { dayFrom, pillOf, statusPill } from './record-words.ts';
import { page } from './render.ts';
import { onlookerOf, viewerOf } from './viewer.ts';

/** The start page: what to do next, and what happened last. Behind the sign-in. */
export function homePages(ctx: WebContext): Router {
  const router = Router();

  router.get('/', async (_req, res) => {
    const viewer = viewerOf(res);
    const { tenantId } = viewer;
    const seen = await inTenant(ctx.db, tenantId, async (trx) => {
      const mailboxes = await listMailboxes(trx, tenantId, viewer.memberId);
      const ids = mailboxes.map(({ id }) => id);
      return {
        mailboxes,
        swaps: await listSwaps(trx, tenantId, ids),
        hasShared: await hasSharedMailbox(trx, tenantId),
        counts: await countDocuments(trx, tenantId),
        records: await latestDocuments(trx, tenantId, 6),
        deliveries: await listDeliveries(trx, tenantId, onlookerOf(viewer)),
      };
    });
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
      reconnect: seen.mailboxes
        // Whoever can mend it is told by the banner.
        .filter(({ id, state }) => state === 'needs_reconnect' && !told.has(id))
        .map((mailbox) => mailbox.email),
      swaps: seen.swaps,
      records: seen.records,
      deliveries: seen.deliveries.rows.slice(0, 6),
      wordsOf,
      statusPill: (row: DocumentSummary) => statusPill(row, today),
      pillOf,
      locale: localeOf(viewer.tenant),
      firstName: viewer.name.split(' ')[0] ?? '',
      mayWrite: viewer.role !== 'viewer',
      mayConnect: viewer.role === 'owner' || viewer.role === 'admin',
    });
  });

  return router;
}
