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
import { type Decision, isDecision } from '../deliveries/decide.ts';
import { addUp, type Decided, decideAndTell } from '../deliveries/decided.ts';
import { type DeliverySummary, listDeliveries } from '../deliveries/deliveries.ts';
import { type RecordNow, unaskedOf } from '../deliveries/record-now.ts';
import { inTenant } from '../tenants/scope.ts';
import type { WebContext } from './context.ts';
import { decidedWords } from './decided-words.ts';
import { bulkWords, whyWords } from './delivery-words.ts';
import { PageError } from './errors.ts';
import { heldUpNotices } from './held-up.ts';
import { textParam } from './query.ts';
import { page } from './render.ts';
import { notify } from './session.ts';
import { type Telling, tellingOf } from './telling.ts';
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
      const { list, telling, heldUp } = await inTenant(ctx.db, tenantId, async (trx) => {
        const list = await listDeliveries(trx, tenantId, onlooker, { after });
        const telling = await tellingOf(trx, ctx, viewer, list.rows);
        return { list, telling, heldUp: await heldUpNotices(trx, ctx, viewer) };
      });
      const shown = { ...list, telling, heldUp, isFirst: after === '' };
      return page(res, 'deliveries/activity', { title: 'Activity', section: 'activity', ...shown });
    }
    const asked = req.query['why'];
    const { list, counts, theirs, why, telling, heldUp } = await inTenant(ctx.db, tenantId, async (trx) => {
      const counts = await countByWhy(trx, tenantId, onlooker);
      // Where all need somebody for the same, the page says what to do about that, and its buttons fit it.
      const [first = null, ...others] = counts.keys();
      const why = isWhy(asked) ? asked : others.length === 0 ? first : null;
      const only = why ? needsSomebodyFor(why) : undefined;
      const list = await listDeliveries(trx, tenantId, onlooker, { after, attention: why !== 'answered', only });
      const ids = list.rows.map(({ id }) => id);
      const telling = await tellingOf(trx, ctx, viewer, list.rows);
      const heldUp = await heldUpNotices(trx, ctx, viewer);
      return { list, counts, why, telling, heldUp, theirs: new Set(await keepTheirs(trx, tenantId, onlooker, ids)) };
    });
    const choices =
      viewer.role === 'viewer'
        ? []
        : choicesFor(
            list.rows.filter(({ id }) => theirs.has(id)),
            telling,
            why,
          );
    await page(res, 'deliveries/attention', {
      title: 'Needs you',
      section: 'activity',
      scripts: ['letterhead/select.js'],
      ...{ ...list, telling, heldUp, theirs, choices, why, whyWords, isFirst: after === '' },
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
    const words = (decision: Decision, decided: Decided) =>
      decidedWords(decision, decided, { viewer, now: ctx.clock() });
    if (form.which === 'all' && form.why) {
      const decided = await decideAll(ctx, viewer, form.decision, form.why, form.until ?? ctx.clock());
      await notify(req, ...words(form.decision, decided));
    } else if (form.ids.length === 0) {
      await notify(req, 'fail', 'Nothing was ticked. Tick the emails that you want to decide about.');
    } else {
      await notify(req, ...words(form.decision, await decideTicked(ctx, viewer, form.decision, form.ids)));
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

/** The buttons for these deliveries: whatever fits at least one of them, and can work. */
function choicesFor(
  rows: readonly DeliverySummary[],
  telling: (delivery: DeliverySummary) => Telling,
  why: Why | null,
): { decision: Decision; label: string }[] {
  const fitting = new Set(
    rows.flatMap((row) => {
      const { decisions, record } = telling(row);
      return decisions.filter((decision) => fitsMany(decision, record));
    }),
  );
  // One that may have been sent among them is enough to say that it is to be looked for first.
  const careful = rows.some(({ heldReason }) => heldReason === 'restored') ? 'restored' : why;
  return [...fitting].map((decision) => ({ decision, label: bulkWords(decision, careful) }));
}

/** A button for many asks nothing of each: what has to be said of a record is said on the email’s own page. */
function fitsMany(decision: Decision, record: RecordNow | null): boolean {
  if (record === null) return true;
  if (decision === 'send_new_version') return unaskedOf(record, { asItWas: true }) === null;
  return (decision !== 'send_again' && decision !== 'send_now') || unaskedOf(record) === null;
}

function decideTicked(ctx: WebContext, viewer: Viewer, decision: Decision, ids: readonly string[]): Promise<Decided> {
  const { tenantId, memberId } = viewer;
  return inTenant(ctx.db, tenantId, async (trx) => {
    const theirs = await keepTheirs(trx, tenantId, onlookerOf(viewer), ids);
    return decideAndTell(ctx, trx, tenantId, theirs, decision, memberId);
  });
}

/** How many are decided about in one transaction. */
const batch = 1_000;

/** Goes through all of them, past those that the decision does not fit. */
async function decideAll(ctx: WebContext, viewer: Viewer, decision: Decision, why: Why, until: Date): Promise<Decided> {
  const { tenantId, memberId } = viewer;
  let after: string | undefined;
  let all: Decided | undefined;
  do {
    const page = { until, after, limit: batch };
    const { ids, decided } = await inTenant(ctx.db, tenantId, async (trx) => {
      const ids = await takeTheirs(trx, tenantId, onlookerOf(viewer), why, page);
      return { ids, decided: await decideAndTell(ctx, trx, tenantId, ids, decision, memberId) };
    });
    all = all ? addUp(all, decided) : decided;
    after = ids.length < batch ? undefined : ids.at(-1);
  } while (after !== undefined);
  return all;
}
