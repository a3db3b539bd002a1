import { randomUUID } from 'node:crypto';
import { type Response, Router } from 'express';
import { z } from 'zod';
import { hasSharedMailbox, listMailboxes } from '../mailboxes/mailboxes.ts';
import { ruleFor } from '../mailboxes/sender.ts';
import { listRules, senderUnder } from '../mailboxes/sender-rules.ts';
import { inTenant } from '../tenants/scope.ts';
import { companySchema, getTenant, letterheadSchema, releaseHoursOf, updateTenant } from '../tenants/tenants.ts';
import { countries, currencies, timeZones } from './choices.ts';
import type { WebContext } from './context.ts';
import { defaultChoices, defaultSenderPages } from './default-sender.ts';
import { memberPages } from './members.ts';
import { mayWords } from './permission-words.ts';
import { page } from './render.ts';
import { aliasChoices, withoutAliases } from './sender-choice.ts';
import { exceptionWords, senderRulePages } from './sender-rules.ts';
import { notify } from './session.ts';
import { requireRole, type Viewer, viewerOf } from './viewer.ts';

/** Settings: email (mailboxes and Send-From), company, members. */
export function settingsPages(ctx: WebContext): Router {
  const router = Router();

  router.get('/settings', (_req, res) => res.redirect(303, '/settings/email'));

  router.get('/settings/email', async (_req, res) => {
    await page(res, 'settings/email', {
      title: 'Email',
      section: 'settings',
      scripts: ['letterhead/settings.js'],
      ...(await emailSettings(ctx, viewerOf(res))),
    });
  });

  router.use(memberPages(ctx));
  router.use(senderRulePages(ctx));
  router.use(defaultSenderPages(ctx));

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

  return router;
}

/** Everything the email page shows: mailboxes, the three modes with who they would make the sender, and the rule in force. */
async function emailSettings(ctx: WebContext, viewer: Viewer) {
  const { tenantId, memberId } = viewer;
  const { mailboxes, hasShared, rules, releaseHours, rule, resolve, defaults } = await inTenant(
    ctx.db,
    tenantId,
    async (trx) => {
      const rules = await listRules(trx, tenantId);
      const rule = ruleFor(null, rules);
      const mailboxes = await listMailboxes(trx, tenantId, memberId);
      const all = [rule, ...rules.map((each) => each.rule)];
      return {
        ...{ rules, rule, mailboxes, defaults: await defaultChoices(trx, tenantId, memberId, all, mailboxes) },
        releaseHours: await releaseHoursOf(trx, tenantId),
        hasShared: await hasSharedMailbox(trx, tenantId),
        resolve: await senderUnder(trx, tenantId, memberId, [rule, { mode: 'current_user' }]),
      };
    },
  );
  return {
    // What is sent by delegation has a page of its own: nobody connects it.
    mailboxes: mailboxes
      .filter((each) => !each.delegated)
      .sort((a, b) => Number(a.state === 'disconnected') - Number(b.state === 'disconnected')),
    hasPersonal: mailboxes.some(
      (mailbox) => mailbox.kind === 'personal' && !mailbox.delegated && mailbox.state !== 'disconnected',
    ),
    hasShared,
    ...defaults,
    ...{ rule, now: resolve(rule), byDefault: resolve({ mode: 'default' }) },
    byMember: resolve({ mode: 'current_user' }),
    aliases: aliasChoices(mailboxes, rule),
    aliasPermission: withoutAliases(mailboxes).map(({ id, email }) => ({
      ...{ id, email, offered: ctx.offered.includes('aliases') },
    })),
    ...{ mayWords, releaseHours },
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
