import type { Request, Response } from 'express';
import { sql } from 'kysely';
import { inTenant } from '../tenants/scope.ts';
import type { Membership } from '../tenants/system.ts';
import type { WebContext } from './context.ts';
import type { PageError } from './errors.ts';
import { offerSwitch } from './own-company.ts';
import { isReading } from './same-origin.ts';
import type { Viewer } from './viewer.ts';

/** So many other companies of one person are looked through. */
const mostCompanies = 20;

const uuid = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

/**
 * Answers a page that was not found where it belongs to another company of the viewer's, as a link in an email or a
 * bookmark may: with the offer to switch. What belongs to companies of others is not found, and not told apart.
 *
 * @returns false where nothing was answered
 */
export async function answerWithSwitch(
  ctx: WebContext,
  req: Request,
  res: Response,
  error: PageError | undefined,
): Promise<boolean> {
  const viewer: Viewer | undefined = res.locals['viewer'];
  if (error?.code !== 'not_found' || !viewer || !isReading(req.method) || req.get('hx-request')) return false;
  const ids = [...new Set(req.originalUrl.match(uuid) ?? [])].slice(0, 5);
  const theirs = ids.length === 0 ? undefined : await findOwner(ctx, viewer, ids);
  if (!theirs) return false;
  await offerSwitch(req, res, theirs);
  return true;
}

/** The other company of the viewer's that one of these ids belongs to. */
async function findOwner(
  ctx: WebContext,
  { tenantId, memberships }: Viewer,
  ids: readonly string[],
): Promise<Membership | undefined> {
  const others = memberships.filter((membership) => membership.tenantId !== tenantId).slice(0, mostCompanies);
  for (const other of others) {
    const { rows } = await inTenant(ctx.db, other.tenantId, (trx) =>
      sql`
        select id from documents where id = any(${ids}::uuid[])
        union all select id from parties where id = any(${ids}::uuid[])
        union all select id from deliveries where id = any(${ids}::uuid[])
        union all select id from runs where id = any(${ids}::uuid[])
        union all select id from mailboxes where id = any(${ids}::uuid[])
          and (kind = 'shared' or member_id = ${other.memberId})
        limit 1`.execute(trx),
    );
    if (rows.length > 0) return other;
  }
  return undefined;
}
