import { sendAsMaxAgeMs } from '../mailboxes/send-as.ts';
import { resolveSender } from '../mailboxes/sender.ts';
import type { MailboxFacts } from '../mailboxes/sender-facts.ts';
import { type MemberFacts, readMemberFacts } from '../mailboxes/sender-questions.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { frozenRule, type Objection, objectionTo } from './check-sender.ts';
import { loadAllForSending, type SendableDelivery } from './load.ts';

/**
 * What would hold deliveries again, were they let go now: the same questions that a worker asks just before a send. So
 * nobody is offered to send what would not leave.
 *
 * @returns by delivery; none for one that nothing stands in the way of, or that is not there
 */
export async function obstaclesOf(
  db: Database,
  tenantId: string,
  deliveryIds: readonly string[],
  now: Date,
): Promise<Map<string, Objection>> {
  if (deliveryIds.length === 0) return new Map();
  const deliveries = await loadAllForSending(db, tenantId, deliveryIds, 'without files');
  const facts = await factsOf(db, tenantId, deliveries);
  return new Map(
    deliveries.flatMap((delivery) => {
      const objection = objectionNow(delivery, facts.get(delivery.member.id), now);
      return objection ? [[delivery.id, objection]] : [];
    }),
  );
}

/** Those of deliveries that would leave, were they let go now. */
export async function unhindered(
  trx: Database,
  clock: Clock,
  tenantId: string,
  deliveryIds: readonly string[],
): Promise<string[]> {
  const obstacles = await obstaclesOf(trx, tenantId, deliveryIds, clock());
  return deliveryIds.filter((id) => !obstacles.has(id));
}

function objectionNow(delivery: SendableDelivery, facts: MemberFacts | undefined, now: Date): Objection | null {
  if (!facts) return null;
  const rule = frozenRule(delivery);
  const objection = objectionTo(delivery, resolveSender({ ...facts, rule, triesFrom: delivery.triesFrom }));
  const mailbox = facts.mailboxes.find(({ id }) => id === delivery.mailboxId);
  // Before a send, Gmail's list is asked for anew: only then is it known whether the address is gone.
  if (objection?.reason === 'sender_changed' && mailbox && needsAddresses(mailbox, delivery, now)) return null;
  return objection;
}

/** What decides whom the emails of these members come from, by member. */
export async function factsOf(
  db: Database,
  tenantId: string,
  deliveries: readonly SendableDelivery[],
): Promise<Map<string, MemberFacts>> {
  const members = [...new Map(deliveries.map(({ member }) => [member.id, member])).values()];
  const rules = new Map(deliveries.map((delivery) => [JSON.stringify(frozenRule(delivery)), frozenRule(delivery)]));
  const facts = await readMemberFacts(db, tenantId, members, [...rules.values()]);
  return new Map(facts.map((each) => [each.member.id, each]));
}

/**
 * Whether Gmail's list of addresses is to be asked for before a send. Its own address needs no list, and without the
 * permission there is none to ask for.
 */
export function needsAddresses(mailbox: MailboxFacts, delivery: SendableDelivery, now: Date): boolean {
  if (mailbox.state !== 'active' || !mailbox.capabilities.includes('aliases')) return false;
  if (mailbox.email === delivery.email.from.email) return false;
  return now.getTime() - (mailbox.sendAsFetchedAt?.getTime() ?? 0) >= sendAsMaxAgeMs;
}
