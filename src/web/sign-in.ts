import { randomUUID } from 'node:crypto';
import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { scopes } from '../google/app.ts';
import { idOfForm } from '../platform/form-id.ts';
import { noteIdentity } from '../tenants/members.ts';
import { findPerson, membershipsOf, rememberPerson } from '../tenants/system.ts';
import { companySchema, createTenant } from '../tenants/tenants.ts';
import { countries, currencies, timeZones } from './choices.ts';
import type { WebContext } from './context.ts';
import { PageError } from './errors.ts';
import { callbackPaths, type GoogleFlow } from './google-flows.ts';
import { keptPath, readKept } from './kept-form.ts';
import { switchCompany } from './membership.ts';
import { openInvitations } from './open-invitations.ts';
import { ownPath } from './own-path.ts';
import { textField, typedTexts } from './query.ts';
import { page } from './render.ts';
import { notify, saveSession, signIn, signOut } from './session.ts';
import { onDay } from './words.ts';

/** Signing in with Google, founding a company at the first time, changing between companies, signing out. */
export function signInPages(ctx: WebContext, flow: GoogleFlow): Router {
  const router = Router();

  router.get('/sign-in', async (req, res) => {
    if (req.session.personId) return res.redirect(303, '/');
    await page(res, 'sign-in/sign-in', { title: 'Sign in', section: 'none', returnTo: ownPath(req.query['next']) });
  });

  router.post('/sign-in/google', (req, res, next) => {
    const kept = readKept(req.body?.kept);
    const purpose = { returnTo: ownPath(req.body?.returnTo), ...(kept && { kept }) };
    const scope = [scopes.openid, 'email', 'profile'];
    flow.begin(req, res, next, purpose, { scope, prompt: 'select_account', accessType: 'online' });
  });

  router.get(callbackPaths.signIn, async (req, res) => {
    const result = await flow.finish(req, res);
    if (result.kind !== 'consent') {
      // Two tabs, or the back button: whoever is signed in already has nothing left to do here.
      if (result.kind === 'lost' && req.session.personId) return res.redirect(303, '/');
      if (result.kind === 'failed') ctx.log.warn({ err: result.error, code: result.code }, 'sign-in failed');
      throw signInError(result.kind, 'code' in result ? result.code : '');
    }
    const { identity } = result.consent;
    const personId = await rememberPerson(ctx.system, identity);
    await noteIdentity(ctx, personId);
    await signIn(req, personId, ctx.clock());
    const { kept, returnTo } = result.purpose;
    if (kept) {
      req.session.kept = kept;
      await saveSession(req);
    }
    res.redirect(303, kept ? keptPath : returnTo);
  });

  router.post('/sign-out', async (req, res) => {
    const returnTo = ownPath(req.body?.returnTo);
    await signOut(req);
    res.redirect(303, returnTo === '/' ? '/sign-in' : `/sign-in?next=${encodeURIComponent(returnTo)}`);
  });

  router.get('/welcome', async (req, res) => {
    const person = await signedIn(ctx, req, res);
    if (!person) return;
    await welcome(ctx, res, person, { name: '', country: '', currency: '', timeZone: '', key: randomUUID() }, {});
  });

  router.post('/welcome', async (req, res) => {
    const person = await signedIn(ctx, req, res);
    if (!person) return;
    const company = companySchema.safeParse(req.body);
    if (!company.success) {
      res.status(422);
      return welcome(ctx, res, person, typedTexts(req), z.flattenError(company.error).fieldErrors);
    }
    const { tenantId } = await createTenant(
      ctx.db,
      company.data,
      { ...person, personId: person.id },
      // Sent twice, it is one company.
      { id: idOfForm(textField(req, 'key'), person.id, company.data) },
    );
    await noteIdentity(ctx, person.id);
    await switchCompany(ctx, req, person.id, tenantId);
    await notify(req, 'ok', `Welcome, ${company.data.name}. Next: connect your Gmail.`);
    res.redirect(303, '/');
  });

  router.post('/tenant-switch', async (req, res) => {
    const { personId } = req.session;
    const memberships = personId ? await membershipsOf(ctx.system, personId) : [];
    const chosen = memberships.find((membership) => membership.tenantId === req.body?.tenantId);
    if (!personId || !chosen) throw PageError.notFound();
    await switchCompany(ctx, req, personId, chosen.tenantId);
    res.redirect(303, ownPath(req.body?.returnTo));
  });

  return router;
}

/** The person of the session; without one they are sent to sign in, and nothing is returned. */
async function signedIn(ctx: WebContext, req: Request, res: Response) {
  const person = req.session.personId ? await findPerson(ctx.system, req.session.personId) : undefined;
  if (!person) res.redirect(303, '/sign-in');
  return person;
}

async function welcome(
  ctx: WebContext,
  res: Response,
  person: { name: string; email: string; hd: string | null },
  values: Record<string, string>,
  errors: Record<string, string[] | undefined>,
) {
  await page(res, 'sign-in/welcome', {
    title: 'Your company',
    section: 'none',
    ...{ person, onDay, invitations: await openInvitations(ctx, person) },
    values,
    errors,
    countries,
    currencies,
    timeZones,
  });
}

function signInError(kind: 'refused' | 'lost' | 'failed', code: string): PageError {
  const next = { href: '/sign-in', label: 'Sign in again' };
  if (kind === 'refused' && code === 'access_denied') {
    const message =
      'You said no at Google, so you are not signed in. Letterhead asks Google only for your name and address.';
    return new PageError(403, 'access_denied', { title: 'You are not signed in', message, next });
  }
  if (kind === 'lost') {
    const message =
      'This answer from Google was used before, or is older than half an hour. Nothing is wrong with your account.';
    return new PageError(400, 'state', { title: 'Please sign in once more', message, next });
  }
  if (kind === 'failed' && code === 'unreachable') {
    const message =
      'Google did not answer, or had a problem of its own. Nothing is wrong with your account; try again in a minute.';
    return new PageError(502, code, { title: 'Google could not be reached', message, next });
  }
  const message = `Google ended the sign-in (${code}). Try again; if it stays, tell whoever runs Letterhead for you this word.`;
  return new PageError(502, code, { title: 'Google did not sign you in', message, next });
}
