import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import type { MemberRole } from '../platform/database-types.ts';
import { createDelivery } from './create.ts';
import { findCompanyMailbox } from './notice-sender.ts';

/** What an invitation's email says. */
export interface InvitationEmail {
  readonly invitationId: string;
  /** To whom. */
  readonly email: string;
  readonly role: Exclude<MemberRole, 'owner'>;
  /** With the token of the invitation. */
  readonly link: string;
  /** For people, such as `14 December 2026`. */
  readonly until: string;
  readonly company: string;
  readonly by: { readonly memberId: string; readonly name: string; readonly email: string };
}

/**
 * Mails an invitation from the company's mailbox, in the transaction that writes it: it is sent once, as every email is.
 *
 * @param trx a transaction inside the tenant
 * @returns the address it comes from; null where the company has no mailbox that whoever invites may send from now: then
 *   nothing is mailed, and the link has to be handed over
 */
export async function mailInvitation(
  trx: Database,
  clock: Clock,
  tenantId: string,
  email: InvitationEmail,
): Promise<string | null> {
  const mailbox = await findCompanyMailbox(trx, tenantId, email.by.memberId);
  if (!mailbox) return null;
  const result = await createDelivery(trx, clock, {
    tenantId,
    memberId: email.by.memberId,
    idempotencyKey: keyOf(email.invitationId),
    recipients: { to: [{ name: '', email: email.email }], cc: [], bcc: [] },
    ...compose(email),
    document: null,
    invitation: { mailboxId: mailbox.id, email: mailbox.email },
  });
  return result.kind === 'created' ? mailbox.email : null;
}

/** Whether an invitation was mailed; its id may be the one that a form gives it, see `idOfForm`. */
export async function wasMailed(trx: Database, tenantId: string, invitationId: string): Promise<boolean> {
  const mailed = await trx
    .selectFrom('deliveries')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('idempotency_key', '=', keyOf(invitationId))
    .executeTakeFirst();
  return mailed !== undefined;
}

function keyOf(invitationId: string): string {
  return `invitation/${invitationId}`;
}

const asWhat = { admin: 'as an admin', member: 'as a member', viewer: 'as a viewer, who may only look' } as const;

/** Subject and text. Pure. */
function compose({ company, by, role, link, until, email }: InvitationEmail) {
  const subject = `${by.name} invites you to ${company} in Letterhead`;
  const message = [
    'Hello,',
    `${by.name} (${by.email}) invites you to work for ${company} in Letterhead, ${asWhat[role]}. Letterhead sends a company’s invoices, quotes and orders from its own Gmail.`,
    `Open this page to accept or decline:\n${link}`,
    `The link is for ${email} alone: sign in with that Google account. It works once, until ${until}.`,
    `If you do not know ${by.name}, leave this email alone: nothing happens then.`,
  ].join('\n\n');
  return { subject, message };
}
