import { sql } from 'kysely';
import { type FromSwap, lockSwap, openSwap, settleSwap } from '../mailboxes/from-swaps.ts';
import { distrustSendAs } from '../mailboxes/send-as.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { wake } from '../platform/wake.ts';
import { noteChange } from '../tenants/rights-changes.ts';
import { createDelivery, type SendResult } from './create.ts';
import { obstaclesOf } from './obstacles.ts';
import { moveDeliveries, writeEvent, writeEvents } from './state.ts';

/*
 * Gmail swaps a From that it does not know (any more) for the account's own, and says so to nobody. Where it may be read
 * back, it is; and an address that was swapped once is held from then on, until an email from it shows that Gmail keeps it: a
 * test email, or the first of those that wait, once an admin has looked and says go on. Where it may not be read back, the
 * admin's word is all there is.
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
    // What left before somebody settled it opens it no second time.
    const isHeld = await lockSwap(trx, tenantId, swap);
    const rest = isHeld ? ' Nothing more leaves from that address until somebody has looked.' : '';
    const detail = `Gmail sent it from ${used} instead of ${wanted}.${rest}`;
    return writeEvent(trx, tenantId, deliveryId, { state: 'sent', at, detail });
  }
  if (triesFrom) await letGo(trx, clock, tenantId, { mailboxId, email: wanted }, null);
}

/** What came of {@link goOnFrom}. */
export type WentOn =
  /** It was not held any more. */
  | { readonly kind: 'not_held' }
  /** Gmail does not know it: it would be swapped again, or held. Nothing was changed. */
  | { readonly kind: 'refused'; readonly words: string }
  /** It is used again, and these go on. */
  | { readonly kind: 'used'; readonly released: readonly string[] }
  /** This one goes first, and the others follow when it was read back as it should be. */
  | { readonly kind: 'tried'; readonly first: string; readonly others: number };

/**
 * Lets an address be used again, because somebody looked. Where Gmail can be asked what it used, the email that waited
 * longest goes first and tries it, and all others stay: else each of them could be swapped before the first is read back.
 *
 * @param by the admin who looked, and whether the mailbox may look at what it sent
 */
export async function goOnFrom(
  trx: Database,
  clock: Clock,
  tenantId: string,
  swap: Pick<FromSwap, 'mailboxId' | 'email' | 'sentFrom'> & { readonly mailboxEmail: string },
  { memberId, mayLook }: { readonly memberId: string; readonly mayLook: boolean },
): Promise<WentOn> {
  const { mailboxId, email, sentFrom, mailboxEmail: mailbox } = swap;
  if (!(await lockSwap(trx, tenantId, swap))) return { kind: 'not_held' };
  const [first, ...others] = await heldFrom(trx, tenantId, swap);
  if (first !== undefined) {
    await setTries(trx, tenantId, first, true);
    const obstacle = (await obstaclesOf(trx, tenantId, [first], clock())).get(first);
    if (!mayLook || obstacle?.reason === 'sender_changed') await setTries(trx, tenantId, first, false);
    if (obstacle?.reason === 'sender_changed') return { kind: 'refused', words: obstacle.words };
  }
  await noteChange(trx, tenantId, { memberId, at: clock() }, { kind: 'from_trusted', mailbox, email, sentFrom });
  // What they saw in Gmail may be newer than our list of its addresses.
  await distrustSendAs(trx, tenantId, mailboxId);
  if (first === undefined || !mayLook)
    return { kind: 'used', released: (await letGo(trx, clock, tenantId, swap, memberId)) ?? [] };
  const at = clock();
  const detail = 'Somebody looked, and says go on. It goes first, to see whether Gmail keeps the address.';
  const move = { from: 'held', to: 'queued', heldFor: ['from_changed'], at, detail, memberId } as const;
  await moveDeliveries(trx, tenantId, [first], move);
  const waits = 'Somebody looked, and says go on. Another goes first, to see whether Gmail keeps the address.';
  const line = { state: 'held', heldReason: 'from_changed', at, detail: waits, memberId } as const;
  await writeEvents(trx, tenantId, others, line);
  await wake(trx, 'waiting');
  return { kind: 'tried', first, others: others.length };
}

async function setTries(trx: Database, tenantId: string, deliveryId: string, tries: boolean): Promise<void> {
  await trx
    .updateTable('deliveries')
    .set({ tries_from: tries })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', deliveryId)
    .execute();
}

/** What waits for an address, the longest first, locked. */
async function heldFrom(
  trx: Database,
  tenantId: string,
  { mailboxId, email }: Pick<FromSwap, 'mailboxId' | 'email'>,
): Promise<string[]> {
  const rows = await trx
    .selectFrom('deliveries')
    .select(['id', 'created_at as createdAt'])
    .where('tenant_id', '=', tenantId)
    .where('mailbox_id', '=', mailboxId)
    .where('state', '=', 'held')
    .where('held_reason', '=', 'from_changed')
    .where(sql<boolean>`lower(from_email) = ${email.toLowerCase()}`)
    .orderBy('id')
    .forUpdate()
    .execute();
  return rows.toSorted((a, b) => a.createdAt.getTime() - b.createdAt.getTime()).map(({ id }) => id);
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
  const theirs = await heldFrom(trx, tenantId, { mailboxId, email });
  const detail = memberId
    ? 'Somebody looked, and says go on.'
    : 'An email from it showed that Gmail keeps the address.';
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
