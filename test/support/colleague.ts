import { inTenant } from '../../src/tenants/scope.ts';
import type { Company } from './company.ts';
import type { TestLetterhead } from './letterhead.ts';
import { type Visitor, visitor } from './visitor.ts';

/** Somebody who was invited into a company and came. */
export interface Colleague {
  readonly account: string;
  readonly memberId: string;
  readonly pages: Visitor;
}

/** Invites somebody with a Google account of their own, who signs in and accepts. */
export async function colleague(
  letterhead: TestLetterhead,
  { founder, account: office, tenantId }: Company,
  name: string,
  role: 'admin' | 'member' | 'viewer' = 'member',
): Promise<Colleague> {
  const account = office.replace('office', name.toLowerCase());
  letterhead.google.accounts.add({ email: account, name });
  await founder.post('/settings/members/invitations', { email: account, role });
  const pages = visitor(letterhead);
  await pages.join(account);
  const { id } = await inTenant(letterhead.database.db, tenantId, (trx) =>
    trx.selectFrom('members').select('id').where('email', '=', account).executeTakeFirstOrThrow(),
  );
  return { account, memberId: id, pages };
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
