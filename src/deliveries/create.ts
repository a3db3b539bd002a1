import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { Head } from '../documents/pdf/head.ts';
import { type DocumentRecord, lockDocument } from '../documents/store.ts';
import type { SenderResolution } from '../mailboxes/sender.ts';
import { senderFor, senderUnder } from '../mailboxes/sender-rules.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import type { DocumentKind } from '../platform/database-types.ts';
import { wake } from '../platform/wake.ts';
import { attachableFiles, attachFiles, chooseFiles, type NotAttachable } from './attached-files.ts';
import { beginningOf, columnsOf } from './begin.ts';
import { findEarlier } from './earlier.ts';
import type { Recipients } from './recipients.ts';
import { type Unsendable, unsendable } from './sendable.ts';
import { writeEvent } from './state.ts';

/** What is to be sent, by whom. The same key never makes two deliveries. */
export interface SendRequest {
  readonly tenantId: string;
  readonly memberId: string;
  /** One per filled-in form, made when the form is shown; later a caller's own. */
  readonly idempotencyKey: string;
  readonly recipients: Recipients;
  readonly subject: string;
  readonly message: string;
  /** The record as it was shown, with its PDF; null for a test email. */
  readonly document: {
    readonly record: DocumentRecord;
    readonly fileName: string;
    readonly pdf: Uint8Array;
    /** The company as the PDF shows it, where that is known. */
    readonly head?: Head;
    /** Which of the files that are embedded in the record go along, by their places. */
    readonly files?: readonly number[];
  } | null;
  /** For one email of a run that somebody sends to themselves first: what it would carry. It is a test email. */
  readonly sample?: { readonly kind: DocumentKind; readonly fileName: string; readonly pdf: Uint8Array };
  /** For a message of Letterhead itself to its people: the mailbox it goes through, from its own address. */
  readonly notice?: { readonly mailboxId: string; readonly email: string };
  /** For an invitation into the company: the mailbox it goes through, from its own address. */
  readonly invitation?: { readonly mailboxId: string; readonly email: string };
  /** For a test of one mailbox: it goes through this one, from its own address, whatever the rules say of other email. */
  readonly through?: { readonly mailboxId: string; readonly email: string };
  /** It is sent to see whether Gmail keeps the From, and so leaves although Gmail once did not. */
  readonly triesFrom?: boolean;
  /** When it is to leave; left out: now. A moment that has passed is now. */
  readonly sendAt?: Date | null | undefined;
  /** It leaves whatever the sending hours say. */
  readonly anyTime?: boolean | undefined;
  /**
   * Which deliveries of this record, under way or sent within a day, whoever presses Send has seen and sends it again
   * in spite of: their ids. `whichever` is for programs that answer for it themselves.
   */
  readonly inSpiteOf?: readonly string[] | 'whichever' | undefined;
  /** Whoever presses Send has seen that the record is paid, and sends it all the same. */
  readonly thoughPaid?: boolean | undefined;
}

/** What became of the request. */
export type SendResult =
  /** A new delivery; `repeated` when this key had made it before. */
  | { readonly kind: 'created'; readonly deliveryId: string; readonly repeated: boolean }
  | { readonly kind: 'refused'; readonly resolution: Extract<SenderResolution, { ok: false }> }
  /** The key belongs to another email: the form was sent before with other content. */
  | { readonly kind: 'key_used'; readonly deliveryId: string }
  /** The record is a draft, cancelled, or paid without {@link SendRequest.thoughPaid}. */
  | { readonly kind: 'not_sendable'; readonly because: Unsendable }
  /** Files that were to go along cannot. */
  | { readonly kind: 'not_attachable'; readonly because: NotAttachable }
  /** The record changed between the preview and now. */
  | { readonly kind: 'document_changed' }
  /** Somebody else, or another tab, sent this record meanwhile, or it was not confirmed that it goes out again. */
  | { readonly kind: 'sent_before'; readonly deliveryIds: readonly string[] };

/**
 * Writes a delivery and its job in one transaction: either both exist or neither. Sender, text, record
 * and PDF are frozen here; nothing that happens later changes what is sent.
 *
 * @param trx a transaction inside the tenant
 */
