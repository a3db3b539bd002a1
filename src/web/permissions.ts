import { type Request, type Response, Router } from 'express';
import { capabilitiesOf } from '../mailboxes/capabilities.ts';
import { wantCapability } from '../mailboxes/mailbox-settings.ts';
import type { MailboxRecord } from '../mailboxes/mailboxes.ts';
import { forgetSendAs } from '../mailboxes/send-as.ts';
import { inTenant } from '../tenants/scope.ts';
import { findConnected } from './connected-mailbox.ts';
import { askGoogle, requireConnector } from './connection.ts';
import type { WebContext } from './context.ts';
import { found, PageError } from './errors.ts';
import type { GoogleFlow } from './google-flows.ts';
import { isPermission, type Permission, permissionState, permissionWords } from './permission-words.ts';
import { onlyIds } from './query.ts';
import { page } from './render.ts';
import { tryToReadAliases } from './send-as.ts';
import { notify } from './session.ts';
import { param, type Viewer, viewerOf } from './viewer.ts';

/**
 * The permission ladder: a page for each permission of a mailbox that says what it buys and what it can see, in front
 * of Google's own page; and switching it off again.
 */
export function permissionPages(ctx: WebContext, flow: GoogleFlow): Router {
  const router = Router();
  onlyIds(router);
  const address = '/mailboxes/:id/permissions/:permission';

  router.get(address, async (req, res) => {
    const { mailbox, permission } = await read(ctx, req, res);
    const state = permissionState(mailbox, permission);
    await page(res, 'mailboxes/permission', {
      title: permissionWords[permission].name,
      section: 'settings',
      ...{ mailbox, permission, state, words: permissionWords[permission] },
      ...{ isGranted: isGranted(mailbox, permission), offered: ctx.offered.includes(permission) },
    });
  });

  router.post(address, async (req, res, next) => {
    const { viewer, mailbox, permission } = await read(ctx, req, res);
    if (req.body?.switch === 'off') {
      await switchOff(ctx, viewer, mailbox, permission);
      await notify(req, 'ok', `“${permissionWords[permission].name}” is switched off for ${mailbox.email}.`);
      return res.redirect(303, `/mailboxes/${mailbox.id}`);
    }
    const returnTo = permission === 'aliases' ? '/settings/email' : `/mailboxes/${mailbox.id}`;
    if (!isGranted(mailbox, permission)) {
      const { kind } = mailbox;
      return askGoogle(ctx, flow, req, res, next, { viewer, kind, mailbox, add: permission, returnTo });
    }
    await switchOn(ctx, viewer, mailbox, permission);
    await notify(req, 'ok', `“${permissionWords[permission].name}” is switched on for ${mailbox.email}.`);
    res.redirect(303, returnTo);
  });

  return router;
}

/** @throws {PageError} 404 where there is no such mailbox or permission here, 403 for whoever may not decide about it */
async function read(ctx: WebContext, req: Request, res: Response) {
  const permission = param(req, 'permission');
  const mailbox = found(await findConnected(ctx, viewerOf(res), param(req, 'id')));
  const viewer = requireConnector(res, mailbox.kind);
  if (!isPermission(permission) || mailbox.state === 'disconnected') throw PageError.notFound();
  const isOffered = ctx.offered.includes(permission) || mailbox.wanted.includes(permission);
  if (!isOffered) throw PageError.notFound();
  return { viewer, mailbox, permission };
}

/** Whether the token that is there can do it already: it was switched on before. */
function isGranted(mailbox: MailboxRecord, permission: Permission): boolean {
  return mailbox.state === 'active' && capabilitiesOf(mailbox.scopes, [permission]).includes(permission);
}

async function switchOn(
  ctx: WebContext,
  { tenantId, memberId }: Viewer,
  mailbox: MailboxRecord,
  permission: Permission,
) {
  const by = { memberId, at: ctx.clock() };
  await inTenant(ctx.db, tenantId, (trx) => wantCapability(trx, tenantId, mailbox.id, permission, true, by));
  if (permission === 'aliases') await tryToReadAliases(ctx, tenantId, mailbox.id);
}

async function switchOff(
  ctx: WebContext,
  { tenantId, memberId }: Viewer,
  mailbox: MailboxRecord,
  permission: Permission,
) {
  await inTenant(ctx.db, tenantId, async (trx) => {
    await wantCapability(trx, tenantId, mailbox.id, permission, false, { memberId, at: ctx.clock() });
    if (permission === 'aliases') await forgetSendAs(trx, tenantId, mailbox.id);
  });
}
