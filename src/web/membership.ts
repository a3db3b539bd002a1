import type { Request, RequestHandler, Response } from 'express';
import { countAttention } from '../deliveries/attention.ts';
import { listTroubled } from '../mailboxes/mailbox-events.ts';
import { inTenant } from '../tenants/scope.ts';
import { findPerson, type Membership, membershipsOf, rememberCompany } from '../tenants/system.ts';
import { sessionsEndedAt } from '../tenants/system-events.ts';
import { getTenant, localeOf } from '../tenants/tenants.ts';
import type { WebContext } from './context.ts';
import { PageError } from './errors.ts';
import { callbackPaths } from './google-flows.ts';
import { offerSignIn } from './kept-form.ts';
import { openInvitations } from './open-invitations.ts';
import { companyOf } from './own-company.ts';
import { ownPath } from './own-path.ts';
import { isReading } from './same-origin.ts';
import { forgetSession, saveSession } from './session.ts';
import { onlookerOf, setViewer } from './viewer.ts';

/**
 * Finds out who looks, in which company and with which role, anew for each request: what an admin changes holds from
 * the next one on. A session begins in the company that they looked at last. Whoever was removed from the company they look at is signed out; they are never moved to another
 * company of theirs, where the form in front of them would do something else.
 */
export function loadViewer(ctx: WebContext): RequestHandler {
  return async (req, res, next) => {
    const { personId } = req.session;
    if (!personId) return next();
    const [memberships, endedAt] = await Promise.all([
      membershipsOf(ctx.system, personId),
      sessionsEndedAt(ctx.system, personId),
    ]);
    // A request under way may have written it back after it was deleted.
    if (endedAt && (req.session.signedInAt ?? 0) < endedAt.getTime()) {
      await forgetSession(req);
      return next();
    }
    const back = switchedBackTo(req, memberships);
    if (back !== undefined) await switchCompany(ctx, req, personId, back);
    const chosen = req.session.tenantId;
    const membership = memberships.find(({ tenantId, isLast }) =>
      chosen === undefined ? isLast : tenantId === chosen,
    );
    if (!membership && chosen !== undefined) throw await endMembership(ctx, req, chosen);
    const shown = membership ?? memberships[0];
    if (!shown) {
      await takeNotice(req, res);
      return next();
    }
    const { tenantId, memberId, role } = shown;
    req.session.tenantId ??= tenantId;
    // Who never switched has looked at one all the same: what they join later must not take its place.
    if (!memberships.some(({ isLast }) => isLast)) await rememberCompany(ctx.system, personId, tenantId);
    const { viewer, attention, troubled } = await inTenant(ctx.db, tenantId, async (trx) => {
      const tenant = await getTenant(trx, tenantId);
      const member = await trx
        .selectFrom('members')
        .select(['name', 'email', 'locale'])
        .where('id', '=', memberId)
        .executeTakeFirstOrThrow();
      const locale = member.locale ?? localeOf(tenant);
      const viewer = { personId, memberId, tenantId, role, ...member, locale, tenant, memberships };
      // A piece of a page has no menu and no banner.
      if (req.get('hx-request')) return { viewer };
      const attention = await countAttention(trx, tenantId, onlookerOf(viewer));
      return { viewer, attention, troubled: await listTroubled(trx, tenantId, memberId) };
    });
    setViewer(res, viewer);
    res.locals['attention'] = attention;
    res.locals['invited'] = showsPage(req) ? await countInvited(ctx, personId) : 0;
    res.locals['troubled'] = troubled;
    await takeNotice(req, res);
    next();
  };
}

/** The company that somebody says to switch back to, with a form of that company: the page in front of it offered it. */
function switchedBackTo(req: Request, memberships: readonly Membership[]): string | undefined {
  if (isReading(req.method) || req.query['switch'] !== 'yes') return undefined;
  const named = companyOf(req);
  return memberships.find(({ tenantId }) => tenantId === named)?.tenantId;
}

/** From now on this browser looks at another company of theirs, which is also where their next sign-in leads. */
export async function switchCompany(ctx: WebContext, req: Request, personId: string, tenantId: string): Promise<void> {
  req.session.tenantId = tenantId;
  await rememberCompany(ctx.system, personId, tenantId);
  await saveSession(req);
}

/** How many companies invite them. */
async function countInvited(ctx: WebContext, personId: string): Promise<number> {
  const person = await findPerson(ctx.system, personId);
  return person ? (await openInvitations(ctx, person)).length : 0;
}

/** Whether a whole page is asked for. */
function showsPage(req: Request): boolean {
  return req.method === 'GET' && !req.get('hx-request');
}

async function takeNotice(req: Request, res: Response): Promise<void> {
  if (!req.session.notice || !showsPage(req)) return;
  res.locals['notice'] = req.session.notice;
  delete req.session.notice;
  await saveSession(req);
}

/** Signs them out, and says why. */
async function endMembership(ctx: WebContext, req: Request, tenantId: string): Promise<PageError> {
  const tenant = await inTenant(ctx.db, tenantId, (trx) =>
    trx.selectFrom('tenants').select('name').where('id', '=', tenantId).executeTakeFirst(),
  );
  // Not only ended: where they were at Google, why their answer comes to nothing is read at another address.
  await forgetSession(req);
  return new PageError(403, 'removed', {
    title: `You are no longer a member of ${tenant?.name ?? 'this company'}`,
    message:
      'You have left, or an owner or admin has removed you, so you were signed out, and nothing was saved just now. If you belong to another company, sign in again. If this is a mistake, ask an owner or admin to invite you.',
    next: { href: '/sign-in', label: 'Sign in' },
  });
}

/** Lets members of a company go on; everybody else is led to where they become one, or told that they are signed out. */
export const requireMember: RequestHandler = (req, res, next) => {
  if (res.locals['viewer']) return next();
  if (req.session.personId) return res.redirect(303, '/welcome');
  if (req.method === 'GET') {
    // Google's answer is worth nothing after signing in anew, and belongs in no address: back to where it was asked for.
    const wanted = req.path === callbackPaths.connect ? '/settings/email' : req.originalUrl;
    const next = wanted === '/' || ownPath(wanted) === '/' ? '' : `?next=${encodeURIComponent(wanted)}`;
    return res.redirect(303, `/sign-in${next}`);
  }
  return offerSignIn(req, res);
};
