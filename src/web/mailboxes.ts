import { Router } from 'express';
import { countWaiting, holdMailbox } from '../deliveries/release.ts';
import { disconnectMailbox } from '../mailboxes/disconnect.ts';
import { listSwaps } from '../mailboxes/from-swaps.ts';
import { makeDefault } from '../mailboxes/mailbox-settings.ts';
import { membersThrough } from '../mailboxes/members-through.ts';
import { listRules } from '../mailboxes/sender-rules.ts';
import type { Database } from '../platform/database.ts';
import { inTenant } from '../tenants/scope.ts';
import { countMailboxesOf } from '../tenants/system.ts';
import { findConnected, findShown } from './connected-mailbox.ts';
import type { WebContext } from './context.ts';
import { disconnectedWords, stopWords } from './disconnect-words.ts';
import { found } from './errors.ts';
import { mayWords, permissionRows } from './permission-words.ts';
import { onlyIds } from './query.ts';
import { page } from './render.ts';
import { tryToReadAliases } from './send-as.ts';
import { ruleColumns } from './sender-overview.ts';
import { notify } from './session.ts';
import { usageOf, usageWords } from './usage.ts';
import { param, requireRole, viewerOf } from './viewer.ts';

const settings = '/settings/email';

/** One mailbox: what it may do, its addresses, whether it is the default, disconnecting it. */
export function mailboxPages(ctx: WebContext): Router {
  const router = Router();
  onlyIds(router);

  router.get('/mailboxes/:id', async (req, res) => {
    const viewer = viewerOf(res);
    const { tenantId } = viewer;
    const mailbox = found(await findShown(ctx, viewer, param(req, 'id')));
    const { waiting, swaps, usage } = await inTenant(ctx.db, tenantId, async (trx) => ({
      waiting: await countWaiting(trx, tenantId, mailbox.id),
      swaps: await listSwaps(trx, tenantId, [mailbox.id]),
      usage: await usageOf(trx, tenantId, [mailbox], ctx.clock()),
    }));
    const maySend = viewer.role !== 'viewer';
    const mayChange = viewer.role === 'owner' || viewer.role === 'admin';
    await page(res, 'mailboxes/mailbox', {
      title: mailbox.email,
      section: 'settings',
      day: usageWords(usage, viewer, ctx.clock())(mailbox.id),
      ...{ mailbox, waiting, swaps, maySend, mayWords, told: [mailbox.id] },
      permissions: permissionRows(mailbox, ctx.offered),
      ...{ mayChange, mayManage: mailbox.kind === 'personal' ? maySend : mayChange },
    });
  });

  router.post('/mailboxes/:id/send-as-refresh', async (req, res) => {
    const viewer = requireRole(res, 'owner', 'admin', 'member');
    const mailbox = found(await findConnected(ctx, viewer, param(req, 'id')));
    const outcome = mailbox.capabilities.includes('aliases')
      ? await tryToReadAliases(ctx, viewer.tenantId, mailbox.id)
      : 'not_allowed';
    const words = {
      read: ['ok', `Gmail’s list of addresses for ${mailbox.email} is up to date.`],
      unusable: ['fail', `${mailbox.email} cannot be asked just now: its page says what to do first.`],
      failed: ['fail', 'Gmail did not answer. Try again in a minute.'],
      not_allowed: ['fail', 'Letterhead may not read Gmail’s list of addresses. Switch “Other addresses” on first.'],
    } as const;
    const [tone, text] = words[outcome];
    await notify(req, tone, text);
    res.redirect(303, settings);
  });

  router.post('/mailboxes/:id/default', async (req, res) => {
    const viewer = requireRole(res, 'owner', 'admin');
    const mailbox = found(await findConnected(ctx, viewer, param(req, 'id')));
    const { tenantId, memberId } = viewer;
    const by = { memberId, at: ctx.clock() };
    const made = await inTenant(ctx.db, tenantId, (trx) => makeDefault(trx, tenantId, mailbox.id, by));
    if (made) await notify(req, 'ok', `${mailbox.email} is the company’s default now.`);
    else await notify(req, 'fail', 'Only a connected Gmail account of the company can be its default.');
    res.redirect(303, settings);
  });

  router.get('/mailboxes/:id/disconnection', async (req, res) => {
    const viewer = viewerOf(res);
    const { tenantId } = viewer;
    const mailbox = found(await findConnected(ctx, viewer, param(req, 'id')));
    if (mailbox.kind === 'shared') requireRole(res, 'owner', 'admin');
    if (mailbox.state === 'disconnected') return res.redirect(303, `/mailboxes/${mailbox.id}`);
    const facts = await inTenant(ctx.db, tenantId, async (trx) => ({
      columns: await withMembers(trx, tenantId, mailbox.id),
      waiting: await countWaiting(trx, tenantId, mailbox.id),
    }));
    const others = (await countMailboxesOf(ctx.system, mailbox.googleSub)) - 1;
    await page(res, 'mailboxes/disconnection', {
      title: `Disconnect ${mailbox.email}`,
      section: 'settings',
      ...{ mailbox, stops: stopWords({ mailbox, others, ...facts, locale: viewer.locale }) },
    });
  });

  router.post('/mailboxes/:id/disconnection', async (req, res) => {
    const viewer = viewerOf(res);
    const mailbox = found(await findConnected(ctx, viewer, param(req, 'id')));
    // One's own can always be taken back; the company's takes an admin.
    if (mailbox.kind === 'shared') requireRole(res, 'owner', 'admin');
    const done = await disconnectMailbox(ctx, viewer, mailbox.id, (trx) =>
      holdMailbox(trx, ctx.clock, viewer, mailbox.id),
    );
    if (done) await notify(req, 'ok', disconnectedWords(done, viewer.locale));
    else await notify(req, 'wait', `${mailbox.email} was disconnected already.`);
    res.redirect(303, settings);
  });

  return router;
}

async function withMembers(trx: Database, tenantId: string, mailboxId: string) {
  const columns = [];
  for (const column of ruleColumns(await listRules(trx, tenantId)))
    columns.push({ ...column, members: await membersThrough(trx, tenantId, mailboxId, column.rule) });
  return columns;
}
