import type { Objection } from '../deliveries/check-sender.ts';
import type { Mend, Remedy, Trouble } from '../deliveries/remedy.ts';
import { endedOf, type Reader, type Told } from './remedy-words.ts';
import { isAdmin } from './viewer.ts';

/** The button that mends it. */
export interface MendButton {
  readonly label: string;
  /** Where it is mended, by a look first. */
  readonly href: string;
  /** What the button does at once; without, it leads to `href`. */
  readonly post?: { readonly action: string; readonly fields: Readonly<Record<string, string>> };
}

/** What stands beside a headline: a button for whoever may mend it; else who can. */
export type MendWords = { readonly button: MendButton } | { readonly ask: string };

/** The button for what mends a delivery. */
export function mendWords(
  delivery: Told,
  { trouble, mend }: Remedy,
  hindrance: Objection | null,
  reader: Reader,
): MendWords | null {
  if (mend === null) return null;
  const { viewer } = reader;
  const may = mayMend(mend, delivery, viewer);
  if (!may) return { ask: whoCan(mend, delivery) };
  return { button: buttonFor(mend, delivery, trouble, hindrance, viewer) };
}

/** Whether the viewer can: mailboxes are an admin's, or their owner's; the rest is for whoever sends. */
function mayMend(mend: Mend, delivery: Told, viewer: Reader['viewer']): boolean {
  if (viewer.role === 'viewer' || !delivery.mayDecide) return false;
  switch (mend) {
    case 'resume_mailbox':
    case 'connect_mailbox':
    case 'check_address':
      return delivery.mailboxKind === 'personal' ? delivery.mailboxMemberId === viewer.memberId : isAdmin(viewer);
    case 'open_rights':
      return isAdmin(viewer);
    case 'open_mailbox':
    case 'resume_run':
    case 'send_anew':
    case 'correct':
    case 'send_now':
    case 'send_paid':
    case 'answer':
      return true;
    default:
      return mend satisfies never;
  }
}

function whoCan(mend: Mend, { mailboxKind, memberName }: Told): string {
  const isMailbox = mend === 'resume_mailbox' || mend === 'connect_mailbox' || mend === 'check_address';
  return isMailbox && mailboxKind === 'personal' ? `${memberName} can do this.` : 'An owner or admin can do this.';
}

function buttonFor(
  mend: Mend,
  delivery: Told,
  trouble: Trouble | null,
  hindrance: Objection | null,
  viewer: Reader['viewer'],
): MendButton {
  const { id, mailboxId, mailboxKind: kind, runId, documentId } = delivery;
  const own = `/deliveries/${id}`;
  const mailbox = `/mailboxes/${mailboxId}`;
  const decide = (fields: Record<string, string>) => ({ action: `${own}/decision`, fields });
  switch (mend) {
    case 'resume_mailbox':
      return { label: 'Resume', href: mailbox, post: { action: `${mailbox}/resumption`, fields: { back: own } } };
    case 'connect_mailbox': {
      if (delivery.mailboxDelegated)
        return { label: 'What to do', href: isAdmin(viewer) ? '/settings/email/workspace' : mailbox };
      const isElsewhere = delivery.mailboxState === 'needs_reconnect' && endedOf(delivery).first === 'elsewhere';
      if (isElsewhere) return { label: 'What to do', href: mailbox };
      const label = delivery.mailboxState === 'disconnected' ? 'Connect' : 'Reconnect';
      return { label, href: mailbox, post: { action: '/mailboxes/connection', fields: { kind, mailboxId } } };
    }
    case 'open_mailbox':
      return { label: 'Check the addresses', href: mailbox };
    case 'check_address':
      return { label: 'Check the address', href: mailbox };
    case 'open_rights':
      if (hindrance?.lacks === 'role') return { label: 'Change the role', href: '/settings/members' };
      return { label: 'Change who may use it', href: `${mailbox}/access` };
    case 'resume_run':
      return {
        ...{ label: 'Resume', href: `/runs/${runId}` },
        post: { action: `/runs/${runId}/control`, fields: { control: 'resume' } },
      };
    case 'send_anew':
      return {
        ...{ label: 'Cancel it and send again…', href: own },
        post: decide({ decision: 'cancel', next: 'send_anew' }),
      };
    case 'correct':
      if (trouble === 'bad_recipient')
        return { label: 'Correct the address', href: `/documents/${documentId}/deliveries/new?from=${id}` };
      if (trouble === 'refused')
        return { label: 'Correct and send again', href: `/documents/${documentId}/deliveries/new?from=${id}` };
      return { label: 'Open the record', href: `/documents/${documentId}` };
    case 'send_now':
      return { label: sendWords(trouble), href: own, post: decide({ decision: 'send_now' }) };
    case 'send_paid':
      return {
        ...{ label: 'Send it all the same', href: own },
        post: decide({ decision: 'send_now', thoughPaid: 'yes' }),
      };
    case 'answer':
      return { label: 'Decide', href: own };
    default:
      return mend satisfies never;
  }
}

/** The button that sends what is held. */
export function sendWords(reason: string | null): string {
  switch (reason) {
    case 'stuck':
      return 'Try again';
    case 'operator':
      return 'Try now';
    case 'draft_edited':
      return 'Send it as it was';
    case 'outside_hours':
      return 'Send now anyway';
    default:
      return 'Send now';
  }
}
