import { sql } from 'kysely';
import type { PdfInput } from '../documents/pdf/input.ts';
import { isUsableBy } from '../mailboxes/access.ts';
import type { SendingMember } from '../mailboxes/sender-questions.ts';
import type { Database } from '../platform/database.ts';
import type {
  DeliveryState,
  DocumentStatus,
  MailboxProvider,
  MailboxState,
  RunState,
  SenderMode,
} from '../platform/database-types.ts';
import { readHours, type SendingRules } from '../tenants/sending-rules.ts';
import type { KnownDrafts } from '../transport/transport.ts';
import { hasDoubt } from './attempt.ts';
import type { Email } from './compose.ts';
import { draftColumns, readDrafts } from './drafts.ts';
import { type FrozenFile, pdfType, readPrintable } from './freeze.ts';
import { recipientsSchema } from './recipients.ts';
import { hasLeft, type Standing } from './withdrawn.ts';

/** A delivery as the worker needs it: what was frozen, and where it stands. */
export interface SendableDelivery extends KnownDrafts {
  readonly id: string;
  readonly state: DeliveryState;
  readonly heldReason: string | null;
  /** Nobody knows what came of an attempt of it. */
  readonly inDoubt: boolean;
  readonly notBefore: Date | null;
  readonly createdAt: Date;
  /** Who pressed Send, as they are now. */
  readonly member: SendingMember & Standing;
  readonly mailboxId: string;
  readonly provider: MailboxProvider;
  readonly mailboxEmail: string;
  readonly mailboxState: MailboxState;
  /** Why its connection ended, as it is kept; null where nothing is wrong with it. */
  readonly mailboxEnded: { readonly reason: string; readonly sure: boolean } | null;
  /** The account behind the mailbox. */
  readonly account: string;
  readonly lane: number;
  readonly mode: SenderMode;
  /** Until when its account, or all of Google, stands still for this delivery. */
  readonly standsStillUntil: Date | null;
  /** Whether its account's last outcome was unknown. */
  readonly afterTrouble: boolean;
  readonly document: boolean;
  /** How its record stands now; null where it carries none. */
  readonly recordStatus: DocumentStatus | null;
  /** Somebody said that it leaves although its record is paid. */
  readonly thoughPaid: boolean;
  /** The PDF of its document is made, and among its attachments. */
  readonly hasPaper: boolean;
  /** What its PDF is to be made from, where it is queued without one; null where there is none to be made. */
  readonly toPrint: PdfInput | null;
  /** It tries whether Gmail keeps its From. */
  readonly triesFrom: boolean;
  /** It leaves whatever the sending hours say. */
  readonly anyTime: boolean;
  readonly sending: Pick<SendingRules, 'hours' | 'timeZone'>;
  /** How its run stands; null where it has none, or where somebody decided about this one by itself. */
  readonly runState: RunState | null;
  readonly email: Omit<Email, 'date'>;
}

/** Reads a delivery with its attachments; undefined when there is none. */
export async function loadForSending(
  trx: Database,
  tenantId: string,
  deliveryId: string,
): Promise<SendableDelivery | undefined> {
  const [delivery] = await loadAllForSending(trx, tenantId, [deliveryId]);
  return delivery;
}

/**
 * Reads any number of deliveries of a tenant with their attachments. Those that are not there are left out.
 *
 * @param atHand the files of some of them, which are not read; `without files` where nobody needs any
 */
