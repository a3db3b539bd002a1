import { Router } from 'express';
import { listChanges, type RightsChangeLine } from '../tenants/rights-changes.ts';
import { inTenant } from '../tenants/scope.ts';
import { changeWords } from './change-words.ts';
import type { WebContext } from './context.ts';
import { textParam } from './query.ts';
import { page } from './render.ts';
import { requireRole } from './viewer.ts';
import { exactly } from './words.ts';

const address = '/settings/changes';

/** Who changed what anybody may do: for owners and admins. */
export function changePages(ctx: WebContext): Router {
  const router = Router();

  router.get(address, async (req, res) => {
    const { tenantId, tenant, locale } = requireRole(res, 'owner', 'admin');
    const before = textParam(req, 'before');
    const { rows, next } = await inTenant(ctx.db, tenantId, (trx) => listChanges(trx, tenantId, { before }));
    await page(res, 'settings/changes', {
      title: 'Changes',
      section: 'settings',
      ...{ rows, timeZone: tenant.timeZone },
      changeWords: (line: RightsChangeLine) => changeWords(line, locale),
      exactly: (date: Date) => exactly(date, tenant.timeZone, locale),
      first: before && address,
      more: next && `${address}?before=${next}`,
    });
  });

  return router;
}
