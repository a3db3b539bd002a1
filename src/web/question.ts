import type { DeliveryRecord } from '../deliveries/delivery.ts';
import { capabilitiesOf } from '../mailboxes/capabilities.ts';
import type { Database } from '../platform/database.ts';
import type { WebContext } from './context.ts';
import { permissionWords } from './permission-words.ts';
import { isAdmin, type Viewer } from './viewer.ts';

/** What somebody is asked who is to look whether an email was sent. */
export interface Question {
  /** Whose Sent folder. */
  readonly mailbox: string;
  /** What to type into Gmail's search. */
  readonly search: string;
  /** Opens Gmail there, in that account. */
  readonly href: string;
  /** Who gets it twice, or not at all, where the answer is wrong. */
  readonly to: string;
  /** The permission that spares the question, and where to switch it on; `href` null where the viewer may not. */
  readonly spares: { readonly name: string; readonly href: string | null } | null;
}

const dayMs = 86_400_000;

/** What to search for in Gmail, as Gmail's search box reads it: in Sent, to whom, the subject, and not before it was written. */
export function searchFor({
  recipients,
  subject,
  createdAt,
}: Pick<DeliveryRecord, 'recipients' | 'subject' | 'createdAt'>) {
  const [to] = [...recipients.to, ...recipients.cc, ...recipients.bcc];
  // The day before: Gmail counts days by the account's clock, which may be behind.
  const since = new Date(createdAt.getTime() - dayMs).toISOString().slice(0, 10).replaceAll('-', '/');
  const words = subject.replace(/["\s]+/g, ' ').trim();
  return ['in:sent', to && `to:${to.email}`, words && `subject:"${words}"`, `after:${since}`].filter(Boolean).join(' ');
}

/**
 * The address that opens a search in the Gmail of one account, whichever others the browser is signed in to: Google asks
 * to sign in where that one is not (`authuser` takes an address).
 */
export function gmailSearch(mailbox: string, search: string): string {
  return `https://mail.google.com/mail/?authuser=${encodeURIComponent(mailbox)}#search/${encodeURIComponent(search)}`;
}

/** Asks about one delivery. Null where its mailbox is not there. */
export async function questionAbout(
  trx: Database,
  { offered, localMailUrl }: Pick<WebContext, 'offered' | 'localMailUrl'>,
  viewer: Viewer,
  delivery: DeliveryRecord,
): Promise<Question | null> {
  const { mailboxId, mailboxEmail: mailbox, recipients } = delivery;
  const row = await trx
    .selectFrom('mailboxes')
    .leftJoin('grants', 'grants.mailbox_id', 'mailboxes.id')
    .select(['mailboxes.wanted', 'mailboxes.state', 'grants.scopes'])
    .where('mailboxes.tenant_id', '=', viewer.tenantId)
    .where('mailboxes.id', '=', mailboxId)
    .executeTakeFirst();
  if (!row) return null;
  const search = searchFor(delivery);
  const may = delivery.mailboxKind === 'personal' ? delivery.mailboxMemberId === viewer.memberId : isAdmin(viewer);
  const isOff = !capabilitiesOf(row.scopes ?? [], row.wanted).includes('tracking');
  const isToOffer = isOff && offered.includes('tracking') && !delivery.mailboxDelegated && row.state !== 'disconnected';
  return {
    ...{ mailbox, search },
    href: localMailUrl ? `${localMailUrl}/mail/${encodeURIComponent(mailbox)}/sent` : gmailSearch(mailbox, search),
    to: recipients.to[0]?.email ?? 'the recipient',
    spares: isToOffer
      ? { name: permissionWords.tracking.name, href: may ? `/mailboxes/${mailboxId}/permissions/tracking` : null }
      : null,
  };
}
