import { randomUUID } from 'node:crypto';
import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { mailInvitation, wasMailed } from '../deliveries/invitation-email.ts';
import { holdWithdrawn } from '../deliveries/withdrawn.ts';
import { disconnectMailbox } from '../mailboxes/disconnect.ts';
import { readOneAddress } from '../platform/address-list.ts';
import type { Database } from '../platform/database.ts';
import type { MemberRole } from '../platform/database-types.ts';
import { idOfForm } from '../platform/form-id.ts';
import {
  invitationDays,
  invite,
  listInvitations,
  lockInvitations,
  withdrawInvitation,
} from '../tenants/invitations.ts';
import { changeRole, type MemberChange, removeMember } from '../tenants/member-life.ts';
import { listMembers } from '../tenants/members.ts';
import { inTenant } from '../tenants/scope.ts';
import type { WebContext } from './context.ts';
import { PageError } from './errors.ts';
import { linkPath } from './invitations.ts';
import { countInvitation } from './limits.ts';
import { onlyIds, textField, textParam } from './query.ts';
import { releaseAllowedAndTell } from './released-words.ts';
import { page } from './render.ts';
import { emailCount } from './run-words.ts';
import { notify } from './session.ts';
import { refusedForNow } from './too-many.ts';
import { param, requireRole, type Viewer, viewerOf } from './viewer.ts';
import { onDay } from './words.ts';

const members = '/settings/members';

/** Who works here: invitations, roles, and how somebody leaves. */
export function memberPages(ctx: WebContext): Router {
  const router = Router();
  onlyIds(router);

  router.get(members, async (req, res) => {
    await membersPage(ctx, req, res, { email: '', role: 'member' }, undefined);
  });

  router.post('/settings/members/invitations', async (req, res) => {
    const viewer = requireRole(res, 'owner', 'admin');
    const invitation = invitationSchema.safeParse(req.body);
    if (!invitation.success) {
      res.status(422);
      const values = typedInvitation.parse(req.body ?? {});
      return membersPage(ctx, req, res, values, invitation.error.issues[0]?.message);
    }
    const { email } = invitation.data;
    try {
      await countInvitation(ctx.limits, viewer.tenantId, email);
    } catch (error) {
      const { message } = refusedForNow(res, error, viewer.locale);
      return membersPage(ctx, req, res, invitation.data, message);
    }
    const invited = await inviteByMail(ctx, viewer, invitation.data, textField(req, 'key'));
    if (invited.kind === 'not_allowed') throw PageError.forbidden(viewer.role);
    if (invited.kind === 'invited' && invited.from === null) {
      const { link } = invited;
      return membersPage(ctx, req, res, { email: '', role: 'member' }, undefined, { email, link });
    }
    const words =
      invited.kind === 'invited'
        ? `${email} is invited: an email is on its way from ${invited.from}. They join when they accept.`
        : invited.kind === 'repeated'
          ? `${email} was invited already: the email is on its way.`
          : `${email} is a member already: ${invited.name}.`;
    await notify(req, invited.kind === 'invited' ? 'ok' : 'wait', words);
    res.redirect(303, members);
  });

  router.post('/settings/members/invitations/:id/withdrawal', async (req, res) => {
    const { tenantId, memberId } = requireRole(res, 'owner', 'admin');
    const id = param(req, 'id');
    const by = { memberId, at: ctx.clock() };
    const withdrawn = await inTenant(ctx.db, tenantId, (trx) => withdrawInvitation(trx, tenantId, id, by));
    if (!withdrawn) throw PageError.notFound();
    await notify(req, 'ok', 'The invitation is withdrawn.');
    res.redirect(303, members);
  });

  router.post('/settings/members/:id/role', async (req, res) => {
    const viewer = requireRole(res, 'owner', 'admin');
    const { tenantId, memberId: byId } = viewer;
    const id = param(req, 'id');
    const role = z.enum(['owner', 'admin', 'member', 'viewer']).safeParse(req.body?.role).data;
    if (!role) throw refused('Choose one of the roles.');
    const by = { memberId: byId, at: ctx.clock() };
    const change = await inTenant(ctx.db, tenantId, (trx) => changeRole(trx, tenantId, id, role, by));
    if (change.kind !== 'done') throw refusal(change, viewerOf(res));
    // Whoever may only look now sends nothing more; whoever may send again finds what was held for that.
    const held = await holdWithdrawn(ctx, tenantId, { memberId: id });
    const { tone, text } = await releaseAllowedAndTell(ctx, viewer, { memberId: id });
    const words = [`${change.name} is ${roleWords[role]} now.${heldWords(held, viewer.locale)}`, text];
    await notify(req, tone, words.filter(Boolean).join(' '));
    res.redirect(303, id === byId && role !== 'owner' ? '/settings' : members);
  });

  router.post('/settings/members/:id/removal', async (req, res) => {
    const viewer = requireRole(res, 'owner', 'admin');
    const { tenantId, memberId: byId } = viewer;
    const id = param(req, 'id');
    if (id === byId) return leave(ctx, req, res);
    const change = await remove(ctx, tenantId, id, byId);
    if (change.kind !== 'done') throw refusal(change, viewerOf(res));
    const held = await holdWithdrawn(ctx, tenantId, { memberId: id });
    await notify(
      req,
      'ok',
      `${change.name} is no longer a member. What they wrote and sent stays under their name.${heldWords(held, viewer.locale)}`,
    );
    res.redirect(303, members);
  });

  router.post('/settings/members/departure', (req, res) => leave(ctx, req, res));

  return router;
}

