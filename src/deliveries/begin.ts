import type { SenderResolution } from '../mailboxes/sender.ts';
import type { Database } from '../platform/database.ts';
import { sendingRulesOf } from '../tenants/sending-rules.ts';
import { connectedSince, everBefore } from './cut-off.ts';
import { type Departure, departureOf, type Wish } from './departure.ts';

/**
 * How new deliveries through a resolved sender begin: queued, or held and until when. Locks the row of a mailbox that
 * cannot send, so that whoever makes it able to finds what is written here.
 *
 * @param trx the transaction that writes them
 */
export async function beginningOf(
  trx: Database,
  tenantId: string,
  resolution: Extract<SenderResolution, { ok: true }>,
  wish: Omit<Wish, 'mailbox'>,
  now: Date,
): Promise<Departure> {
  const { sender } = resolution;
  const waitsFor = waitsOf(resolution);
  const heldFor = waitsFor && !(await connectedSince(trx, tenantId, sender.mailboxId, everBefore)) ? waitsFor : null;
  const mailbox = heldFor && { reason: heldFor.reason, detail: `Waits until ${sender.mailboxEmail} ${heldFor.until}.` };
  return departureOf({ ...wish, mailbox }, await sendingRulesOf(trx, tenantId), now);
}

/** What a new delivery has to wait for; null where its mailbox can send. */
function waitsOf({ trouble, paused }: Extract<SenderResolution, { ok: true }>) {
  if (trouble) return { reason: 'mailbox_needs_reconnect', until: trouble.until } as const;
  return paused ? ({ reason: 'mailbox_paused', until: 'is resumed' } as const) : null;
}

/** The columns of a delivery that begins so. */
export function columnsOf(departure: Departure) {
  const held = departure.state === 'held';
  return {
    state: departure.state,
    held_reason: held ? departure.reason : null,
    not_before: held ? departure.until : null,
  };
}
