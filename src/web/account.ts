import { Router } from 'express';
import { z } from 'zod';
import { formatDate, formatMoney, formatNumber } from '../documents/format.ts';
import { inTenant } from '../tenants/scope.ts';
import { localeOf } from '../tenants/tenants.ts';
import { countries } from './choices.ts';
import type { WebContext } from './context.ts';
import { PageError } from './errors.ts';
import { page } from './render.ts';
import { notify } from './session.ts';
import { viewerOf } from './viewer.ts';

/** What each member sets for themselves: how their pages write numbers, money and dates. */
export function accountPages(ctx: WebContext): Router {
  const router = Router();

  router.get('/settings/account', async (_req, res) => {
    const viewer = viewerOf(res);
    const own = localeOf(viewer.tenant);
    await page(res, 'settings/account', {
      title: 'Your account',
      section: 'settings',
      chosen: viewer.locale === own ? '' : viewer.locale.slice(3),
      companys: sampleOf(own, viewer.tenant.currency),
      places: countries.map(({ value, label }) => ({
        value,
        label: `${label}: ${sampleOf(`en-${value}`, viewer.tenant.currency)}`,
      })),
    });
  });

  router.post('/settings/account', async (req, res) => {
    const { tenantId, memberId } = viewerOf(res);
    const place = z.enum(['', ...countries.map(({ value }) => value)]).safeParse(req.body?.place).data;
    if (place === undefined) throw badPlace();
    const locale = place === '' ? null : `en-${place}`;
    await inTenant(ctx.db, tenantId, (trx) =>
      trx.updateTable('members').set({ locale }).where('tenant_id', '=', tenantId).where('id', '=', memberId).execute(),
    );
    await notify(req, 'ok', 'Saved. This page, and every other, writes numbers and dates that way for you.');
    res.redirect(303, '/settings/account');
  });

  return router;
}

/** `1,234.5 · €1,234.50 · 31 December 2026`. */
function sampleOf(locale: string, currency: string): string {
  return [
    formatNumber('1234.5', locale),
    formatMoney('1234.5', currency, locale),
    formatDate('2026-12-31', locale),
  ].join(' · ');
}

function badPlace(): PageError {
  return new PageError(422, 'bad_choice', {
    title: 'Choose one of the list',
    message: 'Nothing was changed. Choose how numbers and dates are written for you.',
    next: { href: '/settings/account', label: 'Back' },
  });
}
