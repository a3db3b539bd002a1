import { createHash, randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { Sender, SenderResolution, SenderRule } from '../../mailboxes/sender.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Database } from '../../platform/database.ts';
import { wake } from '../../platform/wake.ts';
import { inTenant } from '../../tenants/scope.ts';
import { beginningOf, columnsOf } from '../begin.ts';
import type { Departure } from '../departure.ts';
import { TemplateError } from '../merge.ts';
import { assertWithinCap } from '../recipient-cap.ts';
import { type Asked, type LeftOutRecord, mostLeftOutKept } from './asked.ts';
import { type Judgement, type Reason, type RunText, readTemplates } from './judge.ts';
import { askRun } from './question.ts';
import { chosenIds, holdRecords, mostRecords, type RunSelection } from './records.ts';
import { type RunQuestion, survey } from './survey.ts';

/** What is to be sent, by whom. The same key never makes two runs. */
export interface RunRequest {
  readonly tenantId: string;
  readonly memberId: string;
  /** One per page that was shown; later a caller's own. */
  readonly idempotencyKey: string;
  readonly selection: RunSelection;
  readonly text: RunText;
  /** Which of those that were sent lately are sent again. */
  readonly again: 'all' | readonly string[];
  /** Those that are paid are sent, too. */
  readonly thoughPaid?: boolean | undefined;
  /** When it is to leave; left out: now, after the moment in which it can be undone. */
  readonly sendAt?: Date | null | undefined;
  /** It leaves whatever the sending hours say. */
  readonly anyTime?: boolean | undefined;
  /** Of what the page showed, see `survey.ts`. */
  readonly fingerprint: string;
}

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

interface NewRun extends Sender {
  readonly id: string;
}

async function writeRun(
  trx: Database,
  request: RunRequest,
  { head, now }: RunQuestion,
  sender: Sender,
  requestHash: string,
): Promise<NewRun> {
  const id = randomUUID();
  await trx
    .insertInto('runs')
    .values({
      id,
      tenant_id: request.tenantId,
      member_id: request.memberId,
      document_kind: request.selection.kind,
      mailbox_id: sender.mailboxId,
      from_email: sender.fromEmail,
      from_name: sender.fromName,
      reply_to: sender.replyTo,
      ...request.text,
      head: JSON.stringify(head),
      total: 0,
      left_out: '{}',
      any_time: request.anyTime ?? false,
      asked: JSON.stringify({
        selection: request.selection,
        again: request.again,
        thoughPaid: request.thoughPaid ?? false,
      } satisfies Asked),
      state_at: now,
      created_at: now,
      idempotency_key: request.idempotencyKey,
      request_hash: requestHash,
    })
    .execute();
  return { id, ...sender };
}

async function writeDeliveries(
  trx: Database,
  request: RunRequest,
  question: RunQuestion,
  ids: readonly string[],
  common: { readonly run: NewRun; readonly rule: SenderRule; readonly departure: Departure },
): Promise<{
  total: number;
  leftOut: Partial<Record<Reason['kind'], number>>;
  leftOutRecords: readonly LeftOutRecord[];
  fingerprint: string;
}> {
  const { again } = request;
  const leftOut: Partial<Record<Reason['kind'], number>> = {};
  const leftOutRecords: LeftOutRecord[] = [];
  let total = 0;
  const records = survey(trx, question, ids);
  while (true) {
    const { done, value } = await records.next();
    if (done) return { total, leftOut, leftOutRecords, fingerprint: value };
    const ready: ReadyRecord[] = [];
    for (const { record, judgement } of value) {
      const reason = reasonToLeaveOut(
        judgement,
        record.recent !== null && again !== 'all' && !again.includes(record.id),
      );
      if (reason) {
        leftOut[reason] = (leftOut[reason] ?? 0) + 1;
        const { id, number, partyName: name } = record;
        if (leftOutRecords.length < mostLeftOutKept) leftOutRecords.push({ id, number, name, reason });
      } else if (judgement.kind === 'ready') ready.push({ id: record.id, ...judgement });
    }
    await insertDeliveries(trx, request, question.now, common, ready, total);
    total += ready.length;
  }
}

function reasonToLeaveOut(judgement: Judgement, wasSent: boolean): Reason['kind'] | null {
  if (judgement.kind === 'left_out') return judgement.reason.kind;
  return wasSent ? 'recent' : null;
}

type ReadyRecord = { readonly id: string } & Extract<Judgement, { kind: 'ready' }>;

/**
 * Writes a chunk of deliveries in one statement. The record's content goes from table to table and never here. They
 * are a microsecond apart, so that they leave, and are listed, in the order of the records.
 */
async function insertDeliveries(
  trx: Database,
  { tenantId, memberId, sendAt = null, anyTime = false }: RunRequest,
  now: Date,
  { run, rule, departure }: { readonly run: NewRun; readonly rule: SenderRule; readonly departure: Departure },
  ready: readonly ReadyRecord[],
  before: number,
): Promise<void> {
  const begun = columnsOf(departure);
  await sql`
    insert into deliveries (tenant_id, purpose, document_id, member_id, mailbox_id, account, rule_mode, from_email,
      from_name, reply_to, recipients, subject, message, document_snapshot, state, state_at, held_reason,
      not_before, idempotency_key, request_hash, lane, run_id, scheduled_for, any_time, created_at)
    select ${tenantId}::uuid, 'document', documents.id, ${memberId}::uuid, ${run.mailboxId}::uuid,
      (select google_sub from mailboxes where id = ${run.mailboxId}::uuid), ${rule.mode}::sender_mode, ${run.fromEmail},
      ${run.fromName}, ${run.replyTo}, ready.recipients::jsonb, ready.subject, ready.message, documents.content,
      ${begun.state}::delivery_state, ${now}, ${begun.held_reason},
      ${begun.not_before}::timestamptz, ${`run:${run.id}:`} || documents.id, 'run', 1, ${run.id}::uuid, ${sendAt}::timestamptz, ${anyTime},
      ${now}::timestamptz + (${before}::int + ready.place) * interval '1 microsecond'
    from unnest(${ready.map(({ id }) => id)}::uuid[], ${ready.map(({ recipients }) => JSON.stringify(recipients))}::text[],
        ${ready.map(({ subject }) => subject)}::text[], ${ready.map(({ message }) => message)}::text[])
      with ordinality as ready (id, recipients, subject, message, place)
    join documents on documents.id = ready.id and documents.tenant_id = ${tenantId}::uuid`.execute(trx);
}

/** Writing thousands takes seconds, in which nobody could undo anything: then the time for it begins after that. */
async function beginUndoWhenWritten(trx: Database, runId: string, departure: Departure, begun: Date, written: Date) {
  const tookMs = written.getTime() - begun.getTime();
  if (departure.state !== 'held' || departure.reason !== 'undo' || !departure.until || tookMs < 1_000) return;
  await trx
    .updateTable('deliveries')
    .set({ not_before: new Date(departure.until.getTime() + tookMs) })
    .where('run_id', '=', runId)
    .execute();
}

async function writeFirstEvents(trx: Database, runId: string, detail: string, memberId: string): Promise<void> {
  await sql`
    insert into delivery_events (tenant_id, delivery_id, at, state, held_reason, detail, member_id)
    select tenant_id, id, state_at, state, held_reason, ${detail}, ${memberId}::uuid from deliveries where run_id = ${runId}::uuid
    order by created_at`.execute(trx);
}

function hashOf({ selection, text, again, thoughPaid = false, sendAt = null, anyTime = false }: RunRequest): string {
  const { kind, status, overdueOn, partyId, search, ids } = selection;
  const chosen = [kind, status, overdueOn, partyId, search, ids];
  const said = [...chosen, text.subject, text.message, again, thoughPaid, sendAt, anyTime];
  return createHash('sha256').update(JSON.stringify(said)).digest('hex');
}
