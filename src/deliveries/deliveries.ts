import { type RawBuilder, sql } from 'kysely';
import { type Page, type PageRequest, pageOf, pageSize, readCursor } from '../documents/paging.ts';
import type { Database } from '../platform/database.ts';
import type {
  DeliveryPurpose,
  DeliveryState,
  DocumentKind,
  MailboxKind,
  MailboxState,
  RunState,
} from '../platform/database-types.ts';
import type { Refusal } from '../transport/refusal.ts';
import { isWithoutAnswer } from './attempt.ts';
import { needsSomebody } from './attention.ts';
import { isDecidedBy, isSeenBy, type Onlooker } from './onlooker.ts';
import { type Recipients, recipientsSchema } from './recipients.ts';
import { waitingReasons } from './release.ts';

/** A delivery as lists show it. */
export interface DeliverySummary {
  readonly id: string;
  readonly purpose: DeliveryPurpose;
  readonly state: DeliveryState;
  readonly stateAt: Date;
  readonly heldReason: string | null;
  readonly notBefore: Date | null;
  readonly fromEmail: string;
  readonly recipients: Recipients;
  readonly subject: string;
  readonly createdAt: Date;
  readonly documentId: string | null;
  /** Of the record as it was sent, whatever it says by now: kind, number, and whom it is for. */
  readonly documentKind: DocumentKind | null;
  /** UNTDID 1001, where an imported file said so: a pro-forma invoice is no invoice. */
  readonly documentTypeCode: string | null;
  readonly documentNumber: string | null;
  readonly partyName: string | null;
  /** The run it was started with, or null. */
  readonly runId: string | null;
  /** The address that Gmail used, where it was read back. */
  readonly sentFrom: string | null;
  /** When it was seen that this is another than was asked for. */
  readonly fromChangedAt: Date | null;
  /** When somebody took it off the list of what needs somebody. */
  readonly seenAt: Date | null;
  /** The latest sentence of its timeline. */
  readonly lastDetail: string | null;
  /** Gmail’s answer never arrived, and nobody knows yet whether it was sent; while it is `sending`. */
  readonly isInDoubt: boolean;
  /** By what Gmail refused it; null where it did not fail, or Gmail was not asked. */
  readonly refusal: Refusal | null;
  /** Whether the onlooker may decide about it, as far as mailboxes go. */
  readonly mayDecide: boolean;
  /** Who pressed Send. */
  readonly memberId: string;
  readonly memberName: string;
  /** The mailbox that it goes through, as it is now. */
  readonly mailboxId: string;
  readonly mailboxEmail: string;
  readonly mailboxKind: MailboxKind;
  /** Whose it is, where it is a personal one. */
  readonly mailboxMemberId: string | null;
  readonly mailboxDelegated: boolean;
  readonly mailboxState: MailboxState;
  readonly mailboxStateAt: Date;
  readonly mailboxReason: string | null;
  readonly mailboxReasonSure: boolean;
  readonly pausedByName: string | null;
  /** Its run, as it is now; null where it has none. */
  readonly runState: RunState | null;
  /** The same where that stops it: not what somebody let go by itself. */
  readonly runStops: RunState | null;
  readonly runStateAt: Date | null;
  readonly runStateByName: string | null;
}

/** Which deliveries a list shows; `attention` keeps those that need somebody. */
export interface DeliveryFilter extends PageRequest {
  readonly documentId?: string | undefined;
  readonly attention?: boolean | undefined;
  /** Only what is held until this mailbox is connected, or was when it was connected again too late. */
  readonly waitingFor?: string | undefined;
  /** A condition on `deliveries` besides. */
  readonly only?: RawBuilder<boolean> | undefined;
}

