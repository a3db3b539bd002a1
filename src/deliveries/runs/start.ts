import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { SenderResolution } from '../../mailboxes/sender.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Database } from '../../platform/database.ts';
import { wake } from '../../platform/wake.ts';
import { inTenant } from '../../tenants/scope.ts';
import { beginningOf } from '../begin.ts';
import { TemplateError } from '../merge.ts';
import { assertWithinCap } from '../recipient-cap.ts';
import type { RunRequest } from './asked.ts';
import { readTemplates } from './judge.ts';
import { askRun } from './question.ts';
import { chosenIds, holdRecords, mostRecords } from './records.ts';
import type { RunQuestion } from './survey.ts';
import { beginUndoWhenWritten, writeDeliveries, writeFirstEvents, writeRun } from './write-run.ts';

/** What became of the request. */
export type StartResult =
  /** `repeated` when this key had started it before. */
  | { readonly kind: 'started'; readonly runId: string; readonly repeated: boolean }
  | { readonly kind: 'refused'; readonly resolution: Extract<SenderResolution, { ok: false }> }
  /** The key belongs to another run. */
  | { readonly kind: 'key_used'; readonly runId: string }
  /** It would not be what the page showed. */
  | { readonly kind: 'changed' }
  | { readonly kind: 'too_many'; readonly most: number }
  /** None of the records can be sent. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'text'; readonly problems: readonly { readonly field: string; readonly message: string }[] };

/** Takes back everything that a start has written so far. */
class NotStarted extends Error {
  override readonly name = 'NotStarted';
  readonly code = 'not_started';
  readonly result: StartResult;

  constructor(result: StartResult) {
    super(`The run was not started: ${result.kind}`);
    this.result = result;
  }
}

/**
 * Starts a run: writes it and all of its deliveries in one transaction, set by set; either all exist or none. Sender,
 * texts, records and the company's head are frozen here. The PDFs are made from the frozen records when the first
 * worker, or somebody who looks, needs them.
 *
 * Runs of one company are started one after the other, and the records stay as they are meanwhile: of two colleagues
 * who start the same one, the second is shown what the first did.
 *
 * @param ctx the app's pool, the clock, and how many recipients a company may have a day
 * @throws {RecipientCapError} where they would be more; nothing is started then
 */
export async function startRun(
  ctx: {
    readonly db: Database;
    readonly clock: Clock;
    readonly recipientsPerDay?: number | null;
    readonly pdf: RunQuestion['pdf'];
  },
  request: RunRequest,
): Promise<StartResult> {
  try {
    return await inTenant(ctx.db, request.tenantId, async (trx) => {
      const result = await start(trx, ctx.clock, request, ctx.pdf);
      await assertWithinCap(trx, request.tenantId, ctx.recipientsPerDay ?? null, ctx.clock());
      return result;
    });
  } catch (error) {
    if (error instanceof NotStarted) return error.result;
    if (error instanceof TemplateError)
      return { kind: 'text', problems: [{ field: 'message', message: error.message }] };
    throw error;
  }
}

async function start(trx: Database, clock: Clock, request: RunRequest, pdf: RunQuestion['pdf']): Promise<StartResult> {
  const { tenantId, selection } = request;
  await sql`select pg_advisory_xact_lock(hashtextextended(${`runs ${tenantId}`}, 0))`.execute(trx);
  const requestHash = hashOf(request);
  const earlier = await findByKey(trx, request);
  if (earlier?.request_hash === requestHash) return { kind: 'started', runId: earlier.id, repeated: true };
  if (earlier) return { kind: 'key_used', runId: earlier.id };

  const read = readTemplates(request.text);
  if (!read.ok) return { kind: 'text', problems: read.problems };
  const question = await askRun(trx, { clock, pdf }, request, selection, read.templates, request.thoughPaid);
  const { resolution, rule } = question;
  if (!resolution.ok) return { kind: 'refused', resolution };
  const ids = await chosenIds(trx, tenantId, selection);
  if (ids.length > mostRecords) return { kind: 'too_many', most: mostRecords };
  await holdRecords(trx, tenantId, ids);

  const run = await writeRun(trx, request, question, resolution.sender, requestHash);
  const wish = { undo: true, many: true, sendAt: request.sendAt ?? null, anyTime: request.anyTime ?? false };
  const departure = await beginningOf(trx, tenantId, resolution, wish, question.now);
  const common = { run, rule, departure };
  const { total, leftOut, leftOutRecords, fingerprint } = await writeDeliveries(trx, request, question, ids, common);
  if (fingerprint !== request.fingerprint) throw new NotStarted({ kind: 'changed' });
  if (total === 0) throw new NotStarted({ kind: 'nothing' });
  await trx
    .updateTable('runs')
    .set({ total, left_out: JSON.stringify(leftOut), left_out_records: JSON.stringify(leftOutRecords) })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', run.id)
    .execute();
  await beginUndoWhenWritten(trx, run.id, departure, question.now, clock());
  const from = `To be sent from ${resolution.sender.fromEmail}.`;
  await writeFirstEvents(trx, run.id, departure.state === 'held' ? departure.detail : from, request.memberId);
  if (departure.state === 'queued') await wake(trx, 'waiting');
  return { kind: 'started', runId: run.id, repeated: false };
}

function findByKey(trx: Database, { tenantId, idempotencyKey }: RunRequest) {
  return trx
    .selectFrom('runs')
    .select(['id', 'request_hash'])
    .where('tenant_id', '=', tenantId)
    .where('idempotency_key', '=', idempotencyKey)
    .executeTakeFirst();
}

function hashOf({ selection, text, again, thoughPaid = false, sendAt = null, anyTime = false }: RunRequest): string {
  const { kind, status, overdueOn, partyId, search, ids } = selection;
  const chosen = [kind, status, overdueOn, partyId, search, ids];
  const said = [...chosen, text.subject, text.message, again, thoughPaid, sendAt, anyTime];
  return createHash('sha256').update(JSON.stringify(said)).digest('hex');
}
