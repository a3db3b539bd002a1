import type { Database } from '../platform/database.ts';
import type { MailboxEventKind } from '../platform/database-types.ts';

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
