import { sql } from 'kysely';
import type { Database } from '../platform/database.ts';
import type { MailboxEventKind } from '../platform/database-types.ts';
import { isVisibleTo } from './access.ts';

/** What can befall a mailbox. `explained`: a better reason for what was known already. */
export type EventKind = MailboxEventKind;

/** One line of a mailbox's history. */
export interface MailboxEvent {
  readonly mailboxId: string;
  readonly kind: EventKind;
  readonly at: Date;
  /** Why it ended, for `ended` and `explained`. */
  readonly reason?: string | null;
  readonly sure?: boolean;
  /** Who did it, where a person did. */
  readonly memberId?: string;
  /** Set where nobody needs to be told by email. */
  readonly noticedAt?: Date;
}

/** Adds a line to a mailbox's history, in the transaction that does what it tells. */
export async function writeMailboxEvent(trx: Database, tenantId: string, event: MailboxEvent): Promise<void> {
  await trx
    .insertInto('mailbox_events')
    .values({
      tenant_id: tenantId,
      mailbox_id: event.mailboxId,
      kind: event.kind,
      at: event.at,
      reason: event.reason ?? null,
      sure: event.sure ?? true,
      member_id: event.memberId ?? null,
      noticed_at: event.noticedAt ?? null,
    })
    .execute();
}

/** A line of the history as pages show it. */
export interface MailboxHistoryLine {
  readonly id: string;
  readonly mailboxId: string;
  readonly email: string;
  readonly at: Date;
  readonly kind: EventKind;
  readonly reason: string | null;
  readonly sure: boolean;
  readonly memberName: string | null;
}

/**
 * What befell the mailboxes that a member may know of, newest first.
 *
 * @param mailboxId of one mailbox only
 * @param before the id of the last line of the page before
 * @returns at most `limit` lines (50 unless told), and `next` when there are more
 */
export async function listMailboxEvents(
  db: Database,
  tenantId: string,
  memberId: string,
  {
    mailboxId,
    before,
    limit = 50,
  }: { readonly mailboxId?: string | undefined; readonly before?: string | undefined; readonly limit?: number } = {},
): Promise<{ readonly rows: MailboxHistoryLine[]; readonly next?: string }> {
  let query = db
    .selectFrom('mailbox_events')
    .innerJoin('mailboxes', 'mailboxes.id', 'mailbox_events.mailbox_id')
    .leftJoin('members', 'members.id', 'mailbox_events.member_id')
    .select(['mailbox_events.id', 'mailbox_id as mailboxId', 'mailboxes.email'])
    .select(['mailbox_events.at', 'mailbox_events.kind', 'reason', 'sure', 'members.name as memberName'])
    .where('mailbox_events.tenant_id', '=', tenantId)
    .where(isVisibleTo(memberId))
    .orderBy('mailbox_events.id', 'desc')
    .limit(limit + 1);
  if (mailboxId) query = query.where('mailbox_id', '=', mailboxId);
  if (before && /^\d{1,18}$/.test(before)) query = query.where('mailbox_events.id', '<', before);
  const found = await query.execute();
  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  return found.length > limit && last ? { rows, next: last.id } : { rows };
}

/** A mailbox that needs somebody who can do something about it. */
export interface TroubledMailbox {
  readonly id: string;
  readonly email: string;
  readonly delegated: boolean;
  readonly stateReason: string | null;
  readonly stateSure: boolean;
}

/** The mailboxes that must be connected again and that this member can mend: their own, and an admin the shared ones. */
export function listTroubled(db: Database, tenantId: string, memberId: string): Promise<TroubledMailbox[]> {
  const decides = sql<boolean>`exists (select from members looking where looking.id = ${memberId}
    and looking.removed_at is null and looking.role in ('owner', 'admin'))`;
  return db
    .selectFrom('mailboxes')
    .select(['id', 'email', 'delegated', 'state_reason as stateReason', 'state_sure as stateSure'])
    .where('tenant_id', '=', tenantId)
    .where('state', '=', 'needs_reconnect')
    .where((where) => where.or([where('member_id', '=', memberId), where.and([where('kind', '=', 'shared'), decides])]))
    .orderBy('is_default', 'desc')
    .orderBy('email')
    .limit(20)
    .execute();
}
