import { type EndedWords, endedWords, readReason } from '../mailboxes/ended-words.ts';
import type { RefusalReason, SenderResolution, SenderRule } from '../mailboxes/sender.ts';
import type { DeliverContext } from './context.ts';
import type { SendableDelivery } from './load.ts';
import { unsendable } from './sendable.ts';
import type { HeldReason } from './state.ts';
import { transportOf } from './transport-of.ts';
import { judge, type Lack } from './withdrawn.ts';

/** Why a delivery must not leave as it was frozen. */
export interface Objection {
  readonly reason: HeldReason;
  readonly words: string;
  /** Gmail's list of addresses is why: it does not name the address, or waits for it to be confirmed. */
  readonly isOfList?: boolean;
  /** What whoever sent it lacks, where they may not send it any more. */
  readonly lacks?: Lack;
}

const ofList: readonly RefusalReason[] = ['address_pending', 'alias_gone', 'aliases_unreadable'];

/**
 * Checks, just before a send, that whoever sent it still may, and that the frozen sender is still what its rule
 * resolves to. Pure. A difference holds the delivery; it is never sent from elsewhere.
 *
 * @param resolution what {@link frozenRule} makes of the member who pressed Send now
 */
export function objectionTo(delivery: SendableDelivery, resolution: SenderResolution): Objection | null {
  const { mailboxEmail: mailbox } = delivery;
  const withdrawn = judge(delivery.member);
  if (withdrawn) return withdrawn;
  if (delivery.mailboxState === 'needs_reconnect') {
    const { title, what } = endedOf(delivery);
    return { reason: 'mailbox_needs_reconnect', words: `${title}. ${what}` };
  }
  if (delivery.mailboxState === 'paused') {
    return { reason: 'mailbox_paused', words: `${mailbox} is paused: nothing leaves until it is resumed.` };
  }
  if (delivery.mailboxState === 'disconnected') {
    return { reason: 'mailbox_disconnected', words: `${mailbox} was disconnected from Gmail.` };
  }
  const frozen = delivery.email.from.email;
  if (!resolution.ok) {
    const reason = resolution.reason === 'from_changed' ? 'from_changed' : 'sender_changed';
    const isOfList = ofList.includes(resolution.reason);
    return { reason, words: `${resolution.because} ${resolution.fix}`, isOfList };
  }
  const { sender } = resolution;
  if (sender.mailboxId === delivery.mailboxId && sender.fromEmail === frozen) return objectionOfRecord(delivery);
  return {
    reason: 'sender_changed',
    words: `It was to be sent from ${frozen}, and would now come from ${sender.fromEmail}. Cancel it and send the document again.`,
  };
}

/** What is paid leaves only where somebody says so, however it came back to the queue; see `sendable.ts`. */
function objectionOfRecord({ recordStatus, thoughPaid }: SendableDelivery): Objection | null {
  if (recordStatus === null || unsendable(recordStatus, thoughPaid) !== 'paid') return null;
  return { reason: 'record_paid', words: 'Its record is paid by now, so it leaves only where somebody says so.' };
}

/** What is to be told of its mailbox, whose connection ended. */
function endedOf({ mailboxEnded: ended, mailboxEmail }: SendableDelivery): EndedWords {
  return endedWords({ reason: readReason(ended?.reason ?? null), sure: ended?.sure ?? true }, mailboxEmail);
}

/** The rule that a delivery was written under, with its alias. */
export function frozenRule(delivery: SendableDelivery): SenderRule {
  if (delivery.mode !== 'alias') return { mode: delivery.mode };
  return { mode: 'alias', mailboxId: delivery.mailboxId, email: delivery.email.from.email };
}

/**
 * Asks for the mailbox's list of addresses again, because ours is too old to send by.
 *
 * @returns why the delivery cannot leave, or null
 * @throws {NotPermittedError} when nobody could be asked
 */
export async function refreshAddresses(
  ctx: DeliverContext,
  tenantId: string,
  { provider, mailboxId, email }: SendableDelivery,
): Promise<Objection | null> {
  const read = await transportOf(ctx, provider).refreshAddresses?.(tenantId, mailboxId);
  if (read !== 'unreadable') return null;
  const words = `Gmail no longer lets us check whether this account may send as ${email.from.email}. Switch on “Other addresses” for it in Settings → Email.`;
  return { reason: 'sender_changed', words };
}