/** One page of the deliveries that somebody may see, newest first. */
export async function listDeliveries(
  db: Database,
  tenantId: string,
  onlooker: Onlooker,
  filter: DeliveryFilter = {},
): Promise<Page<DeliverySummary>> {
  const limit = pageSize(filter);
  let query = summaries(db, tenantId).select(isDecidedBy(onlooker).as('mayDecide')).where(isSeenBy(onlooker));
  if (filter.documentId) query = query.where('deliveries.document_id', '=', filter.documentId);
  if (filter.attention) query = query.where(needsSomebody);
  if (filter.only) query = query.where(filter.only);
  if (filter.waitingFor) {
    query = query
      .where('deliveries.mailbox_id', '=', filter.waitingFor)
      .where('deliveries.held_reason', 'in', waitingReasons);
  }
  const after = readCursor(filter.after);
  if (after && microseconds.test(after[0])) {
    const [epoch, id] = after;
    const at = sql`timestamptz 'epoch' + ${epoch}::bigint * interval '1 microsecond'`;
    query = query.where(sql<boolean>`(deliveries.created_at, deliveries.id) < (${at}, ${id}::uuid)`);
  }
  const rows = await query
    .select(sql<string>`(extract(epoch from deliveries.created_at) * 1000000)::bigint::text`.as('place'))
    .orderBy('deliveries.created_at', 'desc')
    .orderBy('deliveries.id', 'desc')
    .limit(limit + 1)
    .execute();
  return pageOf(rows.map(readSummary), limit, (last) => [last.place, last.id]);
}

// A cursor is exact to the microsecond, as PostgreSQL is: a JavaScript date would lose the order within a run.
const microseconds = /^\d{1,17}$/;

/** How a record stands with its emails. That there is one, and its state, is told to everybody. */
export interface SendingState {
  /** Null where they may not see it. */
  readonly id: string | null;
  readonly state: DeliveryState;
  readonly heldReason: string | null;
  readonly notBefore: Date | null;
  /** See {@link DeliverySummary}. */
  readonly isInDoubt: boolean;
  readonly fromChangedAt: Date | null;
}

/**
 * What is true of the emails of each of these records, by the record's id; none for one that has no email. What waits or is
 * in doubt is said, and so is that it was sent; of several, the newest. Sent beats cancelled: a second email that was
 * taken back makes the first one no less sent. What failed counts only until it was sent after all.
 */
export async function sendingStatesOf(
  db: Database,
  tenantId: string,
  onlooker: Onlooker,
  documentIds: readonly string[],
): Promise<Map<string, SendingState[]>> {
  if (documentIds.length === 0) return new Map();
  const stage = sql<'waits' | 'failed' | 'sent' | 'cancelled'>`case
    when state in ('sent', 'failed', 'cancelled') then state::text else 'waits' end`;
  const rows = await db
    .selectFrom('deliveries')
    .distinctOn(['document_id', sql`stage`])
    .select(['document_id', 'id', 'state', 'held_reason as heldReason', 'created_at', isSeenBy(onlooker).as('isSeen')])
    .select([isWithoutAnswer.as('isInDoubt'), 'not_before as notBefore', 'from_changed_at as fromChangedAt'])
    .select(stage.as('stage'))
    .where('tenant_id', '=', tenantId)
    .where('document_id', 'in', [...documentIds])
    .where('replaced_by', 'is', null)
    .orderBy('document_id')
    .orderBy(sql`stage`)
    .orderBy('created_at', 'desc')
    .execute();
  return new Map(
    [...Map.groupBy(rows, ({ document_id }) => document_id ?? '')].map(([documentId, theirs]) => {
      const of = (stage: string) => theirs.find((row) => row.stage === stage);
      const [waits, failed, sent, cancelled] = [of('waits'), of('failed'), of('sent'), of('cancelled')];
      const open = failed && sent && failed.created_at < sent.created_at ? undefined : failed;
      const told = [waits, open, sent].filter((row) => row !== undefined);
      return [
        documentId,
        (told.length > 0 ? told : cancelled ? [cancelled] : []).map(
          ({ id, state, heldReason, notBefore, isSeen, isInDoubt, fromChangedAt }) => ({
            ...{ id: isSeen ? id : null, state, heldReason, notBefore, isInDoubt, fromChangedAt },
          }),
        ),
      ];
    }),
  );
}

/** A delivery that an onlooker may not see, where they see its record: only that it was sent, so that nobody sends it twice. */
export interface HiddenDelivery {
  readonly state: DeliveryState;
  readonly heldReason: string | null;
  /** See {@link DeliverySummary}. */
  readonly isInDoubt: boolean;
  readonly fromChangedAt: Date | null;
  readonly createdAt: Date;
  readonly memberName: string;
}

/**
 * The newest 50 deliveries of a record that somebody may not see, newest first.
 *
 * @param only a condition on `deliveries` besides
 */
