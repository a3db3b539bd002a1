import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { SenderResolution } from '../../mailboxes/sender.ts';
import { senderFor } from '../../mailboxes/sender-rules.ts';
import type { Address } from '../../platform/address.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Database } from '../../platform/database.ts';
import { wake } from '../../platform/wake.ts';
import { beginningOf, columnsOf } from '../begin.ts';
import { unsendable } from '../sendable.ts';
import type { RunOrder } from './control.ts';

/** Which failed deliveries of a run are sent again: all, or one to another address. */
export type ResendWhich = 'failed' | { readonly deliveryId: string; readonly to: readonly Address[] };

/** What came of it. */
export type ResendResult =
  /** `ids`: the new deliveries. `left`: how many were left alone, because their records cannot be sent any more. */
  | { readonly kind: 'sent_again'; readonly ids: readonly string[]; readonly left: number }
  | { readonly kind: 'refused'; readonly resolution: Extract<SenderResolution, { ok: false }> }
  /** There is no such run, or it was cancelled: only one by one then. */
  | { readonly kind: 'nothing' };

/**
 * Sends failed deliveries again: each gets a new delivery with the same frozen record and text, the same PDF where it
 * was made, from whoever is the sender of the member who asks. The failed one stays, and says which one replaced it, so
 * that asking twice sends once.
 */
export async function resend(
  trx: Database,
  clock: Clock,
  { tenantId, runId, memberId }: RunOrder,
  which: ResendWhich,
): Promise<ResendResult> {
  const run = await trx
    .selectFrom('runs')
    .select(['document_kind', 'state'])
    .where('tenant_id', '=', tenantId)
    .where('id', '=', runId)
    .executeTakeFirst();
  if (!run || (run.state === 'cancelled' && which === 'failed')) return { kind: 'nothing' };
  const { rule, resolution } = await senderFor(trx, tenantId, memberId, run.document_kind);
  if (!resolution.ok) return { kind: 'refused', resolution };
  const failed = await takeFailed(trx, tenantId, runId, which);
  const old = failed.filter(({ status }) => !status || unsendable(status, false) === null).map(({ id }) => id);
  const left = failed.length - old.length;
  if (old.length === 0) return { kind: 'sent_again', ids: [], left };

  const { sender } = resolution;
  const now = clock();
  // Who corrects an address waits for that one, and may take it back for a moment; of many the pacer keeps the hours.
  const single = which !== 'failed';
  const wish = { undo: single, many: !single, sendAt: null, anyTime: false };
  const departure = await beginningOf(trx, tenantId, resolution, wish, now);
  const begun = columnsOf(departure);
  const made = old.map(() => randomUUID());
  const pairs = sql`unnest(${old}::uuid[], ${made}::uuid[]) with ordinality as pairs (old_id, new_id, place)`;
  // A run that is paused or cancelled does not stop what somebody sends again by hand.
  const lane = which === 'failed' && run.state === 'running' ? 1 : 0;
  const to = which === 'failed' ? null : JSON.stringify(which.to);
  await sql`
    insert into deliveries (id, tenant_id, purpose, document_id, member_id, mailbox_id, account, rule_mode, from_email,
      from_name, reply_to, recipients, subject, message, document_snapshot, state, state_at, held_reason,
      not_before, idempotency_key, request_hash, lane, run_id, head, frozen_at, created_at)
    select pairs.new_id, old.tenant_id, old.purpose, old.document_id, ${memberId}::uuid, ${sender.mailboxId}::uuid,
      (select account from mailboxes where id = ${sender.mailboxId}::uuid), ${rule.mode}::sender_mode,
      ${sender.fromEmail}, ${sender.fromName}, ${sender.replyTo},
      case when ${to}::jsonb is null then old.recipients else jsonb_build_object('to', ${to}::jsonb, 'cc', '[]'::jsonb, 'bcc', '[]'::jsonb) end,
      old.subject, old.message, old.document_snapshot, ${begun.state}::delivery_state, ${now},
      ${begun.held_reason}, ${begun.not_before}::timestamptz, 'again:' || old.id, 'run', ${lane}, old.run_id,
      old.head, old.frozen_at, ${now}::timestamptz + pairs.place * interval '1 microsecond'
    from ${pairs} join deliveries old on old.id = pairs.old_id`.execute(trx);
  await sql`
    insert into delivery_attachments (delivery_id, tenant_id, file_name, media_type, sha256, bytes)
    select pairs.new_id, file.tenant_id, file.file_name, file.media_type, file.sha256, file.bytes
    from ${pairs} join delivery_attachments file on file.delivery_id = pairs.old_id`.execute(trx);
  await sql`update deliveries set replaced_by = pairs.new_id from ${pairs} where id = pairs.old_id`.execute(trx);
  const where = which === 'failed' ? '' : ` to ${which.to.map(({ email }) => email).join(', ')}`;
  const waits = departure.state === 'held' ? ` ${departure.detail}` : '';
  await sql`
    insert into delivery_events (tenant_id, delivery_id, at, state, held_reason, detail, member_id)
    select ${tenantId}::uuid, said.id, ${now}::timestamptz, said.state::delivery_state, said.held_reason, said.detail, ${memberId}::uuid
    from ${pairs} cross join lateral (values
      (pairs.old_id, 'failed', null, ${`Sent again${where}.`}),
      (pairs.new_id, ${begun.state}, ${begun.held_reason}::text, ${`To be sent again${where}, from ${sender.fromEmail}.${waits}`})
    ) as said (id, state, held_reason, detail)`.execute(trx);
  if (departure.state === 'queued') await wake(trx, 'waiting');
  return { kind: 'sent_again', ids: made, left };
}

/** With how their records stand now. Locked: who asks at the same time waits here, and then finds none. */
function takeFailed(trx: Database, tenantId: string, runId: string, which: ResendWhich) {
  let query = trx
    .selectFrom('deliveries')
    .select((eb) => [
      'deliveries.id',
      eb.selectFrom('documents').select('status').whereRef('documents.id', '=', 'deliveries.document_id').as('status'),
    ])
    .where('tenant_id', '=', tenantId)
    .where('run_id', '=', runId)
    .where('state', '=', 'failed')
    .where('replaced_by', 'is', null)
    .orderBy('created_at')
    .orderBy('id')
    .forUpdate();
  if (which !== 'failed') query = query.where('id', '=', which.deliveryId);
  return query.execute();
}
