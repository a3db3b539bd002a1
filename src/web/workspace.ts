import { type Request, type RequestHandler, type Response, Router } from 'express';
import { holdMailbox, releaseMailbox } from '../deliveries/release.ts';
import { GoogleError } from '../google/errors.ts';
import { capabilitiesOf } from '../mailboxes/capabilities.ts';
import {
  addDelegation,
  checkDelegation,
  type DelegationCheck,
  findVoucher,
  removeDelegation,
  scopesToAuthorise,
  type Voucher,
} from '../mailboxes/delegate.ts';
import { domainOf } from '../mailboxes/delegated-token.ts';
import { reachOf } from '../mailboxes/delegation-reach.ts';
import { type Delegation, listDelegations } from '../mailboxes/delegations.ts';
import { KeyFileError } from '../mailboxes/key-file.ts';
import { capabilities } from '../platform/capability.ts';
import { KeyRingError } from '../platform/key-ring.ts';
import { inTenant } from '../tenants/scope.ts';
import type { WebContext } from './context.ts';
import { found, PageError } from './errors.ts';
import { keyFileUpload, keyTextOf } from './key-file-upload.ts';
import { asPermissions, mayWords, permissionWords } from './permission-words.ts';
import { onlyIds } from './query.ts';
import { tellReleased } from './released-words.ts';
import { page } from './render.ts';
import { notify } from './session.ts';
import { param, requireRole, type Viewer } from './viewer.ts';
import { sentence } from './words.ts';
import { reachWords, readTrouble, stateWords, troubledWords, troubleWords } from './workspace-words.ts';

const address = '/settings/email/workspace';

/** Sending as every member of a Workspace domain: a service account's key file, its authorisation, its end. */
export function workspacePages(ctx: WebContext): Router {
  const router = Router();
  onlyIds(router);

  router.get(address, async (_req, res) => {
    await workspacePage(ctx, res, {});
  });

  router.post(address, requireAdmin, keyFileUpload(), async (req, res) => {
    const viewer = requireRole(res, 'owner', 'admin');
    const voucher = await voucherOf(ctx, viewer);
    if (!voucher) return workspacePage(ctx, res, { status: 422 });
    const text = keyTextOf(req);
    if (text === '')
      return workspacePage(ctx, res, { status: 422, problem: 'Choose the key file, or paste its text.' });
    try {
      const file = await ctx.keyFiles.read(text);
      await tell(ctx, req, res, viewer, await addDelegation(ctx, viewer.tenantId, voucher, file, ctx.offered));
    } catch (error) {
      if (!(error instanceof KeyFileError)) throw unreachable(error);
      await workspacePage(ctx, res, { status: 422, problem: error.message });
    }
  });

  router.post(`${address}/check`, async (req, res) => {
    const viewer = requireRole(res, 'owner', 'admin');
    const voucher = found(await voucherOf(ctx, viewer));
    try {
      const check = found(await checkDelegation(ctx, viewer.tenantId, voucher, ctx.offered));
      await tell(ctx, req, res, viewer, check);
    } catch (error) {
      throw unreachable(error);
    }
  });

  router.post(`${address}/:id/removal`, async (req, res) => {
    const viewer = requireRole(res, 'owner', 'admin');
    const { tenantId, memberId } = viewer;
    const by = { memberId, at: ctx.clock() };
    const removed = await inTenant(ctx.db, tenantId, async (trx) => {
      const removed = found(await removeDelegation(trx, tenantId, param(req, 'id'), by));
      let held = 0;
      for (const mailboxId of removed.mailboxIds) held += await holdMailbox(trx, ctx.clock, viewer, mailboxId);
      return { ...removed, held };
    });
    const held =
      removed.held === 0 ? '' : ` ${count(removed.held, 'email that was', 'emails that were')} queued waits.`;
    await notify(
      req,
      'ok',
      `Letterhead no longer sends as the people of ${removed.domain}, and the key is deleted here.${held}`,
    );
    res.redirect(303, address);
  });

  return router;
}

/** Before any byte of a file is read. */
const requireAdmin: RequestHandler = (_req, res, next) => {
  requireRole(res, 'owner', 'admin');
  next();
};

