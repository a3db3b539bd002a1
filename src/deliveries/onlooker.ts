import { type RawBuilder, sql } from 'kysely';
import { isUsableBy } from '../mailboxes/access.ts';

/**
 * Who looks at deliveries. What left through a member's own Gmail is an email of the company, and everybody in it sees
 * it, as they see the records. What left through a shared mailbox that was narrowed is seen by those it was given to,
 * by whoever sent it, and by owners and admins.
 */
export interface Onlooker {
  readonly memberId: string;
  /** Owners and admins. */
  readonly seesAll: boolean;
}

/** What somebody looks at: one delivery, or the run that it was started with. Both know their member and mailbox. */
type Looked = 'deliveries' | 'runs';

/** SQL: whether they may see the row of `deliveries`, or of `runs`, at hand, and know that it is there. */
export function isSeenBy({ memberId, seesAll }: Onlooker, looked: Looked = 'deliveries'): RawBuilder<boolean> {
  if (seesAll) return sql<boolean>`true`;
  const [member, mailbox] = columnsOf(looked);
  // Read once for a whole list: which mailboxes are kept from them does not depend on the delivery.
  return sql<boolean>`(${member} = ${memberId} or ${mailbox} not in (
    select mailboxes.id from mailboxes where mailboxes.kind = 'shared' and not ${isUsableBy(memberId)}))`;
}

/** SQL: whether they may decide about it: send it now or again, or not at all. Nobody does so through another's Gmail. */
export function isDecidedBy({ memberId, seesAll }: Onlooker, looked: Looked = 'deliveries'): RawBuilder<boolean> {
  if (seesAll) return sql<boolean>`true`;
  const [member, mailbox] = columnsOf(looked);
  return sql<boolean>`(${member} = ${memberId} or ${mailbox} in (
    select mailboxes.id from mailboxes where ${isUsableBy(memberId)}))`;
}

function columnsOf(looked: Looked) {
  return [sql.ref(`${looked}.member_id`), sql.ref(`${looked}.mailbox_id`)] as const;
}