export async function createDelivery(trx: Database, clock: Clock, request: SendRequest): Promise<SendResult> {
  const { tenantId, memberId, document, recipients } = request;
  const requestHash = hashOf(request);
  const earlier = await findByKey(trx, request);
  if (earlier) return answerAgain(earlier, requestHash);

  const choice = filesOf(document);
  if (!choice.ok) return { kind: 'not_attachable', because: choice.because };
  const through = request.notice ?? request.invitation ?? request.through;
  const { rule, resolution } = through
    ? await senderThrough(trx, tenantId, memberId, through, request.triesFrom)
    : await senderFor(trx, tenantId, memberId, document?.record.kind ?? request.sample?.kind ?? null);
  if (!resolution.ok) return { kind: 'refused', resolution };
  const now = clock();
  if (document) {
    // Whoever else sends this record now waits here until we are done, and then finds what we wrote.
    const locked = await lockDocument(trx, tenantId, document.record.id);
    if (locked?.version !== document.record.version) return { kind: 'document_changed' };
    const because = unsendable(locked.status, request.thoughPaid ?? false);
    if (because) return { kind: 'not_sendable', because };
    const unseen = await findUnseen(trx, request, document.record.id, now);
    if (unseen.length > 0) {
      // A second click that waited for the first: that one is what it asks for.
      const first = await findByKey(trx, request);
      return first ? answerAgain(first, requestHash) : { kind: 'sent_before', deliveryIds: unseen };
    }
  }

  const { sender } = resolution;
  const anyTime = document === null || request.anyTime === true;
  const sendAt = request.sendAt ?? null;
  const wish = { undo: document !== null, many: false, sendAt, anyTime };
  const departure = await beginningOf(trx, tenantId, resolution, wish, now);
  const inserted = await trx
    .insertInto('deliveries')
    .values({
      tenant_id: tenantId,
      purpose: purposeOf(request),
      document_id: document?.record.id ?? null,
      member_id: memberId,
      mailbox_id: sender.mailboxId,
      account: sql<string>`(select account from mailboxes where id = ${sender.mailboxId})`,
      rule_mode: rule.mode,
      from_email: sender.fromEmail,
      from_name: sender.fromName,
      reply_to: sender.replyTo,
      recipients: JSON.stringify(recipients),
      subject: request.subject,
      message: request.message,
      document_snapshot: document ? JSON.stringify(document.record.content) : null,
      head: document?.head ? JSON.stringify(document.head) : null,
      frozen_at: document ? now : null,
      ...columnsOf(departure),
      state_at: now,
      created_at: now,
      scheduled_for: sendAt,
      any_time: anyTime,
      though_paid: request.thoughPaid ?? false,
      tries_from: request.triesFrom ?? false,
      idempotency_key: request.idempotencyKey,
      request_hash: requestHash,
    })
    // Two clicks at the same instant: the second waits here for the first and then finds it.
    .onConflict((conflict) => conflict.columns(['tenant_id', 'idempotency_key']).doNothing())
    .returning('id')
    .executeTakeFirst();
  if (!inserted) {
    const first = await findByKey(trx, request);
    if (!first) throw new Error('A delivery vanished between two statements.');
    return answerAgain(first, requestHash);
  }

  const deliveryId = inserted.id;
  const file = document ?? request.sample;
  if (file) {
    await trx
      .insertInto('delivery_attachments')
      .values({
        delivery_id: deliveryId,
        tenant_id: tenantId,
        file_name: file.fileName,
        media_type: 'application/pdf',
        sha256: sha256(file.pdf),
        bytes: Buffer.from(file.pdf),
      })
      .execute();
  }
  if (document) {
    const ids = { deliveryId, documentId: document.record.id };
    const all = await attachFiles(trx, tenantId, ids, choice.files);
    if (!all) throw new Error('A file that a record names is not kept beside it.');
  }
  const from = `To be sent from ${sender.fromEmail}.`;
  const detail = departure.state === 'held' ? departure.detail : from;
  // A notice is Letterhead's own: it goes in somebody's name because they may use the mailbox, not because they wrote it.
  const by = request.notice ? undefined : memberId;
  const heldReason = departure.state === 'held' ? departure.reason : undefined;
  await writeEvent(trx, tenantId, deliveryId, { state: departure.state, heldReason, at: now, detail, memberId: by });
  if (departure.state === 'queued') await wake(trx, 'waiting');
  return { kind: 'created', deliveryId, repeated: false };
}

/** The files that are to go along with a record. */
function filesOf(document: SendRequest['document']): ReturnType<typeof chooseFiles> {
  if (!document) return { ok: true, files: [] };
  const { record, fileName, pdf, files = [] } = document;
  return chooseFiles(attachableFiles(record.content, fileName), files, pdf.length);
}

function purposeOf({ document, notice, invitation }: SendRequest) {
  if (document) return 'document';
  if (notice) return 'notice';
  return invitation ? 'invitation' : 'test';
}

/** Its own mailbox and address, whatever the company's rule says of other email. */
async function senderThrough(
  trx: Database,
  tenantId: string,
  memberId: string,
  { mailboxId, email }: NonNullable<SendRequest['notice']>,
  triesFrom = false,
) {
  const rule = { mode: 'alias', mailboxId, email } as const;
  return { rule, resolution: (await senderUnder(trx, tenantId, memberId, [rule], triesFrom))(rule) };
}

/** The earlier deliveries of the record that were not named when somebody said to send it again. */
async function findUnseen(
  trx: Database,
  { tenantId, inSpiteOf = [] }: SendRequest,
  documentId: string,
  now: Date,
): Promise<string[]> {
  if (inSpiteOf === 'whichever') return [];
  const earlier = await findEarlier(trx, tenantId, documentId, now);
  return earlier.filter((id) => !inSpiteOf.includes(id));
}

function findByKey(trx: Database, { tenantId, idempotencyKey }: SendRequest) {
  return trx
    .selectFrom('deliveries')
    .select(['id', 'request_hash'])
    .where('tenant_id', '=', tenantId)
    .where('idempotency_key', '=', idempotencyKey)
    .executeTakeFirst();
}

function answerAgain(earlier: { id: string; request_hash: string }, requestHash: string): SendResult {
  if (earlier.request_hash !== requestHash) return { kind: 'key_used', deliveryId: earlier.id };
  return { kind: 'created', deliveryId: earlier.id, repeated: true };
}

function hashOf({ recipients, subject, message, document, sendAt = null, anyTime = false }: SendRequest): string {
  const { record, files = [] } = document ?? {};
  const said = [recipients, subject, message, record?.id ?? null, sendAt, anyTime];
  return sha256(JSON.stringify(files.length > 0 ? [...said, [...new Set(files)].sort()] : said));
}

function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
