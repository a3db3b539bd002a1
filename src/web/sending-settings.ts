import { type Response, Router } from 'express';
import { z } from 'zod';
import { countForHours, reconsiderHours } from '../deliveries/reconsider-hours.ts';
import type { Database } from '../platform/database.ts';
import { wallTimeOf } from '../platform/zoned-time.ts';
import { inTenant } from '../tenants/scope.ts';
import { isAllowed, type SendingHours, sendingHoursSchema } from '../tenants/sending-hours.ts';
import { type SendingRules, sendingRulesOf, setSendingRules } from '../tenants/sending-rules.ts';
import type { WebContext } from './context.ts';
import { tellReleased } from './released-words.ts';
import { page } from './render.ts';
import { notify } from './session.ts';
import { requireRole, viewerOf } from './viewer.ts';

/** The undo windows to choose from, in seconds. */
const undoChoices = [0, 5, 10, 20, 30, 60];

/** What the form suggests to a company that has no hours yet. */
const usual: SendingHours = { days: [1, 2, 3, 4, 5], from: '08:00', to: '18:00', holidays: [] };

/** Settings → Sending: the undo window, and at which hours emails leave. */
export function sendingSettingsPages(ctx: WebContext): Router {
  const router = Router();

  router.get('/settings/sending', async (_req, res) => {
    const { tenantId } = viewerOf(res);
    const rules = await inTenant(ctx.db, tenantId, (trx) => sendingRulesOf(trx, tenantId));
    await settingsPage(ctx, res, rules, formOf(rules), {});
  });

  router.post('/settings/sending', async (req, res) => {
    const viewer = requireRole(res, 'owner', 'admin');
    const { tenantId } = viewer;
    const form = formSchema.parse(req.body ?? {});
    const before = await inTenant(ctx.db, tenantId, (trx) => sendingRulesOf(trx, tenantId));
    const today = wallTimeOf(ctx.clock(), before.timeZone).slice(0, 10);
    // What has passed decides nothing any more.
    const holidays = form.holidays.filter((date) => date !== '' && date >= today);
    const hours = form.when === 'hours' ? sendingHoursSchema.safeParse({ ...form, holidays }) : null;
    if (hours && !hours.success) {
      res.status(422);
      return settingsPage(ctx, res, before, form, z.flattenError(hours.error).fieldErrors);
    }
    const after = { ...before, undoSeconds: form.undoSeconds, hours: hours?.data ?? null };
    const { text } = await inTenant(ctx.db, tenantId, async (trx) => {
      const waiting = await waitingForHours(ctx, trx, tenantId, before);
      await setSendingRules(trx, tenantId, { undoSeconds: after.undoSeconds, hours: after.hours });
      const reconsidered = await reconsiderHours(ctx, trx, tenantId);
      // Of what did not wait for the hours nothing has changed, unless it does now.
      return tellReleased(trx, ctx, viewer, waiting > 0 || !isOpen(after, ctx.clock()) ? reconsidered : []);
    });
    await notify(req, 'ok', `Saved. ${text}`.trim());
    res.redirect(303, '/settings/sending');
  });

  return router;
}

/** Fields that come many times: qs makes an array of some, and an object of very many. */
const many = z
  .union([z.string(), z.array(z.string()), z.record(z.string(), z.string())])
  .transform((value) => (typeof value === 'string' ? [value] : Object.values(value)))
  .catch([]);

const formSchema = z.object({
  undoSeconds: z.coerce.number().catch(10).transform(nearestChoice),
  when: z.enum(['any', 'hours']).catch('any'),
  days: many.transform((days) => days.filter(Boolean).map(Number)),
  from: z.string().catch(''),
  to: z
    .string()
    .catch('')
    // The end of the day: an input for a time knows no 24:00.
    .transform((time) => (time === '00:00' ? '24:00' : time)),
  holidays: many,
});

type SendingForm = z.infer<typeof formSchema>;

function isOpen({ hours, timeZone }: SendingRules, now: Date): boolean {
  return hours === null || isAllowed(now, hours, timeZone);
}

/** How many emails wait for the hours now; none while they are open. */
async function waitingForHours(ctx: WebContext, trx: Database, tenantId: string, rules: SendingRules): Promise<number> {
  return isOpen(rules, ctx.clock()) ? 0 : countForHours(trx, tenantId);
}

function nearestChoice(seconds: number): number {
  return undoChoices.reduce((best, each) => (Math.abs(each - seconds) < Math.abs(best - seconds) ? each : best), 0);
}

function formOf({ undoSeconds, hours }: SendingRules): SendingForm {
  return { undoSeconds, when: hours ? 'hours' : 'any', ...(hours ?? usual) };
}

async function settingsPage(
  ctx: WebContext,
  res: Response,
  rules: SendingRules,
  form: SendingForm,
  errors: Record<string, string[] | undefined>,
) {
  const { role, tenantId } = viewerOf(res);
  const waiting = await inTenant(ctx.db, tenantId, (trx) => waitingForHours(ctx, trx, tenantId, rules));
  await page(res, 'settings/sending', {
    title: 'Sending',
    section: 'settings',
    ...{ form, errors, undoChoices, waiting, timeZone: rules.timeZone },
    now: wallTimeOf(ctx.clock(), rules.timeZone).slice(11),
    // A few empty ones to fill in.
    holidays: [...form.holidays, '', '', '', ''],
    mayChange: role === 'owner' || role === 'admin',
  });
}