/** Somebody leaves the company by themselves, in whatever role; an owner only where another one stays. */
async function leave(ctx: WebContext, req: Request, res: Response): Promise<void> {
  const { tenantId, memberId, tenant, memberships, locale } = viewerOf(res);
  const change = await remove(ctx, tenantId, memberId, memberId);
  if (change.kind !== 'done') throw refusal(change, viewerOf(res));
  const held = await holdWithdrawn(ctx, tenantId, { memberId });
  const left =
    held === 0
      ? ''
      : held === 1
        ? ' 1 email of yours was not sent yet: it is held.'
        : ` ${emailCount(held, locale)} of yours were not sent yet: they are held.`;
  delete req.session.tenantId;
  await notify(
    req,
    'ok',
    `You left ${tenant.name}. Your own Gmail, if you had connected it there, is disconnected.${left}`,
  );
  res.redirect(303, memberships.length > 1 ? '/companies' : '/welcome');
}

/** Invites somebody, and mails it from the company's mailbox where there is one. */
function inviteByMail(
  ctx: WebContext,
  { tenantId, memberId, name, email, tenant }: Viewer,
  invitation: z.infer<typeof invitationSchema>,
  /** Which form it was: sent twice, it is one email. */
  key: string,
) {
  return inTenant(ctx.db, tenantId, async (trx) => {
    await lockInvitations(trx, tenantId);
    const id = idOfForm(key, tenantId, invitation);
    if (id !== undefined && (await wasMailed(trx, tenantId, id))) return { kind: 'repeated' } as const;
    const invited = await invite(trx, tenantId, invitation, { memberId, at: ctx.clock() }, id);
    if (invited.kind !== 'invited') return invited;
    const link = `${ctx.publicUrl}${linkPath}?token=${invited.token}`;
    const from = await mailInvitation(trx, ctx.clock, tenantId, {
      ...{ ...invitation, link, invitationId: invited.id, until: onDay(invited.expiresAt), company: tenant.name },
      by: { memberId, name, email },
    });
    return { kind: 'invited', link, from } as const;
  });
}

/** With their own Gmail, where they connected one: both end in one transaction, and Google is told afterwards. */
async function remove(ctx: WebContext, tenantId: string, memberId: string, byId: string): Promise<MemberChange> {
  const leave = (trx: Database) => removeMember(trx, tenantId, memberId, { memberId: byId, at: ctx.clock() });
  const change = await inTenant(ctx.db, tenantId, leave);
  if (change.kind !== 'still_connected') return change;
  const done = await disconnectMailbox(ctx, { tenantId, memberId: byId }, change.mailboxId, async (trx) => {
    const change = await leave(trx);
    if (change.kind !== 'done') throw refused('They changed meanwhile, so nothing was done. Try once more.');
    return change;
  });
  // Disconnected by somebody else in between.
  return done?.result ?? inTenant(ctx.db, tenantId, leave);
}

const roleWords: Record<MemberRole, string> = {
  owner: 'an owner',
  admin: 'an admin',
  member: 'a member',
  viewer: 'a viewer, who may only look,',
};

function heldWords(held: number, locale: string): string {
  if (held === 0) return '';
  return ` ${emailCount(held, locale)} of theirs ${held === 1 ? 'is' : 'are'} held.`;
}

function refusal(change: Exclude<MemberChange, { kind: 'done' }>, { role }: Viewer): PageError {
  switch (change.kind) {
    case 'not_found':
      return PageError.notFound();
    case 'not_allowed':
      return PageError.forbidden(role);
    case 'last_owner':
      return refused('A company keeps an owner, and this is the only one. Make somebody else an owner first.');
    case 'owners_only':
      return refused('Only an owner can make somebody an owner, or change or remove one. Ask an owner to do it.');
    case 'still_connected':
      return refused('They connected their own Gmail just now. Nothing has changed; try once more.');
    default:
      return change satisfies never;
  }
}

function refused(message: string): PageError {
  const next = { href: members, label: 'Back to the members' };
  return new PageError(409, 'member_change', { title: 'Not changed', message, next });
}

const invitationSchema = z.object({
  email: z.string().transform((text, context) => {
    const read = readOneAddress(text);
    if (read.ok && read.email !== null) return read.email;
    const message = read.ok ? 'Write an email address, such as mira@northgate.example.' : read.message;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  }),
  role: z.enum(['admin', 'member', 'viewer']),
});

const typedInvitation = z.object({ email: z.string().catch(''), role: z.string().catch('member') });

async function membersPage(
  ctx: WebContext,
  req: Request,
  res: Response,
  values: { email: string; role: string },
  error: string | undefined,
  /** An invitation that could not be mailed, with the link that brings it. */
  handOver?: { readonly email: string; readonly link: string },
) {
  const { tenantId, role } = viewerOf(res);
  const after = z.uuid().safeParse(textParam(req, 'after')).data;
  const search = textParam(req, 'q').trim();
  const { list, invitations } = await inTenant(ctx.db, tenantId, async (trx) => ({
    list: await listMembers(trx, tenantId, { after, search }),
    invitations: await listInvitations(trx, tenantId),
  }));
  const query = search ? `&q=${encodeURIComponent(search)}` : '';
  await page(res, 'settings/members', {
    title: 'Members',
    section: 'settings',
    ...{
      members: list.rows,
      invitations,
      values,
      error,
      search,
      handOver,
      now: ctx.clock(),
      days: invitationDays,
      key: randomUUID(),
    },
    first: after && `${members}?${query}`,
    more: list.next && `${members}?after=${list.next}${query}`,
    mayChange: role === 'owner' || role === 'admin',
  });
}
