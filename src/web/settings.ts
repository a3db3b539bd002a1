import { type Response, Router } from 'express';
import { z } from 'zod';
import { tellOwners } from '../deliveries/company-notices.ts';
import { reconsiderHours } from '../deliveries/reconsider-hours.ts';
import { inTenant } from '../tenants/scope.ts';
import { changeCompany, companySchema, getTenant, letterheadSchema, lockCompany } from '../tenants/tenants.ts';
import { accountPages } from './account.ts';
import { changePages } from './changes.ts';
import { countries, currencies, timeZones } from './choices.ts';
import { companyConflict, companyMark } from './company-conflict.ts';
import type { WebContext } from './context.ts';
import { defaultSenderPages } from './default-sender.ts';
import { emailSettings } from './email-settings.ts';
import { memberPages } from './members.ts';
import { textField, textParam, typedTexts } from './query.ts';
import { tellReleased } from './released-words.ts';
import { page } from './render.ts';
import { senderRulePages } from './sender-rules.ts';
import { sendingSettingsPages } from './sending-settings.ts';
import { notify } from './session.ts';
import { requireRole, viewerOf } from './viewer.ts';

/** Settings: email (mailboxes and Send-From), company, members. */
export function settingsPages(ctx: WebContext): Router {
  const router = Router();

  router.get('/settings', (_req, res) => res.redirect(303, '/settings/email'));

  router.get('/settings/email', async (req, res) => {
    await page(res, 'settings/email', {
      title: 'Email',
      section: 'settings',
      scripts: ['letterhead/settings.js'],
      ...(await emailSettings(ctx, viewerOf(res), textParam(req, 'after'))),
    });
  });

  router.use(memberPages(ctx));
  router.use(senderRulePages(ctx));
  router.use(defaultSenderPages(ctx));
  router.use(sendingSettingsPages(ctx));
  router.use(changePages(ctx));
  router.use(accountPages(ctx));

  router.get('/settings/company', async (_req, res) => {
    const { tenantId } = viewerOf(res);
    const tenant = await inTenant(ctx.db, tenantId, (trx) => getTenant(trx, tenantId));
    await companyPage(res, tenant, {}, companyMark(tenant));
  });

  router.post('/settings/company', async (req, res) => {
    const viewer = requireRole(res, 'owner', 'admin');
    const { tenantId, memberId, name, email, tenant } = viewer;
    const company = companySchema.extend(letterheadSchema.shape).safeParse(req.body);
    if (!company.success) {
      res.status(422);
      // What is refused stays as it was seen: what somebody else changes meanwhile is still said.
      return companyPage(res, typedTexts(req), z.flattenError(company.error).fieldErrors, textField(req, 'seen'));
    }
    const saved = await inTenant(ctx.db, tenantId, async (trx) => {
      const stored = await lockCompany(trx, tenantId);
      const changed = await companyConflict(trx, viewer, stored, textField(req, 'seen'), typedTexts(req), ctx.clock());
      if (changed) return { changed };
      const by = { memberId, at: ctx.clock() };
      const fields = await changeCompany(trx, tenantId, company.data, by);
      if (fields.length > 0)
        await tellOwners(ctx, trx, tenantId, { changed: fields, by: { ...by, name, email }, tenant });
      // Its clock may be another now.
      const reconsidered = await reconsiderHours(ctx, trx, tenantId);
      return {
        released: await tellReleased(trx, ctx, viewer, company.data.timeZone === tenant.timeZone ? [] : reconsidered),
      };
    });
    if (saved.changed) {
      res.status(409);
      return companyPage(res, typedTexts(req), {}, saved.changed.mark, saved.changed);
    }
    const { text } = saved.released;
    await notify(
      req,
      'ok',
      `Saved. New PDFs carry it. What was sent stays as it was, and emails that wait keep the letterhead they were written with. ${text}`.trim(),
    );
    res.redirect(303, '/settings/company');
  });

  return router;
}

function companyPage(
  res: Response,
  values: object,
  errors: Record<string, string[] | undefined>,
  seen: string,
  changed?: Awaited<ReturnType<typeof companyConflict>>,
) {
  const { role } = viewerOf(res);
  const mayChange = role === 'owner' || role === 'admin';
  return page(res, 'settings/company', {
    title: 'Company',
    section: 'settings',
    values,
    errors,
    ...{ seen, changed },
    countries,
    currencies,
    timeZones,
    mayChange,
  });
}
