import type { Capability } from '../../src/platform/capability.ts';
import { type Sender, senderOf } from './company.ts';
import { counter } from './counter.ts';
import { connected, found } from './found.ts';
import type { TestLetterhead } from './letterhead.ts';

const numberOf = counter();

/** A company of one, whose mailbox has these permissions, so that a table of faults can have a mailbox for each. */
export async function permittedSender(
  letterhead: TestLetterhead,
  capabilities: readonly Capability[],
  account = `permitted${numberOf(letterhead.google)}@table.example`,
): Promise<Sender> {
  letterhead.google.accounts.add({ email: account, name: 'Table' });
  const owner = await found(letterhead, account, 'Table Ltd');
  const mailboxId = await connected(letterhead, owner, account, capabilities);
  return senderOf(letterhead, { ...owner, account, mailboxId });
}
