import { type RawBuilder, sql } from 'kysely';
import type { Database } from '../platform/database.ts';

/** An address that Gmail did not keep on the From line. */
export interface FromSwap {
  readonly mailboxId: string;
  /** The address that was asked for, in small letters. */
  readonly email: string;
  /** The one that Gmail used instead. */
  readonly sentFrom: string;
  /** The delivery that showed it. */
  readonly deliveryId: string;
  readonly at: Date;
}

/** SQL: the open ones of the row of `mailboxes` at hand, as JSON for {@link MailboxFacts}. */
export const openSwaps: RawBuilder<readonly { readonly email: string; readonly sentFrom: string }[]> = sql`
  coalesce((select json_agg(json_build_object('email', from_swaps.email, 'sentFrom', from_swaps.sent_from))
    from from_swaps where from_swaps.mailbox_id = mailboxes.id and from_swaps.settled_at is null), '[]')`;

/**
 * Writes down that Gmail used another From than was asked for: nothing more leaves from that address. What left before
 * somebody settled it, and is read back only now, opens it no second time.
 *
 * @returns whether it is open from now on by this call
 */
export async function openSwap(
  trx: Database,
  tenantId: string,
  { mailboxId, email, sentFrom, deliveryId, at }: FromSwap,
  sentAt: Date,
): Promise<boolean> {
  const { rows } = await sql`
    insert into from_swaps (tenant_id, mailbox_id, email, sent_from, delivery_id, at)
    values (${tenantId}, ${mailboxId}, ${email.toLowerCase()}, ${sentFrom}, ${deliveryId}, ${at})
    on conflict (tenant_id, mailbox_id, email) do update
      set sent_from = excluded.sent_from, delivery_id = excluded.delivery_id, at = excluded.at, settled_at = null, settled_by = null
      where from_swaps.settled_at < ${sentAt}
    returning email`.execute(trx);
  return rows.length > 0;
}

/**
 * Lets an address be used again.
 *
 * @param memberId who looked and says so; null where a test email showed that Gmail keeps it
 * @returns false where it was not held
 */
export async function settleSwap(
  trx: Database,
  tenantId: string,
  { mailboxId, email }: Pick<FromSwap, 'mailboxId' | 'email'>,
  memberId: string | null,
  at: Date,
): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('from_swaps')
    .set({ settled_at: at, settled_by: memberId })
    .where('tenant_id', '=', tenantId)
    .where('mailbox_id', '=', mailboxId)
    .where('email', '=', email.toLowerCase())
    .where('settled_at', 'is', null)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Keeps an open one as it is until the end of the transaction. @returns false where it is not open */
export async function lockSwap(
  trx: Database,
  tenantId: string,
  { mailboxId, email }: Pick<FromSwap, 'mailboxId' | 'email'>,
): Promise<boolean> {
  const row = await trx
    .selectFrom('from_swaps')
    .select('email')
    .where('tenant_id', '=', tenantId)
    .where('mailbox_id', '=', mailboxId)
    .where('email', '=', email.toLowerCase())
    .where('settled_at', 'is', null)
    .forUpdate()
    .executeTakeFirst();
  return row !== undefined;
}

/** When one was settled, and who said so; `by` is null where an email showed that Gmail keeps the address. */
export async function settledSwap(
  trx: Database,
  tenantId: string,
  { mailboxId, email }: Pick<FromSwap, 'mailboxId' | 'email'>,
): Promise<{ readonly at: Date; readonly by: string | null } | undefined> {
  const row = await trx
    .selectFrom('from_swaps')
    .leftJoin('members', 'members.id', 'from_swaps.settled_by')
    .select(['settled_at as at', 'members.name as by'])
    .where('from_swaps.tenant_id', '=', tenantId)
    .where('mailbox_id', '=', mailboxId)
    .where('from_swaps.email', '=', email.toLowerCase())
    .executeTakeFirst();
  return row?.at ? { at: row.at, by: row.by } : undefined;
}

/** The open ones of a tenant's mailboxes. */
export function listSwaps(trx: Database, tenantId: string, mailboxIds: readonly string[]): Promise<FromSwap[]> {
  return trx
    .selectFrom('from_swaps')
    .select(['mailbox_id as mailboxId', 'email', 'sent_from as sentFrom', 'delivery_id as deliveryId', 'at'])
    .where('tenant_id', '=', tenantId)
    .where('mailbox_id', '=', sql<string>`any(${[...mailboxIds]}::uuid[])`)
    .where('settled_at', 'is', null)
    .orderBy('at')
    .execute();
}
