import { randomUUID } from 'node:crypto';
import type { RunRequest } from '../../src/deliveries/runs/asked.ts';
import { type RunText, readTemplates, usualText } from '../../src/deliveries/runs/judge.ts';
import { type Overview, overview } from '../../src/deliveries/runs/overview.ts';
import { askRun } from '../../src/deliveries/runs/question.ts';
import { chosenIds, type RunSelection } from '../../src/deliveries/runs/records.ts';
import { getRun, type RunRecord } from '../../src/deliveries/runs/runs.ts';
import { type StartResult, startRun } from '../../src/deliveries/runs/start.ts';
import type { DeliveryState } from '../../src/platform/database-types.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import type { WebContext } from '../../src/web/context.ts';

type Context = Pick<WebContext, 'db' | 'clock' | 'pdf'>;

/** Who starts runs. */
export interface Starter {
  readonly tenantId: string;
  readonly memberId: string;
}

/** All invoices of the company, whatever their status. */
export const allInvoices: RunSelection = { kind: 'invoice' };

/** What the page that starts a run would show. */
export function lookOver(
  ctx: Context,
  who: Starter,
  selection: RunSelection = allInvoices,
  text: RunText = usualText(),
): Promise<Overview> {
  const read = readTemplates(text);
  if (!read.ok) throw new Error('The text is wrong.');
  return inTenant(ctx.db, who.tenantId, async (trx) =>
    overview(
      trx,
      await askRun(trx, ctx, who, selection, read.templates),
      await chosenIds(trx, who.tenantId, selection),
    ),
  );
}

/** What the page would send, as it is shown now. */
export async function asShown(ctx: Context, who: Starter, over: Partial<RunRequest> = {}): Promise<RunRequest> {
  const { selection = allInvoices, text = usualText() } = over;
  const { fingerprint } = await lookOver(ctx, who, selection, text);
  return { ...who, idempotencyKey: randomUUID(), selection, text, again: [], fingerprint, ...over };
}

/** Starts a run, with whatever answer. */
export async function tryStart(ctx: Context, who: Starter, over: Partial<RunRequest> = {}): Promise<StartResult> {
  return startRun(ctx, await asShown(ctx, who, over));
}

/** Starts a run; returns its id. */
export async function started(ctx: Context, who: Starter, over: Partial<RunRequest> = {}): Promise<string> {
  const result = await tryStart(ctx, who, over);
  if (result.kind !== 'started') throw new Error(`The run was not started: ${JSON.stringify(result)}`);
  return result.runId;
}

/** A run as its owner sees it. */
export async function runNow({ db }: Context, { tenantId, memberId }: Starter, runId: string): Promise<RunRecord> {
  const run = await inTenant(db, tenantId, (trx) => getRun(trx, tenantId, { memberId, seesAll: true }, runId));
  if (!run) throw new Error(`There is no run ${runId}.`);
  return run;
}

/** Its deliveries, in the order in which they leave. */
export function deliveriesOf({ db }: Context, { tenantId }: Starter, runId: string) {
  return inTenant(db, tenantId, (trx) =>
    trx.selectFrom('deliveries').selectAll().where('run_id', '=', runId).orderBy('created_at').orderBy('id').execute(),
  );
}

/** Puts some of its deliveries into a state, without a timeline, as if they had come there. */
export function putInto(
  { db }: Context,
  { tenantId }: Starter,
  deliveryIds: readonly string[],
  state: Exclude<DeliveryState, 'held'>,
): Promise<unknown> {
  return inTenant(db, tenantId, (trx) =>
    trx
      .updateTable('deliveries')
      .set({ state, held_reason: null })
      .where('id', 'in', [...deliveryIds])
      .execute(),
  );
}
