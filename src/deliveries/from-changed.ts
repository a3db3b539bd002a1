import { type FromSwap, openSwap, settleSwap } from '../mailboxes/from-swaps.ts';
import { distrustSendAs } from '../mailboxes/send-as.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { wake } from '../platform/wake.ts';
import { noteChange } from '../tenants/rights-changes.ts';
import { createDelivery, type SendResult } from './create.ts';
import { moveDeliveries, writeEvent } from './state.ts';

/*
 * Gmail swaps a From that it does not know (any more) for the account's own, and says so to nobody. Where it may be read
 * back, it is; and an address that was swapped once is held from then on, until a test email from it shows that Gmail keeps
 * it, or an admin has looked and says go on.
 */

/** What a read-back showed. */
export interface ReadBack {
  readonly mailboxId: string;
  readonly deliveryId: string;
  /** The From that was asked for. */
  readonly wanted: string;
  /** The one that Gmail used, in small letters. */
  readonly used: string;
  /** Whether the email was sent to find out just that. */
  readonly triesFrom: boolean;
  readonly sentAt: Date;
}

/** Draws the conclusions from a read-back: an address is held from now on, or is let go where a test email was kept. */
export async function concludeFrom(trx: Database, clock: Clock, tenantId: string, readBack: ReadBack): Promise<void> {
  const { mailboxId, deliveryId, wanted, used, triesFrom, sentAt } = readBack;
  const at = clock();
  if (used !== wanted.toLowerCase()) {
    const swap = { mailboxId, email: wanted, sentFrom: used, deliveryId, at };
    // The list of addresses said that Gmail knows it.
    if (await openSwap(trx, tenantId, swap, sentAt)) await distrustSendAs(trx, tenantId, mailboxId);
    const detail = `Gmail sent it from ${used} instead of ${wanted}. Nothing more leaves from that address until somebody has looked.`;
    return writeEvent(trx, tenantId, deliveryId, { state: 'sent', at, detail });
  }
  if (triesFrom) await letGo(trx, clock, tenantId, { mailboxId, email: wanted }, null);
}

/**
 * Lets an address be used again, and what waits for that go on.
 *
 * @param memberId the admin who looked and says go on
 * @returns the deliveries that go on; undefined where the address was not held
 */
export async function goOnFrom(
  trx: Database,
  clock: Clock,
  tenantId: string,
  swap: Pick<FromSwap, 'mailboxId' | 'email' | 'sentFrom'> & { readonly mailboxEmail: string },
  memberId: string,
): Promise<string[] | undefined> {
  const moved = await letGo(trx, clock, tenantId, swap, memberId);
  if (moved === undefined) return undefined;
  // What they saw in Gmail may be newer than our list of its addresses.
  await distrustSendAs(trx, tenantId, swap.mailboxId);
  const { email, sentFrom, mailboxEmail: mailbox } = swap;
  await noteChange(trx, tenantId, { memberId, at: clock() }, { kind: 'from_trusted', mailbox, email, sentFrom });
  return moved;
}

async function letGo(
  trx: Database,
  clock: Clock,
  tenantId: string,
  { mailboxId, email }: Pick<FromSwap, 'mailboxId' | 'email'>,
  memberId: string | null,
): Promise<string[] | undefined> {
  const at = clock();
  if (!(await settleSwap(trx, tenantId, { mailboxId, email }, memberId, at))) return undefined;
  const rows = await trx
    .selectFrom('deliveries')
    .select(['id', 'from_email'])
    .where('tenant_id', '=', tenantId)
    .where('mailbox_id', '=', mailboxId)
    .where('state', '=', 'held')
    .where('held_reason', '=', 'from_changed')
    .orderBy('id')
    .forUpdate()
    .execute();
  const theirs = rows.filter((row) => row.from_email.toLowerCase() === email.toLowerCase()).map(({ id }) => id);
  const detail = memberId ? 'Somebody looked, and says go on.' : 'A test email showed that Gmail keeps the address.';
  const move = { from: 'held', to: 'queued', heldFor: ['from_changed'], at, detail } as const;
  const moved = await moveDeliveries(trx, tenantId, theirs, { ...move, ...(memberId && { memberId }) });
  if (moved.length > 0) await wake(trx, 'waiting');
  return moved;
}

/** Sends the mailbox itself a test email from an address that is held, to see whether Gmail keeps it. */
export function tryFrom(
  trx: Database,
  clock: Clock,
  { tenantId, memberId }: { readonly tenantId: string; readonly memberId: string },
  mailbox: { readonly id: string; readonly email: string; readonly displayName: string },
  email: string,
  key: string,
): Promise<SendResult> {
  return createDelivery(trx, clock, {
    ...{ tenantId, memberId, document: null, idempotencyKey: `try-from/${mailbox.id}/${key}` },
    recipients: { to: [{ name: mailbox.displayName, email: mailbox.email }], cc: [], bcc: [] },
    subject: `Does Gmail keep ${email} on the From line?`,
    message: `This is a test by Letterhead: Gmail once sent from another address than ${email}. Look whom this email comes from. You can delete it.`,
    through: { mailboxId: mailbox.id, email },
    triesFrom: true,
  });
}
