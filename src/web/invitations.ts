import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { acceptInvitation, declineInvitation, type Invitee, standingOf } from '../tenants/invitations.ts';
import { noteIdentity } from '../tenants/members.ts';
import { findPerson, membershipsOf } from '../tenants/system.ts';
import { findInvitation, type Invitation, invitationBehind, usedInvitation } from '../tenants/system-invitations.ts';
import type { WebContext } from './context.ts';
import { PageError } from './errors.ts';
import { switchCompany } from './membership.ts';
import { openInvitations } from './open-invitations.ts';
import { onlyIds, textParam } from './query.ts';
import { page } from './render.ts';
import { notify } from './session.ts';
import { usedWords } from './used-invitation.ts';
import { param } from './viewer.ts';
import { onDay } from './words.ts';

/** Where a mailed link leads; its token stands in the query, which is written in no log. */
export const linkPath = '/invitation';

/**
 * What somebody who is invited sees: who invites, into which company, as what; accept or decline. The link that was mailed
 * opens it for anybody, but only whoever signs in with the address it was mailed to can answer it.
 */
export function invitationPages(ctx: WebContext): Router {
  const router = Router();
  onlyIds(router);

  router.get(linkPath, async (req, res) => {
    const token = textParam(req, 'token');
    const invitation = await invitationBehind(ctx.system, token, ctx.clock());
    if (!invitation) throw await gone(ctx, req, { token });
    await show(ctx, req, res, invitation, token);
  });

  router.get('/invitations/:id', async (req, res) => {
    const invitee = await inviteeOf(ctx, req);
    if (!invitee) return res.redirect(303, `/sign-in?next=${encodeURIComponent(req.originalUrl)}`);
    const invitation = await findInvitation(ctx.system, param(req, 'id'), ctx.clock());
    // Without the link, that it is there at all is for the invited alone to know.
    if (!invitation || standingOf(invitation, invitee, false) !== 'theirs')
      throw await gone(ctx, req, { id: param(req, 'id') });
    await show(ctx, req, res, invitation, undefined);
  });

  router.post('/invitations/:id/acceptance', async (req, res) => {
    const { invitee, answering } = await read(ctx, req);
    const answered = await acceptInvitation(ctx, invitee, answering, ctx.clock());
    if (answered.kind === 'gone' || answered.kind === 'declined') throw await gone(ctx, req, answering);
    await noteIdentity(ctx, invitee.personId);
    const { tenantId, tenantName } = answered.invitation;
    const joined =
      answered.kind === 'joined'
        ? `You are a member of ${tenantName} now.`
        : `You were a member of ${tenantName} already.`;
    const memberships = await membershipsOf(ctx.system, invitee.personId);
    // With a company of their own they stay where they are: to switch is theirs to say.
    const stays = memberships.some((membership) => membership.tenantId !== tenantId);
    if (!stays) await switchCompany(ctx, req, invitee.personId, tenantId);
    await notify(req, 'ok', stays ? `${joined} You still look at the company you were in; switch below.` : joined);
    res.redirect(303, stays ? '/companies' : '/');
  });

  router.post('/invitations/:id/decline', async (req, res) => {
    const { invitee, answering } = await read(ctx, req);
    const answered = await declineInvitation(ctx, invitee, answering, ctx.clock());
    if (answered.kind !== 'declined') throw await gone(ctx, req, answering);
    await notify(req, 'ok', `You declined. ${answered.invitation.tenantName} sees that you did.`);
    res.redirect(303, '/companies');
  });

  router.get('/companies', async (req, res) => {
    const invitee = await inviteeOf(ctx, req);
    if (!invitee) return res.redirect(303, '/sign-in?next=%2Fcompanies');
    const memberships = await membershipsOf(ctx.system, invitee.personId);
    if (memberships.length === 0) return res.redirect(303, '/welcome');
    const invitations = await openInvitations(ctx, invitee);
    await page(res, 'companies/list', {
      ...{ title: 'Your companies', section: 'none', memberships, invitations, email: invitee.email, roleWords, onDay },
    });
  });

  return router;
}

/** What somebody is invited as, in words. */
export const roleWords = {
  owner: 'an owner',
  admin: 'an admin, who may do everything but change owners',
  member: 'a member, who writes and sends records',
  viewer: 'a viewer, who may only look',
} as const;

/** Whoever is signed in, as Google said when they did; undefined where nobody is. */
async function inviteeOf(ctx: WebContext, req: Request): Promise<Invitee | undefined> {
  const person = req.session.personId ? await findPerson(ctx.system, req.session.personId) : undefined;
  return person && { personId: person.id, email: person.email, name: person.name, hd: person.hd };
}

const answerSchema = z.object({ role: z.string(), token: z.string().max(200).optional() });

async function read(ctx: WebContext, req: Request) {
  const invitee = await inviteeOf(ctx, req);
  const form = answerSchema.safeParse(req.body ?? {}).data;
  if (!invitee || !form) throw await gone(ctx, req, { id: param(req, 'id') });
  const id = param(req, 'id');
  return { invitee, answering: { id, invitationId: id, token: form.token || undefined, role: form.role } };
}

async function show(ctx: WebContext, req: Request, res: Response, invitation: Invitation, token: string | undefined) {
  const invitee = await inviteeOf(ctx, req);
  const memberships = invitee ? await membershipsOf(ctx.system, invitee.personId) : [];
  await page(res, 'companies/invitation', {
    title: `Invitation to ${invitation.tenantName}`,
    section: 'none',
    ...{ invitation, token, roleWords, onDay, email: invitee?.email ?? null },
    standing: invitee ? standingOf(invitation, invitee, token !== undefined) : 'signed_out',
    isMember: memberships.some(({ tenantId }) => tenantId === invitation.tenantId),
    returnTo: token === undefined ? req.originalUrl : `${linkPath}?token=${encodeURIComponent(token)}`,
  });
}

/**
 * One page for all that is not there: who asks for others' invitations learns nothing. What was answered before is said to
 * be used, to whoever has the link or is the invited one.
 */
async function gone(
  ctx: WebContext,
  req: Request,
  asked: { readonly token?: string | undefined; readonly id?: string },
): Promise<PageError> {
  const invitee = await inviteeOf(ctx, req);
  const { token, id } = asked;
  const used = token ? await usedInvitation(ctx.system, { token }) : id && (await usedInvitation(ctx.system, { id }));
  const words = used && (await usedWords(ctx, used, invitee, Boolean(token), req.session.tenantId));
  if (words) return words;
  const who = invitee
    ? ` You are signed in as ${invitee.email}: if you were invited, it may have been at another address.`
    : '';
  return new PageError(404, 'no_invitation', {
    title: 'This invitation is not open',
    message: `It was accepted or declined before, was withdrawn or changed, is older than two weeks, or is for somebody else.${who} Ask whoever invited you to do it once more.`,
    next: { href: invitee ? '/companies' : '/sign-in', label: invitee ? 'Your companies' : 'Sign in' },
  });
}