export function listHidden(
  db: Database,
  tenantId: string,
  onlooker: Onlooker,
  documentId: string,
  only: RawBuilder<boolean> = sql`true`,
): Promise<HiddenDelivery[]> {
  return db
    .selectFrom('deliveries')
    .innerJoin('members', 'members.id', 'deliveries.member_id')
    .select(['deliveries.state', 'deliveries.held_reason as heldReason', isWithoutAnswer.as('isInDoubt')])
    .select(['deliveries.created_at as createdAt', 'members.name as memberName'])
    .select('deliveries.from_changed_at as fromChangedAt')
    .where('deliveries.tenant_id', '=', tenantId)
    .where('deliveries.document_id', '=', documentId)
    .where(sql<boolean>`not ${isSeenBy(onlooker)}`)
    .where(only)
    .orderBy('deliveries.created_at', 'desc')
    .limit(50)
    .execute();
}

/** The rows of {@link DeliverySummary}, to be narrowed: nothing here asks who looks. */
export function summaries(db: Database, tenantId: string) {
  return db
    .selectFrom('deliveries')
    .innerJoin('members', 'members.id', 'deliveries.member_id')
    .innerJoin('mailboxes', 'mailboxes.id', 'deliveries.mailbox_id')
    .leftJoin('members as pauser', 'pauser.id', 'mailboxes.paused_by')
    .leftJoin('runs', 'runs.id', 'deliveries.run_id')
    .leftJoin('members as controller', 'controller.id', 'runs.state_by')
    .select([
      'members.id as memberId',
      'members.name as memberName',
      'mailboxes.id as mailboxId',
      'mailboxes.email as mailboxEmail',
      'mailboxes.kind as mailboxKind',
      'mailboxes.member_id as mailboxMemberId',
      'mailboxes.delegated as mailboxDelegated',
      'mailboxes.state as mailboxState',
      'mailboxes.state_at as mailboxStateAt',
      'mailboxes.state_reason as mailboxReason',
      'mailboxes.state_sure as mailboxReasonSure',
      'pauser.name as pausedByName',
      'runs.state as runState',
      // What somebody let go by itself is no longer stopped with its run.
      sql<RunState | null>`case when deliveries.lane > 0 then runs.state end`.as('runStops'),
      'runs.state_at as runStateAt',
      'controller.name as runStateByName',
      isWithoutAnswer.as('isInDoubt'),
      sql<Refusal | null>`case when deliveries.state = 'failed' then (
        select json_build_object('status', http_status, 'reason', reason, 'message', provider_said) from attempts
        where attempts.delivery_id = deliveries.id and outcome = 'refused' order by number desc limit 1) end`.as(
        'refusal',
      ),
    ])
    .select((eb) => [
      'deliveries.id',
      'deliveries.purpose',
      'deliveries.state',
      'deliveries.state_at as stateAt',
      'deliveries.held_reason as heldReason',
      'deliveries.not_before as notBefore',
      'deliveries.from_email as fromEmail',
      'deliveries.recipients',
      'deliveries.subject',
      'deliveries.created_at as createdAt',
      'deliveries.document_id as documentId',
      'deliveries.run_id as runId',
      'deliveries.sent_from as sentFrom',
      'deliveries.from_changed_at as fromChangedAt',
      'deliveries.seen_at as seenAt',
      sql<DocumentKind | null>`deliveries.document_snapshot ->> 'kind'`.as('documentKind'),
      sql<string | null>`deliveries.document_snapshot ->> 'typeCode'`.as('documentTypeCode'),
      sql<string | null>`deliveries.document_snapshot ->> 'number'`.as('documentNumber'),
      sql<string | null>`deliveries.document_snapshot #>> '{party,name}'`.as('partyName'),
      eb
        .selectFrom('delivery_events')
        .select('detail')
        .whereRef('delivery_id', '=', 'deliveries.id')
        .orderBy('delivery_events.id', 'desc')
        .limit(1)
        .as('lastDetail'),
    ])
    .where('deliveries.tenant_id', '=', tenantId);
}

function readSummary<Row extends { recipients: unknown }>(
  row: Row,
): Omit<Row, 'recipients'> & { recipients: Recipients } {
  return { ...row, recipients: recipientsSchema.parse(row.recipients) };
}
