import type { Company } from './company.ts';
import { join } from './found.ts';
import type { TestLetterhead } from './letterhead.ts';
import { signedIn, type Visitor } from './visitor.ts';

/** Somebody who was invited into a company and came. */
export interface Colleague {
  readonly account: string;
  readonly memberId: string;
  readonly pages: Visitor;
}

/** Lets somebody with a Google account of their own in, and signs them in. */
export async function colleague(
  letterhead: TestLetterhead,
  company: Company,
  name: string,
  role: 'admin' | 'member' | 'viewer' = 'member',
): Promise<Colleague> {
  const account = company.account.replace('office', name.toLowerCase());
  letterhead.google.accounts.add({ email: account, name });
  const seat = await join(letterhead, company, account, role);
  return { account, memberId: seat.memberId, pages: await signedIn(letterhead, seat) };
}

/** Lets only these members use a mailbox, as an admin does on its page; of others it says that they were looked at. */
export function letOnly(
  admin: Visitor,
  mailboxId: string,
  given: readonly { readonly memberId: string }[],
  others: readonly { readonly memberId: string }[] = [],
) {
  const shown = [...given, ...others].map(({ memberId }) => [`shown[${memberId}]`, '1']);
  const ticked = given.map(({ memberId }) => [`given[${memberId}]`, '1']);
  return admin.post(`/mailboxes/${mailboxId}/access`, {
    access: 'chosen',
    ...Object.fromEntries([...shown, ...ticked]),
  });
}
