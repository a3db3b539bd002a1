import { addDelegation, type DelegationCheck, findVoucher } from '../../src/mailboxes/delegate.ts';
import { readKeyFile } from '../../src/mailboxes/key-file.ts';
import { saveRule } from '../../src/mailboxes/sender-rules.ts';
import type { Capability } from '../../src/platform/capability.ts';
import { inTenant } from '../../src/tenants/scope.ts';
import { type Company, company, testEmail } from './company.ts';
import { counter } from './counter.ts';
import { join } from './found.ts';
import type { TestLetterhead } from './letterhead.ts';
import { signedIn, type Visitor } from './visitor.ts';

const gmailSend = 'https://www.googleapis.com/auth/gmail.send';
const email = 'https://www.googleapis.com/auth/userinfo.email';

/** What an administrator allows for sending and nothing more. */
export const sendOnly: readonly string[] = [email, gmailSend];

/** A company whose emails come from whoever sends them, with a colleague and a service account in its Workspace. */
export interface Workspace extends Company {
  readonly domain: string;
  /** The colleague: `tom@…`, a member without a Gmail of his own. */
  readonly tom: { readonly account: string; readonly memberId: string; readonly visitor: Visitor };
  /** The service account's key file as it would be downloaded, and its parts. */
  readonly keyFile: string;
  readonly clientId: string;
  /** What the Workspace's administrator does in the Admin console; without scopes: takes it back. */
  authorise(scopes: readonly string[]): void;
  /** Stores the key file as the founder. */
  store(offered?: readonly Capability[], file?: string): Promise<DelegationCheck>;
  /** Writes a test email of Tom's; returns its id. */
  sendAsTom(): Promise<string>;
  /** The mailbox through which Tom is sent as. */
  tomsMailbox(): Promise<{ id: string; state: string; state_reason: string | null }>;
}

const numberOf = counter();

/** Founds it, and lets Tom in. */
export async function workspace(letterhead: TestLetterhead): Promise<Workspace> {
  const { google, context, database } = letterhead;
  const base = await company(letterhead);
  const { tenantId, memberId } = base;
  const domain = base.account.slice(base.account.indexOf('@') + 1);
  const account = `tom@${domain}`;
  google.accounts.add({ email: account, name: 'Tom Brady' });
  const seat = await join(letterhead, base, account);
  const tom = await signedIn(letterhead, seat);
  await inTenant(database.db, tenantId, (trx) =>
    saveRule(trx, tenantId, null, { mode: 'current_user' }, { memberId, at: new Date() }),
  );
  const key = await google.addServiceAccount(`letterhead-${numberOf(google)}@project.iam.gserviceaccount.com`);
  const keyFile = JSON.stringify(key);
  return {
    ...base,
    ...{ domain, keyFile, clientId: key.client_id, tom: { account, memberId: seat.memberId, visitor: tom } },
    authorise(scopes) {
      const delegations = scopes.length > 0 ? [{ clientId: key.client_id, scopes: [...scopes] }] : [];
      google.policies.setDomain(domain, { delegations });
    },
    async store(offered = [], file = keyFile) {
      const voucher = await inTenant(database.db, tenantId, (trx) => findVoucher(trx, tenantId, { memberId }));
      if (!voucher) throw new Error('The founder cannot vouch for the domain');
      return addDelegation(context, tenantId, voucher, await readKeyFile(file), offered);
    },
    sendAsTom: () => base.send(testEmail(tenantId, seat.memberId)),
    tomsMailbox: () =>
      inTenant(database.db, tenantId, (trx) =>
        trx
          .selectFrom('mailboxes')
          .select(['id', 'state', 'state_reason'])
          .where('delegated', '=', true)
          .where('member_id', '=', seat.memberId)
          .executeTakeFirstOrThrow(),
      ),
  };
}
