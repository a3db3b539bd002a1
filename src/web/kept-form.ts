import { type Request, type Response, Router } from 'express';
import { companyParam, withoutCompany } from './carry-company.ts';
import { parseForm } from './form-body.ts';
import { type KeptForm, keptFields, keptFormSchema } from './kept-fields.ts';
import { ownPath } from './own-path.ts';
import { page } from './render.ts';
import { viewerOf } from './viewer.ts';

/** Where the sign-in leads when a form was kept. */
export const keptPath = '/kept';

/** What a form may say that comes without a session, less what stands beside it. */
const mostKept = 60_000;

/** Answers a form that came without a session: it can be taken along through the sign-in. */
export async function offerSignIn(req: Request, res: Response): Promise<void> {
  const fields = keptFields(req.body);
  const kept: KeptForm = { action: req.originalUrl, page: pageBefore(req), fields };
  const text = JSON.stringify(kept);
  const isKept =
    fields.length > 0 && keptFormSchema.safeParse(kept).success && encodeURIComponent(text).length <= mostKept;
  res.status(401);
  await page(res, 'sign-in/signed-out', {
    title: 'You are signed out',
    section: 'none',
    kept: isKept ? text : null,
    returnTo: ownPath(kept.page ?? '/'),
    hasFiles: Boolean(req.is('multipart/form-data')),
  });
}

/** A kept form that a sign-in form says; undefined where it says none, or nothing of ours. */
export function readKept(text: unknown): KeptForm | undefined {
  if (typeof text !== 'string' || text === '') return undefined;
  try {
    const kept = keptFormSchema.parse(JSON.parse(text));
    return ownPath(kept.action) === kept.action ? { ...kept, page: kept.page && ownPath(kept.page) } : undefined;
  } catch {
    return undefined;
  }
}

/** Brings back what was typed, once whoever typed it is signed in again. Stands in front of the check of the company. */
export function keptFormPages(): Router {
  const router = Router();

  router.get(keptPath, async (req, res, next) => {
    const { kept } = req.session;
    if (!kept) return res.redirect(303, '/');
    const action = new URL(kept.action, 'http://letterhead.invalid');
    const named = action.searchParams.get(companyParam);
    const { tenantId, memberships } = viewerOf(res);
    // Whoever signed in may be somebody else.
    if (!memberships.some((membership) => membership.tenantId === named)) {
      delete req.session.kept;
      return res.redirect(303, '/');
    }
    // Of another company than the one they are in now: the page that says so keeps it, too, and changes nothing.
    if (named !== tenantId) return sendOn(req, kept.action, kept, next);
    // The editor of records shows whatever was typed, any number of lines.
    if (/^\/documents(\/[0-9a-f-]{36})?$/.test(action.pathname)) {
      const shown = kept.fields.filter(({ name }) => name !== 'do');
      return sendOn(req, kept.action, { fields: [...shown, { name: 'do', value: 'add-up' }] }, next);
    }
    if (kept.page) {
      const path = withoutCompany(kept.page);
      return res.redirect(303, `${path}${path.includes('?') ? '&' : '?'}kept=yes`);
    }
    await page(res, 'sign-in/kept', {
      title: 'Not saved yet',
      section: 'none',
      action: kept.action,
      fields: kept.fields,
    });
  });

  router.use((req, res, next) => {
    const { kept } = req.session;
    if (kept && req.method === 'GET' && req.query['kept'] === 'yes') res.locals['kept'] = kept;
    // Sent once more, it is over.
    if (kept && req.method === 'POST' && pathOf(kept.action) === req.path && req.originalUrl !== keptPath)
      delete req.session.kept;
    next();
  });

  return router;
}

/** Goes on as if the form had been sent just now. Only where that shows it and writes nothing. */
function sendOn(req: Request, url: string, { fields }: Pick<KeptForm, 'fields'>, next: () => void): void {
  const form = new URLSearchParams();
  for (const { name, value } of fields) form.append(name, value);
  Object.assign(req, { method: 'POST', url, originalUrl: url, body: parseForm(form.toString()) });
  next();
}

function pageBefore(req: Request): string | null {
  const referrer = req.get('referer') ?? '';
  const host = req.get('host') ?? '';
  if (!URL.canParse(referrer)) return null;
  const { host: before, pathname, search } = new URL(referrer);
  return before === host ? `${pathname}${search}` : null;
}

function pathOf(address: string): string {
  return address.split('?')[0] ?? '';
}
