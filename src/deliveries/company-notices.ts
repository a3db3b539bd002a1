import { randomUUID } from 'node:crypto';
import type { Database } from '../platform/database.ts';
import { formatMoment } from '../platform/zoned-time.ts';
import type { CompanyField } from '../tenants/tenants.ts';
import { createDelivery } from './create.ts';
import type { NoticeContext } from './mailbox-notices.ts';
import { findNoticeSender, type Person } from './notice-sender.ts';

/** What stands on paper of the company, as a title and within a sentence. */
export const companyFieldWords = {
  name: { title: 'Name', within: 'the name' },
  taxId: { title: 'VAT or tax number', within: 'the VAT or tax number' },
  paymentDetails: { title: 'Bank details', within: 'the bank details' },
} as const satisfies Record<CompanyField['field'], { readonly title: string; readonly within: string }>;

/** What was changed, by whom, in which company as it was. */
export interface CompanyChange {
  readonly changed: readonly CompanyField[];
  readonly by: { readonly name: string; readonly email: string; readonly at: Date };
  readonly tenant: { readonly name: string; readonly timeZone: string };
}

const mostRecipients = 20;

/**
 * Tells every owner by email that the name, the tax number or the bank details are others now, whoever changed them: a
 * stranger with an owner's session, too, is seen by that. Through a mailbox of the company that works; with one or without,
 * Home shows it to each owner until they say that it is right, and Settings → Changes keeps it.
 *
 * @param trx the transaction that makes the change: both are there, or neither
 */
export async function tellOwners(
  ctx: Pick<NoticeContext, 'clock' | 'log' | 'publicUrl'>,
  trx: Database,
  tenantId: string,
  change: CompanyChange,
): Promise<void> {
  const owners = await ownersOf(trx, tenantId);
  const sender = await findNoticeSender(trx, tenantId, owners);
  if (!sender) {
    ctx.log.warn({ tenantId }, 'no mailbox to tell the owners that the company was changed');
    return;
  }
  const { id, email } = sender.mailbox;
  const result = await createDelivery(trx, ctx.clock, {
    tenantId,
    memberId: sender.memberId,
    idempotencyKey: `company-changed/${randomUUID()}`,
    recipients: { to: owners.map((owner) => ({ name: owner.name, email: owner.email })), cc: [], bcc: [] },
    ...compose(change, `${ctx.publicUrl}/settings/company?company=${tenantId}`, email),
    document: null,
    notice: { mailboxId: id, email },
  });
  if (result.kind !== 'created')
    ctx.log.warn({ tenantId, result: result.kind }, 'the owners could not be told by email');
}

function ownersOf(trx: Database, tenantId: string): Promise<Person[]> {
  return trx
    .selectFrom('members')
    .select(['id', 'name', 'email'])
    .where('tenant_id', '=', tenantId)
    .where('removed_at', 'is', null)
    .where('role', '=', 'owner')
    .orderBy('created_at')
    .limit(mostRecipients)
    .execute();
}

/** Subject and text. Pure. */
function compose({ changed, by, tenant }: CompanyChange, page: string, through: string) {
  const fields = changed.map(({ field, from, to }) =>
    [companyFieldWords[field].title, `Now: ${to ?? '(empty)'}`, `Before: ${from ?? '(empty)'}`].join('\n'),
  );
  const names = changed.map(({ field }) => companyFieldWords[field].within).join(', ');
  const message = [
    `${by.name} (${by.email}) changed what Letterhead prints of ${tenant.name}, on ${formatMoment(by.at, tenant.timeZone)} (${tenant.timeZone}).`,
    ...fields,
    `If this is right, there is nothing to do. If not, change it back here: ${page}\nSettings → Changes says who changed what, and Settings → Members who may.`,
    `Letterhead wrote this by itself to every owner, through ${through}.`,
  ].join('\n\n');
  return { subject: `Changed in Letterhead: ${names} of ${tenant.name}`, message };
}
