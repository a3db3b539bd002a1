import type { Request, RequestHandler, Response } from 'express';
import type { Membership } from '../tenants/system.ts';
import { companyParam, withCompany, withoutCompany } from './carry-company.ts';
import { PageError } from './errors.ts';
import { keptFields } from './kept-fields.ts';
import { page } from './render.ts';
import { isReading } from './same-origin.ts';
import { viewerOf } from './viewer.ts';

/**
 * A page belongs to the company it was opened in, and so does every form on it. The session knows one company at a time;
 * with two tabs it may be another one by now. A write that names another company than the session's, or none, changes
 * nothing: the page that answers it names both, keeps what was typed, and switches back only where the person says so.
 * A link that names another company of theirs offers to switch.
 */
export const ownCompany: RequestHandler = async (req, res, next) => {
  const { tenantId, memberships } = viewerOf(res);
  const named = companyOf(req);
  if (named === tenantId || (named === undefined && isReading(req.method))) return next();
  if (named === undefined) throw nameless();
  const theirs = memberships.find((membership) => membership.tenantId === named);
  if (!theirs) throw isReading(req.method) ? PageError.notFound() : foreign();
  if (isReading(req.method)) return offerSwitch(req, res, theirs);
  res.status(409);
  await page(res, 'companies/other-form', {
    title: `This page belongs to ${theirs.tenantName}`,
    section: 'none',
    theirs,
    action: withCompany(withoutCompany(req.originalUrl), `${named}&switch=yes`, '&'),
    fields: keptFields(req.body),
    hasFiles: Boolean(req.is('multipart/form-data')),
  });
};

/** The company that a request names, whatever the session says; undefined where it names none. */
export function companyOf(req: Request): string | undefined {
  const named = req.query[companyParam];
  return typeof named === 'string' && named !== '' ? named : undefined;
}

/** Answers that a page belongs to another company of the viewer's, and leaves it to them to switch. */
export async function offerSwitch(req: Request, res: Response, theirs: Membership): Promise<void> {
  res.status(409);
  await page(res, 'companies/other-page', {
    title: `This page belongs to ${theirs.tenantName}`,
    section: 'none',
    theirs,
    returnTo: withoutCompany(req.originalUrl),
  });
}

function nameless(): PageError {
  return new PageError(409, 'no_company', {
    title: 'Nothing was saved',
    message:
      'What you sent does not say which company it is for, so nothing was changed. The page was probably opened before Letterhead was updated. Go back, reload the page and try again.',
  });
}

/** Whether there is such a company is not for everybody to know. */
function foreign(): PageError {
  return new PageError(409, 'other_company', {
    title: 'Nothing was saved',
    message:
      'This page belongs to a company that you are not a member of, or not any more. Nothing was changed. If this is a mistake, ask one of its owners or admins to invite you.',
  });
}
