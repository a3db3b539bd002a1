import { randomUUID } from 'node:crypto';
import { type Response, Router } from 'express';
import { z } from 'zod';
import { isAddress } from '../deliveries/recipients.ts';
import { hasSharedMailbox, listMailboxes } from '../mailboxes/mailboxes.ts';
import { ruleFor } from '../mailboxes/sender.ts';
import { listRules, senderUnder } from '../mailboxes/sender-rules.ts';
import { invite, listInvitations, listMembers, withdrawInvitation } from '../tenants/members.ts';
import { inTenant } from '../tenants/scope.ts';
import { companySchema, getTenant, letterheadSchema, updateTenant } from '../tenants/tenants.ts';
import { countries, currencies, timeZones } from './choices.ts';
import type { WebContext } from './context.ts';
import { PageError } from './errors.ts';
import { onlyIds } from './query.ts';
import { page } from './render.ts';
import { aliasChoices } from './sender-choice.ts';
import { exceptionWords, senderRulePages } from './sender-rules.ts';
import { notify } from './session.ts';
import { param, requireRole, type Viewer, viewerOf } from './viewer.ts';

/** Settings: email (mailboxes and Send-From), company, members. */
export function settingsPages(ctx: WebContext): Router {
  const router = Router();
  onlyIds(router);

  router.get('/settings', (_req, res) => res.redirect(303, '/settings/email'));

  router.get('/settings/email', async (_req, res) => {
    await page(res, 'settings/email', {
      title: 'Email',
      section: 'settings',
      scripts: ['letterhead/settings.js'],
      ...(await emailSettings(ctx, viewerOf(res))),
    });
  });

  router.use(senderRulePages(ctx));

  router.get('/settings/company', async (_req, res) => {
    const { tenantId } = viewerOf(res);
    const tenant = await inTenant(ctx.db, tenantId, (trx) => getTenant(trx, tenantId));
    await companyPage(res, tenant, {});
  });

  router.post('/settings/company', async (req, res) => {
    const { tenantId } = requireRole(res, 'owner', 'admin');
    const company = companySchema.extend(letterheadSchema.shape).safeParse(req.body);
    if (!company.success) {
      res.status(422);
      return companyPage(res, req.body, z.flattenError(company.error).fieldErrors);
    }
    await inTenant(ctx.db, tenantId, (trx) => updateTenant(trx, tenantId, company.data));
    await notify(req, 'ok', 'Saved. New PDFs carry it; what was sent stays as it was.');
    res.redirect(303, '/settings/company');
  });

  router.get('/settings/members', async (_req, res) => {
    await membersPage(ctx, res, { email: '', role: 'member' }, undefined);
  });

  router.post('/settings/members/invitations', async (req, res) => {
    const { tenantId, memberId } = requireRole(res, 'owner', 'admin');
    const invitation = invitationSchema.safeParse(req.body);
    if (!invitation.success) {
      res.status(422);
      const values = typedInvitation.parse(req.body ?? {});
      return membersPage(ctx, res, values, invitation.error.issues[0]?.message);
    }
    const { email, role } = invitation.data;
    const invited = await inTenant(ctx.db, tenantId, (trx) =>
      invite(trx, tenantId, { email, role, invitedBy: memberId }),
    );
    await notify(
      req,
      invited ? 'ok' : 'wait',
      invited ? `${email} joins as soon as they sign in here with Google.` : `${email} is a member already.`,
    );
    res.redirect(303, '/settings/members');
  });

  router.post('/settings/members/invitations/:id/withdrawal', async (req, res) => {
    const { tenantId } = requireRole(res, 'owner', 'admin');
    const id = param(req, 'id');
    const withdrawn = await inTenant(ctx.db, tenantId, (trx) => withdrawInvitation(trx, tenantId, id));
    if (!withdrawn) throw PageError.notFound();
    await notify(req, 'ok', 'The invitation is withdrawn.');
    res.redirect(303, '/settings/members');
  });

  return router;
}

const invitationSchema = z.object({
  email: z.string().trim().refine(isAddress, 'Write an email address, such as mira@northgate.example.'),
  role: z.enum(['admin', 'member', 'viewer']),
});

const typedInvitation = z.object({ email: z.string().catch(''), role: z.string().catch('member') });

/** Everything the email page shows: mailboxes, the three modes with who they would make the sender, and the rule in force. */
async function emailSettings(ctx: WebContext, viewer: Viewer) {
  const { tenantId, memberId } = viewer;
  const { mailboxes, hasShared, rules, rule, resolve } = await inTenant(ctx.db, tenantId, async (trx) => {
    const rules = await listRules(trx, tenantId);
    const rule = ruleFor(null, rules);
    return {
      ...{ rules, rule, mailboxes: await listMailboxes(trx, tenantId, memberId) },
      hasShared: await hasSharedMailbox(trx, tenantId),
      resolve: await senderUnder(trx, tenantId, memberId, [rule, { mode: 'current_user' }]),
    };
  });
  return {
    // What is sent by delegation has a page of its own: nobody connects it.
    mailboxes: mailboxes
      .filter((each) => !each.delegated)
      .sort((a, b) => Number(a.state === 'disconnected') - Number(b.state === 'disconnected')),
    hasPersonal: mailboxes.some(
      (mailbox) => mailbox.kind === 'personal' && !mailbox.delegated && mailbox.state !== 'disconnected',
    ),
    hasShared,
    ...{ rule, now: resolve(rule), byDefault: resolve({ mode: 'default' }) },
    byMember: resolve({ mode: 'current_user' }),
    aliases: aliasChoices(mailboxes, rule),
    exceptions: exceptionWords(rules, mailboxes),
    mayChange: viewer.role === 'owner' || viewer.role === 'admin',
    maySend: viewer.role !== 'viewer',
    testKey: randomUUID(),
  };
}

function companyPage(res: Response, values: object, errors: Record<string, string[] | undefined>) {
  const { role } = viewerOf(res);
  const mayChange = role === 'owner' || role === 'admin';
  return page(res, 'settings/company', {
    title: 'Company',
    section: 'settings',
    values,
    errors,
    countries,
    currencies,
    timeZones,
    mayChange,
  });
}

async function membersPage(
  ctx: WebContext,
  res: Response,
  values: { email: string; role: string },
  error: string | undefined,
) {
  const { tenantId, role } = viewerOf(res);
  const { members, invitations } = await inTenant(ctx.db, tenantId, async (trx) => ({
    members: await listMembers(trx, tenantId),
    invitations: await listInvitations(trx, tenantId),
  }));
  const mayChange = role === 'owner' || role === 'admin';
  await page(res, 'settings/members', {
    title: 'Members',
    section: 'settings',
    members,
    invitations,
    values,
    error,
    mayChange,
  });
}