function voucherOf(ctx: WebContext, { tenantId, memberId }: Viewer): Promise<Voucher | undefined> {
  return inTenant(ctx.db, tenantId, (trx) => findVoucher(trx, tenantId, { memberId }));
}

/** What Google said, on the page that shows how things stand now. */
async function tell(ctx: WebContext, req: Request, res: Response, viewer: Viewer, check: DelegationCheck) {
  if (check.kind === 'refused') {
    const { what, fix } = troubleWords(check.trouble, check.domain, viewer.email);
    if (!check.kept) {
      const problem = `${what} So this file was not stored, and the one that works stays in use. ${fix}`;
      return workspacePage(ctx, res, { status: 422, problem });
    }
    // What keeps it from working stands on the page; but where it works, the page says nothing of what was wrong just now.
    await notify(
      req,
      'wait',
      check.active ? `${what} ${fix}` : 'Google was asked, and does not let it through yet. See below.',
    );
    return res.redirect(303, address);
  }
  const { tenantId } = viewer;
  const { text } = await inTenant(ctx.db, tenantId, async (trx) => {
    const released: string[] = [];
    for (const mailboxId of check.mailboxIds)
      released.push(...(await releaseMailbox(trx, ctx.clock, tenantId, mailboxId)).released);
    return tellReleased(trx, ctx, viewer, released);
  });
  const missing = asPermissions(check.missing).map((permission) => `“${permissionWords[permission].name}”`);
  const words = [
    `Letterhead can send as the people of ${check.domain} now.`,
    text,
    missing.length > 0 && `Your administrator did not allow ${sentence(missing)}, so that is not used.`,
  ];
  await notify(req, 'ok', words.filter(Boolean).join(' '));
  return res.redirect(303, address);
}

function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** Google could not be asked, or our own key ring does not open the key: nothing about the Workspace is known by that. */
function unreachable(error: unknown): unknown {
  if (!(error instanceof GoogleError) && !(error instanceof KeyRingError)) return error;
  const next = { href: address, label: 'Back to Google Workspace' };
  const atGoogle = error instanceof GoogleError;
  return new PageError(atGoogle ? 502 : 500, error.code, {
    title: atGoogle ? 'Google could not be asked' : 'The key cannot be opened',
    message: atGoogle
      ? 'Google did not answer, or had a problem of its own. A key file that you gave is stored; press “Check again” in a minute.'
      : 'Whoever runs Letterhead has to put back the key that keeps this file safe (TOKEN_KEYS). Nothing was changed.',
    next,
  });
}

/**
 * The page: how sending for the Workspace stands, whom it reaches, and what to do next.
 *
 * @param problem what is wrong with the key file that was given
 */
async function workspacePage(
  ctx: WebContext,
  res: Response,
  { status = 200, problem }: { readonly status?: number; readonly problem?: string },
) {
  const viewer = requireRole(res, 'owner', 'admin');
  const { tenantId, email } = viewer;
  const domain = domainOf(email);
  const voucher = await voucherOf(ctx, viewer);
  const { all, reach } = await inTenant(ctx.db, tenantId, async (trx) => ({
    all: await listDelegations(trx, tenantId),
    reach: await reachOf(trx, tenantId, domain),
  }));
  res.status(status);
  await page(res, 'settings/workspace', {
    title: 'Google Workspace',
    section: 'settings',
    ...{ domain, problem, reach, reachWords, troubledWords, stateWords, mayWords, address },
    isManaged: voucher !== undefined,
    delegation: shown(
      all.find((each) => each.domain === domain),
      email,
    ),
    others: all.filter((each) => each.domain !== domain),
    scopes: scopesToAuthorise(ctx.offered).join(','),
  });
}

function shown(delegation: Delegation | undefined, voucher: string) {
  if (!delegation) return undefined;
  const { domain, state, stateReason } = delegation;
  const trouble = state === 'active' ? null : troubleWords(readTrouble(stateReason), domain, voucher);
  return { ...delegation, trouble, capabilities: capabilitiesOf(delegation.scopes, capabilities) };
}
