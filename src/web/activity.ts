import { Router } from 'express';
import { z } from 'zod';
import {
  countByWhy,
  isWhy,
  keepTheirs,
  needsSomebodyFor,
  takeTheirs,
  type Why,
  whys,
} from '../deliveries/attention.ts';
import { type Decision, decide, decisionsFor, isDecision } from '../deliveries/decide.ts';
import { type DeliverySummary, listDeliveries } from '../deliveries/deliveries.ts';
import { inTenant } from '../tenants/scope.ts';
import type { WebContext } from './context.ts';
import { bulkWords, decidedWords, nextStep, whyWords } from './delivery-words.ts';
import { PageError } from './errors.ts';
import { textParam } from './query.ts';
import { pillOf } from './record-words.ts';
import { page } from './render.ts';
import { notify } from './session.ts';
import { onlookerOf, requireRole, type Viewer, viewerOf } from './viewer.ts';

/** Activity: everything, and what needs somebody, where many can be decided about at once. */
export function activityPages(ctx: WebContext): Router {
  const router = Router();

  router.get('/activity', async (req, res) => {
    const viewer = viewerOf(res);
    const { tenantId } = viewer;
    const onlooker = onlookerOf(viewer);
    const after = textParam(req, 'after');
    if (req.query['show'] !== 'attention') {
      const list = await inTenant(ctx.db, tenantId, (trx) => listDeliveries(trx, tenantId, onlooker, { after }));
      const shown = { ...list, pillOf, nextStep, isFirst: after === '' };
      return page(res, 'deliveries/activity', { title: 'Activity', section: 'activity', ...shown });
    }
    const asked = req.query['why'];
    const { list, counts, theirs, why } = await inTenant(ctx.db, tenantId, async (trx) => {
      const counts = await countByWhy(trx, tenantId, onlooker);
      // Where all need somebody for the same, the page says what to do about that, and its buttons fit it.
      const [first = null, ...others] = counts.keys();
      const why = isWhy(asked) ? asked : others.length === 0 ? first : null;
      const only = why ? needsSomebodyFor(why) : undefined;
      const list = await listDeliveries(trx, tenantId, onlooker, { after, attention: true, only });
      const ids = list.rows.map(({ id }) => id);
      return { list, counts, why, theirs: new Set(await keepTheirs(trx, tenantId, onlooker, ids)) };
    });
    const choices =
      viewer.role === 'viewer'
        ? []
        : choicesFor(
            list.rows.filter(({ id }) => theirs.has(id)),
            why,
          );
    await page(res, 'deliveries/attention', {
      title: 'Needs you',
      section: 'activity',
      scripts: ['letterhead/select.js'],
      ...{ ...list, pillOf, nextStep, theirs, choices, why, whyWords, isFirst: after === '' },
      kinds: whys.flatMap((each) => (counts.has(each) ? [{ why: each, count: counts.get(each)?.seen ?? 0 }] : [])),
      // Enough of a kind to decide about all of them rather than a page at a time.
      all: why && choices.length > 0 ? (counts.get(why)?.theirs ?? 0) : 0,
      until: ctx.clock().toISOString(),
    });
  });

  router.post('/activity/decisions', async (req, res) => {
    const viewer = requireRole(res, 'owner', 'admin', 'member');
    const form = formSchema.parse(req.body ?? {});
    if (!isDecision(form.decision)) throw PageError.notFound();
    const back = `/activity?show=attention${form.why ? `&why=${form.why}` : ''}`;
    if (form.which === 'all' && form.why) {
      const { decided, asked } = await decideAll(ctx, viewer, form.decision, form.why, form.until ?? ctx.clock());
      await notify(req, decided === asked ? 'ok' : 'wait', decidedWords(form.decision, decided, asked));
    } else if (form.ids.length === 0) {
      await notify(req, 'fail', 'Nothing was ticked. Tick the emails that you want to decide about.');
    } else {
      const decided = await decideTicked(ctx, viewer, form.decision, form.ids);
      const tone = decided === form.ids.length ? 'ok' : 'wait';
      await notify(req, tone, decidedWords(form.decision, decided, form.ids.length));
    }
    res.redirect(303, back);
  });

  return router;
}

const formSchema = z
  .object({
    decision: z.string().catch(''),
    /** The ticked ones, or all that need somebody for the same. */
    which: z.enum(['ticked', 'all']).catch('ticked'),
    why: z.enum(whys).nullable().catch(null),
    /** When the page was made. */
    until: z.iso
      .datetime()
      .transform((text) => new Date(text))
      .nullable()
      .catch(null),
    // qs makes an array of some, and an object of very many.
    id: z
      .union([z.string(), z.array(z.string()), z.record(z.string(), z.string())])
      .transform((value) => (typeof value === 'string' ? [value] : Object.values(value)))
      .catch([]),
  })
  .transform(({ id, ...form }) => ({
    ...form,
    ids: [...new Set(id.filter((each) => z.uuid().safeParse(each).success))].slice(0, 1_000),
  }));

/** The buttons for these deliveries: whatever fits at least one of them. */
function choicesFor(rows: readonly DeliverySummary[], why: Why | null): { decision: Decision; label: string }[] {
  const fitting = new Set(rows.flatMap((row) => decisionsFor(row)));
  // One that may have been sent among them is enough to say that it is to be looked for first.
  const careful = rows.some(({ heldReason }) => heldReason === 'restored') ? 'restored' : why;
  return [...fitting].map((decision) => ({ decision, label: bulkWords(decision, careful) }));
}

function decideTicked(ctx: WebContext, viewer: Viewer, decision: Decision, ids: readonly string[]): Promise<number> {
  const { tenantId, memberId } = viewer;
  return inTenant(ctx.db, tenantId, async (trx) => {
    const theirs = await keepTheirs(trx, tenantId, onlookerOf(viewer), ids);
    return (await decide(ctx, trx, tenantId, theirs, decision, memberId)).length;
  });
}

/** How many are decided about in one transaction. */
const batch = 1_000;

/** Goes through all of them, past those that the decision does not fit. */
async function decideAll(
  ctx: WebContext,
  viewer: Viewer,
  decision: Decision,
  why: Why,
  until: Date,
): Promise<{ readonly decided: number; readonly asked: number }> {
  const { tenantId, memberId } = viewer;
  let after: string | undefined;
  let [decided, asked] = [0, 0];
  do {
    const page = { until, after, limit: batch };
    const { ids, done } = await inTenant(ctx.db, tenantId, async (trx) => {
      const ids = await takeTheirs(trx, tenantId, onlookerOf(viewer), why, page);
      return { ids, done: (await decide(ctx, trx, tenantId, ids, decision, memberId)).length };
    });
    decided += done;
    asked += ids.length;
    after = ids.length < batch ? undefined : ids.at(-1);
  } while (after !== undefined);
  return { decided, asked };
}
