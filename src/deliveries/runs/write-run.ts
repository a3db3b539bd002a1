import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { Sender, SenderRule } from '../../mailboxes/sender.ts';
import type { Database } from '../../platform/database.ts';
import { columnsOf } from '../begin.ts';
import type { Departure } from '../departure.ts';
import { type Asked, type LeftOutRecord, mostLeftOutKept, type RunRequest } from './asked.ts';
import type { Judgement, Reason } from './judge.ts';
import { type RunQuestion, survey } from './survey.ts';

/** A run as it was written, with whom it comes from. */
export interface NewRun extends Sender {
  readonly id: string;
}

/** Writes the run itself; how many it sends, and what it leaves out, is known after {@link writeDeliveries}. */
export async function writeRun(
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

/** Writes a delivery for each record that can be sent, set by set, in the order of the records. */
export async function writeDeliveries(
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
  { tenantId, memberId, sendAt = null, anyTime = false, thoughPaid = false }: RunRequest,
  now: Date,
  { run, rule, departure }: { readonly run: NewRun; readonly rule: SenderRule; readonly departure: Departure },
  ready: readonly ReadyRecord[],
  before: number,
): Promise<void> {
  const begun = columnsOf(departure);
  await sql`
    insert into deliveries (tenant_id, purpose, document_id, member_id, mailbox_id, account, rule_mode, from_email,
      from_name, reply_to, recipients, subject, message, document_snapshot, state, state_at, held_reason,
      not_before, idempotency_key, request_hash, lane, run_id, scheduled_for, any_time, though_paid,
      created_at)
    select ${tenantId}::uuid, 'document', documents.id, ${memberId}::uuid, ${run.mailboxId}::uuid,
      (select account from mailboxes where id = ${run.mailboxId}::uuid), ${rule.mode}::sender_mode, ${run.fromEmail},
      ${run.fromName}, ${run.replyTo}, ready.recipients::jsonb, ready.subject, ready.message, documents.content,
      ${begun.state}::delivery_state, ${now}, ${begun.held_reason},
      ${begun.not_before}::timestamptz, ${`run:${run.id}:`} || documents.id, 'run', 1, ${run.id}::uuid, ${sendAt}::timestamptz, ${anyTime}, ${thoughPaid},
      ${now}::timestamptz + (${before}::int + ready.place) * interval '1 microsecond'
    from unnest(${ready.map(({ id }) => id)}::uuid[], ${ready.map(({ recipients }) => JSON.stringify(recipients))}::text[],
        ${ready.map(({ subject }) => subject)}::text[], ${ready.map(({ message }) => message)}::text[])
      with ordinality as ready (id, recipients, subject, message, place)
    join documents on documents.id = ready.id and documents.tenant_id = ${tenantId}::uuid`.execute(trx);
}

/** Writing thousands takes seconds, in which nobody could undo anything: then the time for it begins after that. */
export async function beginUndoWhenWritten(
  trx: Database,
  runId: string,
  departure: Departure,
  begun: Date,
  written: Date,
) {
  const tookMs = written.getTime() - begun.getTime();
  if (departure.state !== 'held' || departure.reason !== 'undo' || !departure.until || tookMs < 1_000) return;
  await trx
    .updateTable('deliveries')
    .set({ not_before: new Date(departure.until.getTime() + tookMs) })
    .where('run_id', '=', runId)
    .execute();
}

/** Writes the first line of each timeline. */
export async function writeFirstEvents(trx: Database, runId: string, detail: string, memberId: string): Promise<void> {
  await sql`
    insert into delivery_events (tenant_id, delivery_id, at, state, held_reason, detail, member_id)
    select tenant_id, id, state_at, state, held_reason, ${detail}, ${memberId}::uuid from deliveries where run_id = ${runId}::uuid
    order by created_at`.execute(trx);
}