export async function loadAllForSending(
  trx: Database,
  tenantId: string,
  deliveryIds: readonly string[],
  atHand: ReadonlyMap<string, FrozenFile> | 'without files' = new Map(),
): Promise<SendableDelivery[]> {
  const ids = sql<string>`any(${[...deliveryIds]}::uuid[])`;
  const rows = await trx
    .selectFrom('deliveries')
    .innerJoin('mailboxes', 'mailboxes.id', 'deliveries.mailbox_id')
    .innerJoin('members', 'members.id', 'deliveries.member_id')
    .innerJoin('tenants', 'tenants.id', 'deliveries.tenant_id')
    .leftJoin('runs', 'runs.id', 'deliveries.run_id')
    .leftJoin('documents', 'documents.id', 'deliveries.document_id')
    .select([
      ...([
        'tenants.sending_hours',
        'tenants.time_zone',
        'deliveries.any_time',
        'deliveries.tries_from',
        'deliveries.held_reason',
      ] as const),
      ...(['members.role', 'members.removed_at', 'members.default_mailbox_id', 'runs.state as run_state'] as const),
      isUsableBy(sql.ref('members.id')).as('may_use'),
      hasLeft.as('has_left'),
      hasDoubt.as('in_doubt'),
      ...(['deliveries.id', 'deliveries.state', 'deliveries.not_before', 'deliveries.created_at'] as const),
      ...(['deliveries.mailbox_id', 'deliveries.account', 'deliveries.lane', 'deliveries.rule_mode'] as const),
      ...(['deliveries.document_id', 'deliveries.though_paid', 'documents.status as record_status'] as const),
      ...draftColumns,
      ...(['deliveries.from_name', 'deliveries.from_email', 'deliveries.reply_to'] as const),
      ...(['deliveries.recipients', 'deliveries.subject', 'deliveries.message'] as const),
      ...(['deliveries.member_id', 'members.email as member_email', 'members.name as member_name'] as const),
      'mailboxes.provider',
      'mailboxes.state as mailbox_state',
      'mailboxes.email as mailbox_email',
      ...(['mailboxes.state_reason', 'mailboxes.state_sure'] as const),
      sql<AccountStanding>`(select json_build_object('until', max(blocked_until) filter (where probe_id is distinct from deliveries.id),
        'unknown', bool_or(unknown_in_a_row > 0 or blocked_reason = 'trouble'))
        from sending_accounts where account in (deliveries.account, mailboxes.provider::text))`.as('standing'),
    ])
    .where('deliveries.tenant_id', '=', tenantId)
    .where('deliveries.id', '=', ids)
    .execute();
  const files: ReadonlyMap<string, LoadedFile[]> =
    atHand === 'without files' ? new Map() : await loadFiles(trx, tenantId, deliveryIds, atHand);
  const bare = rows.filter(
    ({ id, state, document_id }) =>
      atHand !== 'without files' && state === 'queued' && document_id !== null && !hasPaper(files.get(id)),
  );
  const printable = await readPrintable(
    trx,
    tenantId,
    bare.map(({ id }) => id),
  );
  return rows.map((row) => ({
    id: row.id,
    state: row.state,
    heldReason: row.held_reason,
    inDoubt: row.in_doubt,
    notBefore: row.not_before,
    createdAt: row.created_at,
    member: {
      ...{ id: row.member_id, email: row.member_email, name: row.member_name, role: row.role },
      ...{ removedAt: row.removed_at, defaultMailboxId: row.default_mailbox_id, mayUse: row.may_use },
      left: row.has_left,
    },
    mailboxId: row.mailbox_id,
    provider: row.provider,
    mailboxEmail: row.mailbox_email,
    mailboxState: row.mailbox_state,
    mailboxEnded: row.state_reason === null ? null : { reason: row.state_reason, sure: row.state_sure },
    account: row.account,
    lane: row.lane,
    mode: row.rule_mode,
    standsStillUntil: row.standing.until === null ? null : new Date(row.standing.until),
    afterTrouble: row.standing.unknown ?? false,
    document: row.document_id !== null,
    recordStatus: row.record_status,
    thoughPaid: row.though_paid,
    hasPaper: hasPaper(files.get(row.id)),
    toPrint: printable.get(row.id) ?? null,
    anyTime: row.any_time,
    triesFrom: row.tries_from,
    sending: { hours: readHours(row.sending_hours), timeZone: row.time_zone },
    runState: row.lane === 0 ? null : row.run_state,
    ...readDrafts(row),
    email: {
      deliveryId: row.id,
      from: { name: row.from_name, email: row.from_email },
      replyTo: row.reply_to,
      recipients: recipientsSchema.parse(row.recipients),
      subject: row.subject,
      message: row.message,
      attachments: files.get(row.id) ?? [],
    },
  }));
}

type LoadedFile = Email['attachments'][number] & { readonly position: number };

function hasPaper(files: readonly LoadedFile[] = []): boolean {
  return files.some(({ position }) => position === 0);
}

/** The PDFs first, then what goes along with them. What is at hand is the PDF of a run's email, with which nothing does. */
async function loadFiles(
  trx: Database,
  tenantId: string,
  deliveryIds: readonly string[],
  atHand: ReadonlyMap<string, FrozenFile>,
): Promise<Map<string, LoadedFile[]>> {
  const files = new Map<string, LoadedFile[]>(
    [...atHand].map(([id, { fileName, bytes }]) => [id, [{ position: 0, fileName, mediaType: pdfType, bytes }]]),
  );
  const others = deliveryIds.filter((id) => !atHand.has(id));
  if (others.length === 0) return files;
  const ids = sql<string>`any(${others}::uuid[])`;
  const { rows } = await sql<LoadedFile & { readonly deliveryId: string }>`
    select delivery_id as "deliveryId", 0 as position, file_name as "fileName", media_type as "mediaType", bytes
    from delivery_attachments where tenant_id = ${tenantId}::uuid and delivery_id = ${ids}
    union all
    select going.delivery_id, going.position, going.file_name, going.media_type, file.bytes
    from delivery_files going join document_files file using (tenant_id, document_id, place)
    where going.tenant_id = ${tenantId}::uuid and going.delivery_id = ${ids}
    order by position`.execute(trx);
  for (const [id, theirs] of Map.groupBy(rows, ({ deliveryId }) => deliveryId)) files.set(id, theirs);
  return files;
}

interface AccountStanding {
  readonly until: string | null;
  readonly unknown: boolean | null;
}
