import { listMailboxes, type MailboxRecord } from '../mailboxes/mailboxes.ts';
import type { Database } from '../platform/database.ts';

/** A member whom Letterhead writes to, or in whose name it writes. */
export interface Person {
  readonly id: string;
  readonly name: string;
  readonly email: string;
}

/** Somebody, and a mailbox that they may send from. */
export interface NoticeSender {
  readonly memberId: string;
  readonly mailbox: MailboxRecord;
}

/**
 * Finds a mailbox for what Letterhead itself writes to people: one that works and that one of them may use; a shared one
 * before their own, the default first.
 *
 * @param butNot the id of a mailbox that it cannot be
 */
export async function findNoticeSender(
  trx: Database,
  tenantId: string,
  people: readonly Pick<Person, 'id'>[],
  butNot?: string,
): Promise<NoticeSender | undefined> {
  for (const { id: memberId } of people) {
    const mailbox = (await usable(trx, tenantId, memberId, butNot)).sort(
      (a, b) => Number(a.kind === 'personal') - Number(b.kind === 'personal'),
    )[0];
    if (mailbox) return { memberId, mailbox };
  }
  return undefined;
}

/** Finds the company's own mailbox that a member may use now, the default first; undefined where there is none. */
export async function findCompanyMailbox(
  trx: Database,
  tenantId: string,
  memberId: string,
): Promise<MailboxRecord | undefined> {
  return (await usable(trx, tenantId, memberId)).find(({ kind }) => kind === 'shared');
}

async function usable(trx: Database, tenantId: string, memberId: string, butNot?: string): Promise<MailboxRecord[]> {
  const mailboxes = await listMailboxes(trx, tenantId, memberId);
  return mailboxes.filter(
    ({ id, state, mayUse, capabilities }) =>
      id !== butNot && state === 'active' && mayUse && capabilities.includes('send'),
  );
}
